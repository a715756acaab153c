import type { Communicator, Reduction, Traffic } from "./communicator.ts";
import { type MpiFamily, type MpiHandles, type MpiLibrary, openMpiLibrary } from "./mpi_library.ts";
import { withStartWatch } from "./start_watch.ts";

/** Level of thread support at which several threads may call MPI at once. */
const THREAD_MULTIPLE = 3;
/** Bytes of a text of MPI's: more than any library's version text or host name. */
const TEXT_BYTES = 8192;
/** Longest pause between two looks at whether the other ranks have come, ms. */
const LONGEST_PAUSE = 32;

/** The processes that an MPI launcher started. One a process; MPI cannot be opened again once it was closed. */
export class Mpi implements Communicator {
  readonly rank: number;
  readonly size: number;
  readonly library: string;
  readonly host: string;
  readonly traffic: Traffic = { calls: 0, bytes: 0, milliseconds: 0 };
  #mpi: MpiLibrary["functions"];
  #handles: MpiHandles;
  #closed = false;
  static #started = false;

  /** Whether this process has joined others, or tried to. */
  static get started(): boolean {
    return Mpi.#started;
  }

  /**
   * Joins the other processes.
   *
   * @param families Libraries to try, in this order.
   * @throws {Error} If there is no MPI library, or it does not support threads.
   */
  constructor(families: readonly MpiFamily[]) {
    const { functions, handles, path } = openMpiLibrary(families);
    this.#mpi = functions;
    this.#handles = handles;
    const provided = number();
    Mpi.#started = true;
    const start = () => functions.MPI_Init_thread(null, null, THREAD_MULTIPLE, provided);
    this.#check("MPI_Init_thread", withStartWatch(start));
    if (provided[0]! < THREAD_MULTIPLE) {
      throw new Error(`Cannot use MPI of "${path}" as it must support MPI_THREAD_MULTIPLE: got level ${provided[0]}`);
    }
    const [rank, size] = [number(), number()];
    this.#check("MPI_Comm_rank", functions.MPI_Comm_rank(handles.world, rank));
    this.#check("MPI_Comm_size", functions.MPI_Comm_size(handles.world, size));
    [this.rank, this.size] = [rank[0]!, size[0]!];
    this.library = text((chars, length) => functions.MPI_Get_library_version(chars, length));
    this.host = text((chars, length) => functions.MPI_Get_processor_name(chars, length));
    // A process that ends without close(), by Deno.exit() or an error that nobody caught, takes the others with it.
    globalThis.addEventListener("beforeunload", () => this.close());
    globalThis.addEventListener("unload", () => this.#closed || this.#mpi.MPI_Abort(handles.world, 1));
  }

  async barrier(): Promise<void> {
    const request = new Uint8Array(new ArrayBuffer(8));
    this.#call("MPI_Ibarrier", 0, (mpi, { world }) => mpi.MPI_Ibarrier(world, request));
    const done = number();
    for (let pause = 1;; pause = Math.min(2 * pause, LONGEST_PAUSE)) {
      this.#check("MPI_Test", this.#mpi.MPI_Test(request, done, this.#handles.noStatus));
      if (done[0]) return;
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }

  broadcast(data: ArrayBufferView, root = 0): void {
    const bytes = bytesOf(data);
    const sent = this.rank === root ? bytes.length : 0;
    this.#call("MPI_Bcast", sent, (mpi, { byte, world }) => mpi.MPI_Bcast(bytes, count(bytes), byte, root, world));
  }

  allReduce(data: Float32Array | Float64Array, reduction: Reduction = "sum"): void {
    const bytes = bytesOf(data);
    this.#call("MPI_Allreduce", bytes.length, (mpi, handles) => {
      const type = data instanceof Float32Array ? handles.float : handles.double;
      return mpi.MPI_Allreduce(handles.inPlace, bytes, count(data), type, handles[reduction], handles.world);
    });
  }

  async startAllReduce(data: Float32Array): Promise<void> {
    const request = new Uint8Array(new ArrayBuffer(8));
    this.#call(
      "MPI_Iallreduce",
      data.byteLength,
      (mpi, { inPlace, float, sum, world }) =>
        mpi.MPI_Iallreduce(inPlace, bytesOf(data), count(data), float, sum, world, request),
    );
    this.#check("MPI_Wait", await this.#mpi.MPI_Wait(request, this.#handles.noStatus));
  }

  allGather(data: ArrayBufferView): Uint8Array<ArrayBuffer> {
    const bytes = bytesOf(data);
    const all = new Uint8Array(new ArrayBuffer(bytes.length * this.size));
    this.#call(
      "MPI_Allgather",
      bytes.length,
      (mpi, { byte, world }) => mpi.MPI_Allgather(bytes, count(bytes), byte, all, bytes.length, byte, world),
    );
    return all;
  }

  abort(status: number): never {
    this.#mpi.MPI_Abort(this.#handles.world, status);
    this.#closed = true;
    Deno.exit(status);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#check("MPI_Finalize", this.#mpi.MPI_Finalize());
  }

  #call(name: string, bytes: number, call: (mpi: MpiLibrary["functions"], handles: MpiHandles) => number): void {
    if (this.#closed) throw new Error(`Cannot call ${name}() as the communicator is closed`);
    const start = performance.now();
    this.#check(name, call(this.#mpi, this.#handles));
    this.traffic.calls++;
    this.traffic.bytes += bytes;
    this.traffic.milliseconds += performance.now() - start;
  }

  #check(name: string, status: number): void {
    if (status !== 0) throw new Error(`Cannot go on as ${name}() failed: got status ${status}`);
  }
}

function number(): Int32Array<ArrayBuffer> {
  return new Int32Array(new ArrayBuffer(4));
}

function bytesOf(data: ArrayBufferView): Uint8Array<ArrayBuffer> {
  return new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
}

/** Elements, which MPI counts in 31 bits. */
function count({ length }: { readonly length: number }): number {
  if (length < 2 ** 31) return length;
  throw new RangeError(`Cannot send an array at once as it must have fewer than 2^31 elements: got ${length}`);
}

function text(read: (chars: Uint8Array<ArrayBuffer>, length: Int32Array<ArrayBuffer>) => number): string {
  const chars = new Uint8Array(new ArrayBuffer(TEXT_BYTES));
  const length = number();
  read(chars, length);
  return new TextDecoder().decode(chars.subarray(0, length[0])).replace(/\0.*/s, "").split("\n")[0]!.trim();
}
