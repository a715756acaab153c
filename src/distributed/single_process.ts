import type { Communicator, Traffic } from "./communicator.ts";

/** One process alone: every collective gives back what was given. */
export class SingleProcess implements Communicator {
  /** Rank of this process: 0. */
  readonly rank = 0;
  /** Number of processes: 1. */
  readonly size = 1;
  /** Note that there is no MPI library. */
  readonly library = "one process, no MPI";
  /** Name of this machine. */
  readonly host = "localhost";
  /** Traffic of no calls. */
  readonly traffic: Readonly<Traffic> = { calls: 0, bytes: 0, milliseconds: 0 };

  /** Returns without waiting. */
  barrier(): Promise<void> {
    return Promise.resolve();
  }

  /** Leaves the bytes as they are. */
  broadcast(): void {}

  /** Leaves the numbers as they are. */
  allReduce(): void {}

  /** Leaves the numbers as they are. */
  startAllReduce(): Promise<void> {
    return Promise.resolve();
  }

  /** A copy of the bytes. */
  allGather(data: ArrayBufferView): Uint8Array<ArrayBuffer> {
    return new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();
  }

  /** Ends the process. */
  abort(status: number): never {
    Deno.exit(status);
  }

  /** Closes nothing, as there is nothing to close. */
  close(): void {}
}

/** The group that options name; without one, this process alone: a group of one rank. */
export function groupOf({ group }: { readonly group?: Communicator }): Communicator {
  return group ?? new SingleProcess();
}
