/**
 * Table of everything that is compared with PyTorch on a GPU, checked and then timed, as one table. Needs neither npm
 * nor network.
 *
 *     deno run -A bench/gpu.ts                # sizes of a GPU; tunes first, TUNE=0 keeps to the table of forms
 *     deno run -A bench/gpu.ts --pytorch      # and the same in PyTorch on the same GPU, joined, with torchvision's views
 *     deno run -A bench/gpu.ts --small        # small sizes, to try the program; what a software adapter runs anyway
 *     deno run -A bench/gpu.ts --full         # a GPU's sizes even on a software adapter
 *     deno run -A bench/gpu.ts --only matmul  # the lines whose name holds a word
 *
 * `--python PATH` names the interpreter (python3), `--workers N` torchvision's processes (all cores), `--json FILE` keeps
 * the figures. `host ms` is the time that JavaScript needs to record a run; the GPU works meanwhile.
 */
import { parseArgs } from "@std/cli";
import { Device } from "../mod.ts";
import { wantsTuning } from "../src/jobs/tuning.ts";
import { ceilings } from "./_ceilings.ts";
import { type GpuCase, gpuCases } from "./_gpu_cases.ts";
import { joinedTable, type Line, type OursReport, oursTable } from "./_gpu_report.ts";
import { runPyTorch } from "./_pytorch.ts";
import { inScope } from "./_steps.ts";
import { trace } from "./_trace.ts";
import { Tuned } from "./_tuned.ts";
import { workOf } from "./_work.ts";

const flags = parseArgs(Deno.args, {
  boolean: ["small", "full", "pytorch"],
  string: ["only", "python", "workers", "json"],
});
const device = await Device.open();
const small = flags.small || device.info.family === "cpu" && !flags.full;
const tuned = wantsTuning(device.info.family) ? new Tuned(device) : null;
const ours = await measure();
device.close();
if (flags.json) await Deno.writeTextFile(flags.json, JSON.stringify(ours, null, 2));
if (flags.pytorch) {
  const python = flags.python ?? "python3";
  const workers = Number(flags.workers ?? navigator.hardwareConcurrency);
  const pytorch = await runPyTorch({ python, workers, small, only: flags.only });
  console.log(`\n${pytorch.device}; PyTorch ${pytorch.version}; torchvision with ${workers} processes\n`);
  console.log(joinedTable(ours, pytorch));
} else console.log(`\n${oursTable(ours)}`);
if (tuned) console.log(`\n${tuned.lines().join("\n")}`);

async function measure(): Promise<OursReport> {
  const { gigaflops, gigabytes } = await ceilings(device);
  const date = new Date().toISOString().slice(0, 10);
  console.log(`${device.info.description}; ${date}; f32${small ? "; small sizes" : ""}`);
  console.log(`ceilings: ${gigaflops.toFixed(0)} GFLOP/s (FMA), ${gigabytes.toFixed(1)} GB/s (copy)`);
  const lines: Line[] = [];
  const cases = gpuCases(small, device.features.has("shader-f16"));
  for (const each of cases.filter(({ name }) => name.includes(flags.only ?? ""))) {
    console.error(`  ${each.name}`);
    lines.push(await lineOf(each));
    device.trim();
  }
  return { device: device.info.description, date, gigaflops, gigabytes, lines };
}

async function lineOf({ name, images, counted, prepare }: GpuCase): Promise<Line> {
  const { run, parameters, dispose } = await prepare(device);
  const once = () => void inScope(run);
  const flop = trace(device, once).reduce((total, op) => total + workOf(op, parameters).flop, 0);
  await tuned?.add(once);
  const { ms, hostMs } = await time(once);
  const peakMB = device.memory.peak / 1e6;
  dispose();
  return { name, ms, hostMs, gflop: counted ? flop / 1e9 : 0, images, peakMB };
}

/** Milliseconds of a run when many follow each other, and of the host's part; the median of five batches of runs. */
async function time(run: () => void): Promise<{ ms: number; hostMs: number }> {
  for (let i = 0; i < 3; i++) run(); // a compiled step is recorded by its first runs
  await device.done();
  device.resetPeakMemory();
  const once = await elapsed(1);
  const count = Math.max(1, Math.min(200, Math.ceil((small ? 100 : 400) / once.total)));
  const batches = [];
  for (let i = 0; i < 5; i++) batches.push(await elapsed(count));
  batches.sort((a, b) => a.total - b.total);
  return { ms: batches[2]!.total / count, hostMs: batches[2]!.host / count };

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
