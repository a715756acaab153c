import { parseDecimal } from "../formats/internal.ts";

/** Longest wait of the ranks for each other to start, s, where `MPI_START_SECONDS` does not say. */
const START_SECONDS = 30;

/**
 * Ends this process when what it waits for takes too long: a rank that ended before MPI began there leaves the others
 * waiting for ever in some libraries (MPICH; OpenMPI, when its status is 0).
 *
 * @param start Starts MPI; it blocks.
 * @param env Environment; that of the process by default.
 * @throws {RangeError} If `MPI_START_SECONDS` is no positive number.
 */
export function withStartWatch<T>(
  start: () => T,
  env: (name: string) => string | undefined = (name) => Deno.env.get(name),
): T {
  const seconds = startSeconds(env);
  const worker = new Worker(new URL("./_start_watch_worker.ts", import.meta.url), { type: "module" });
  try {
    const message = `error: Cannot start MPI as other ranks did not come within ${seconds} s: did one end before? ` +
      "(MPI_START_SECONDS waits longer)";
    worker.postMessage({ seconds, message });
    return start();
  } finally {
    worker.terminate();
  }
}

function startSeconds(env: (name: string) => string | undefined): number {
  const text = env("MPI_START_SECONDS");
  const seconds = text === undefined ? START_SECONDS : parseDecimal(text) ?? NaN;
  if (seconds > 0 && seconds < 2 ** 21) return seconds;
  throw new RangeError(`Cannot start MPI as MPI_START_SECONDS must be a positive number of seconds: got "${text}"`);
}
