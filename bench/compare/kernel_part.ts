/**
 * The centroid weights and the loss part by part, beside PyTorch on the same GPU, or on the CPU for a software adapter;
 * the two take turns, size by size.
 *
 *     deno run -A bench/compare/kernel_part.ts [--python /usr/bin/python3] [n ...]
 *
 * Debian's PyTorch multiplies with the slow reference BLAS unless OpenBLAS is installed (libopenblas0-pthread).
 */
import { parseArgs } from "@std/cli";
import { fromFileUrl } from "@std/path";
import { backward, cholesky, Device, keep, key, rbfGram, requireGrad, uniform } from "../../mod.ts";
import { hatMatrix } from "../../src/ops/mod.ts";
import { decoupledUniformity } from "../../src/losses/mod.ts";
import { inScope } from "../_steps.ts";
import { short, table } from "../_table.ts";

const GAMMA = 1 / 200;
const RIDGE = 0.01;

const flags = parseArgs(Deno.args, { string: ["python"] });
const sizes = flags._.length > 0 ? flags._.map(Number) : [256, 1024, 2048];
const device = await Device.open();
const rows: string[][] = [];
let other = "";
for (const n of sizes) {
  const mine = await ours(n);
  const { device: name, ms } = await pytorch(n);
  other = name;
  for (const [part, time] of Object.entries(mine)) rows.push(rowOf(`${part}, n = ${n}`, time, ms[part]!));
  const all = (times: Record<string, number>) => Object.values(times).slice(0, 2).reduce((a, b) => a + b, 0);
  rows.push(rowOf(`centroid weights, n = ${n}`, all(mine), all(ms)));
}
console.log(`${device.info.description} beside ${other}; medians, ms\n`);
console.log(table(["part (prior 2048-d, embeddings 2 x 256-d)", "ours", "PyTorch", "ours / PyTorch"], rows));
device.close();

function rowOf(name: string, mine: number, theirs: number): string[] {
  return [name, short(mine), short(theirs), `${short(mine / theirs)}×`];
}

async function ours(n: number): Promise<Record<string, number>> {
  const prior = keep(uniform([n, 2048], { key: key(1) }));
  const z = requireGrad(keep(uniform([n, 2, 256], { key: key(2) })));
  const gram = keep(rbfGram(prior, prior, { gamma: GAMMA }));
  const weights = keep(hatMatrix(gram, { ridge: RIDGE }));
  const parts = {
    "Gram matrix": () => rbfGram(prior, prior, { gamma: GAMMA }),
    "weights from it": () => hatMatrix(gram, { ridge: RIDGE }),
    "of these its Cholesky factor": () => cholesky(gram, { ridge: RIDGE }),
    "loss forward + backward": () => {
      backward(decoupledUniformity(z, { weights }));
      z.grad?.dispose();
      z.grad = null;
    },
  };
  const times: Record<string, number> = {};
  for (const [name, run] of Object.entries(parts)) times[name] = await median(run);
  for (const each of [prior, z, gram, weights]) each.dispose();
  return times;
}

/** Milliseconds by timestamp queries, so that neither waiting nor recording counts. */
async function median(run: () => unknown): Promise<number> {
  inScope(run);
  const times = [];
  for (let i = 0; i < 7; i++) {
    device.startProfile();
    inScope(run);
    times.push((await device.stopProfile()).reduce((sum, { milliseconds }) => sum + milliseconds, 0));
  }
  return times.sort((a, b) => a - b)[3]!;
}

async function pytorch(n: number): Promise<{ device: string; ms: Record<string, number> }> {
  const script = fromFileUrl(new URL("kernel_part.py", import.meta.url));
  const command = new Deno.Command(flags.python ?? "python3", { args: [script, `${n}`], stderr: "inherit" });
  const { success, code, stdout } = await command.output();
  if (!success) throw new Error(`Cannot compare with PyTorch as kernel_part.py ended with status ${code}`);
  return JSON.parse(new TextDecoder().decode(stdout));
}
