/** Operation that makes one value of the ranks' values. */
export type Reduction = "sum" | "min" | "max";

/** Cost of a rank's communication so far. */
export interface Traffic {
  /** Collective calls. */
  calls: number;
  /** Bytes that this rank handed over; what a network carries depends on the library's algorithm. */
  bytes: number;
  /** Time in which this rank could do nothing else, ms. */
  milliseconds: number;
}

/**
 * Processes ("ranks") that work together, one a GPU. Every rank must make the same calls in the same order; a call
 * returns when this rank has its result.
 *
 * @see MPI: A Message-Passing Interface Standard, version 3.1, chapter 5.
 */
export interface Communicator {
  /** Number of this process, from 0. */
  readonly rank: number;
  /** Processes. */
  readonly size: number;
  /** Name and version of the library that connects them. */
  readonly library: string;
  /** Name of this machine, as the library gives it. */
  readonly host: string;
  /** Cost so far. */
  readonly traffic: Readonly<Traffic>;
  /** Waits until every rank has called it, however long that takes; asleep, where the other calls keep a core busy. */
  barrier(): Promise<void>;
  /** Overwrites the bytes with those of the rank `root`; 0 by default. */
  broadcast(data: ArrayBufferView, root?: number): void;
  /** Overwrites numbers with those of all ranks, reduced element by element; the sum by default. */
  allReduce(data: Float32Array | Float64Array, reduction?: Reduction): void;
  /** Sums like `allReduce`, beside whatever else this process does; `data` is in use until the promise is settled. */
  startAllReduce(data: Float32Array): Promise<void>;
  /** The bytes of all ranks in their order; all ranks must give as many. */
  allGather(data: ArrayBufferView): Uint8Array<ArrayBuffer>;
  /** Ends all ranks at once with a status that is not 0. */
  abort(status: number): never;
  /**
   * Leaves when every rank does; a second call does nothing. Not for `using` or `finally`: a rank that fails would wait
   * for the others here, while a process that ends without `close` ends them too.
   */
  close(): void;
}
