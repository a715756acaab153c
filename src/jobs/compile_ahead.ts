import process from "node:process";
import type { Device } from "../device/mod.ts";
import { compilePlans, type PipelinePlan, plansOf } from "../device/internal.ts";
import { checkOptions } from "../tensor/internal.ts";
import type { CompileReply } from "./_compile_worker.ts";

/** Shaders that are tried at once at most, before it is known whether they must be compiled. */
const LOT = 8;
/** Workers at most: each holds a device. */
const MOST_WORKERS = 8;

/** Options of {@linkcode compileAhead}. */
export interface CompileAheadOptions {
  /** Callback with the shaders that are compiled, of all that are needed, where compiling takes long. */
  onProgress?: (done: number, total: number) => void;
  /** Workers that compile; the processors, at most 8, by default. */
  workers?: number;
  /** Milliseconds of the processor that eight shaders take at most which were compiled before; 250 by default. */
  warm?: number;
}

/**
 * Compiles the shaders of what was recorded and did not run yet, side by side in Workers, each with a device of its own:
 * they fill the driver's cache on the disk, where this device then finds them. For software adapters, which compile a
 * shader where it is run first, one after the other; others do it when a step is recorded. Where the driver's cache has
 * the shaders, that is found within some hundredths of a second, and no Worker is started.
 *
 * @returns Shaders that Workers compiled.
 * @throws {Error} If a Worker fails.
 */
export async function compileAhead(device: Device, options: CompileAheadOptions = {}): Promise<number> {
  checkOptions("run compileAhead()", options, ["onProgress", "workers", "warm"]);
  if (device.info.family !== "cpu") return 0;
  const plans = plansOf(device.pipelines);
  const { onProgress, workers = Math.min(navigator.hardwareConcurrency, MOST_WORKERS), warm = 250 } = options;
  const missing = await skipWarm(device, plans, warm);
  if (missing.length === 0) return 0;
  let done = plans.length - missing.length;
  const told = () => onProgress?.(done++, plans.length);
  told();
  const queue = [...missing]; // its end, the longest, first: so all Workers end at about the same time
  await Promise.all(Array.from({ length: Math.min(workers, queue.length) }, () => compileIn(queue, told)));
  return missing.length;
}

/** Leaves out what the driver has compiled before: a lot that takes long tells that the rest is not there. */
async function skipWarm(
  { pipelines }: Device,
  plans: readonly PipelinePlan[],
  warm: number,
): Promise<readonly PipelinePlan[]> {
  for (let from = 0, lot = 1; from < plans.length; from += lot, lot = Math.min(2 * lot, LOT)) {
    if (await timeOf(pipelines, plans.slice(from, from + lot)) > warm) return plans.slice(from + lot);
  }
  return [];
}

/** Milliseconds of compiling: by the clock or of the processor, as other processes lengthen the one and Workers the other. */
async function timeOf(pipelines: Device["pipelines"], plans: readonly PipelinePlan[]): Promise<number> {
  const [start, before] = [performance.now(), process.cpuUsage()];
  await compilePlans(pipelines, plans);
  const { user, system } = process.cpuUsage(before);
  return Math.min(performance.now() - start, (user + system) / 1000);
}

/** Compiles in a Worker, from the end of a queue, until nothing is left. */
function compileIn(queue: PipelinePlan[], told: () => void): Promise<void> {
  const worker = new Worker(new URL("./_compile_worker.ts", import.meta.url), { type: "module" });
  const ended = Promise.withResolvers<void>();
  const fail = (reason: string) => ended.reject(new Error(`Cannot compile shaders as a worker failed: ${reason}`));
  let busy = false;
  worker.onmessage = ({ data: { failed } }: MessageEvent<CompileReply>) => {
    if (failed !== undefined) return fail(failed);
    if (busy) told();
    const next = queue.pop();
    if (!next) return ended.resolve();
    busy = true;
    worker.postMessage(next);
  };
  worker.onerror = (event) => {
    event.preventDefault();
    fail(event.message);
  };
  return ended.promise.finally(() => worker.terminate());
}
