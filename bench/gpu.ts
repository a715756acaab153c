/**
 * Everything that is compared with PyTorch on a GPU, checked and then timed, as one table. Needs neither npm nor network.
 *
 *     deno run -A bench/gpu.ts            # sizes of a GPU; tunes first, TUNE=0 keeps to the table of variants
 *     deno run -A bench/gpu.ts --small    # small sizes, to try the program on a software adapter
 *     python3 bench/compare/pytorch_step.py     # the same lines in PyTorch on the same GPU
 */
import { Device } from "../mod.ts";
import { ceilings } from "./_ceilings.ts";
import { gpuCases } from "./_gpu_cases.ts";
import { Tuned } from "./_tuned.ts";
import { wantsTuning } from "../src/train/mod.ts";

const device = await Device.open();
const small = Deno.args.includes("--small") || device.info.family === "cpu";
const tuned = wantsTuning(device.info.family) ? new Tuned(device) : null;
const limits = await ceilings(device);
console.log(`${device.info.description}; ${new Date().toISOString().slice(0, 10)}; f32${small ? "; small sizes" : ""}`);
console.log(`ceilings: ${limits.gigaflops.toFixed(0)} GFLOP/s (FMA), ${limits.gigabytes.toFixed(1)} GB/s (copy)\n`);
console.log("| work | ms | host ms | GFLOP/s | of the ceiling | images/s | peak MB |");
console.log("| --- | ---: | ---: | ---: | ---: | ---: | ---: |");
for (const { name, gflop, images, prepare } of gpuCases(small)) {
  const { run, dispose } = await prepare(device);
  await tuned?.add(run);
  const { milliseconds, host } = await time(run);
  dispose();
  const rate = gflop / milliseconds * 1000;
  const cells = [
    name,
    milliseconds.toFixed(3),
    host.toFixed(3),
    gflop > 0 ? rate.toFixed(0) : "",
    gflop > 0 ? `${(100 * rate / limits.gigaflops).toFixed(0)} %` : "",
    images > 0 ? (1000 * images / milliseconds).toFixed(0) : "",
    (device.memory.peak / 1e6).toFixed(0),
  ];
  console.log(`| ${cells.join(" | ")} |`);
  device.trim();
}
for (const line of tuned?.lines() ?? []) console.log(line);
device.close();

/** Milliseconds of a run when many follow each other, and of the host's part; the median of five batches of runs. */
async function time(run: () => void): Promise<{ milliseconds: number; host: number }> {
  device.resetPeakMemory();
  run();
  await device.done();
  const once = await elapsed(1);
  const count = Math.max(1, Math.min(200, Math.ceil((small ? 100 : 400) / once.total)));
  const batches = [];
  for (let i = 0; i < 5; i++) batches.push(await elapsed(count));
  batches.sort((a, b) => a.total - b.total);
  return { milliseconds: batches[2]!.total / count, host: batches[2]!.host / count };

  async function elapsed(runs: number): Promise<{ total: number; host: number }> {
    const start = performance.now();
    for (let i = 0; i < runs; i++) {
      run();
      device.flush();
    }
    const host = performance.now() - start;
    await device.done();
    return { total: performance.now() - start, host };
  }
}
