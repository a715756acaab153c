/**
 * Times this library beside TensorFlow.js and jax-js on the same adapter: one process, runs interleaved, medians; a
 * result that differs from ours is said so and not timed.
 *
 *     deno run -A bench/compare/peers.ts [case ...]
 *     deno run -A bench/compare/peers.ts --step [--peers jax-js] [--runs 3]
 *
 * Needs npm for the two peers. `deno run -A bench/compare/peers.ts matmul512 rbf` runs two cases only; `--step` the
 * training step of a ResNet-18 (CIFAR stem, 16 images), from the same weights on the same images: the losses of three
 * steps must agree first.
 */
import { parseArgs } from "@std/cli";
import { Device } from "../../mod.ts";
import { type CaseId, CASES, type Peer } from "./cases.ts";
import { jaxJs } from "./jax_js.ts";
import { jaxJsTrainer } from "./jax_js_step.ts";
import { ours } from "./ours.ts";
import { oursTrainer } from "./ours_step.ts";
import { STEP, type Trainer } from "./resnet18.ts";
import { tfjs } from "./tfjs.ts";
import { tfjsTrainer } from "./tfjs_step.ts";

/** Relative tolerance of two libraries' checksums. */
const AGREE = 1e-3;
/** Relative tolerances of the losses of their first three steps: an update multiplies differences of rounding. */
const AGREE_LOSSES = [1e-4, 1e-3, 1e-2];

const flags = parseArgs(Deno.args, { boolean: ["step"], string: ["peers", "runs"] });
if (flags.step) await compareSteps();
else await compareCases((flags._.length > 0 ? flags._ : Object.keys(CASES)) as CaseId[]);
Deno.exit(0);

async function compareCases(wanted: readonly CaseId[]): Promise<void> {
  const peers = [await ours(), await tfjs(), await jaxJs()];
  printHead(peers);
  for (const id of wanted) await compare(peers, id);
}

async function compare(peers: readonly Peer[], id: CaseId): Promise<void> {
  const { name, gflop, runs, repeat } = CASES[id];
  const expected = await peers[0]!.cases[id]!();
  const agreeing = [];
  for (const peer of peers) if (await agrees(peer, id, expected)) agreeing.push(peer);
  const times = await interleaved(agreeing, runs, async (peer) => {
    await Promise.all(Array.from({ length: repeat }, () => peer.cases[id]!()));
  });
  printLine(name, peers.map((peer) => times.has(peer) ? times.get(peer)! / repeat : null), gflop);
}

async function compareSteps(): Promise<void> {
  const { trainer, arrays } = await oursTrainer();
  const wanted = (flags.peers ?? "tfjs,jax-js").split(",");
  const peers = [
    trainer,
    ...(wanted.includes("tfjs") ? [await tfjsTrainer(arrays)] : []),
    ...(wanted.includes("jax-js") ? [await jaxJsTrainer(arrays)] : []),
  ];
  printHead(peers);
  const expected = await firstLosses(trainer);
  const agreeing: Trainer[] = [trainer];
  for (const peer of peers.slice(1)) {
    const losses = await firstLosses(peer);
    const agree = losses.every((loss, i) => Math.abs(loss - expected[i]!) <= AGREE_LOSSES[i]! * Math.abs(expected[i]!));
    if (agree) agreeing.push(peer);
    console.log(
      `  losses of ${peer.name}: ${losses.join(", ")}; ours: ${expected.join(", ")}${agree ? "" : ": wrong"}`,
    );
  }
  const times = await interleaved(agreeing, Number(flags.runs ?? 3), (peer) => peer.step());
  const name = `ResNet-18 (CIFAR stem) training step, ${STEP.images} images`;
  printLine(name, peers.map((peer) => times.get(peer) ?? null), STEP.gflop);
}

async function firstLosses({ step }: Trainer): Promise<number[]> {
  const losses = [];
  for (let i = 0; i < AGREE_LOSSES.length; i++) losses.push(await step());
  return losses;
}

async function agrees(peer: Peer, id: CaseId, expected: number): Promise<boolean> {
  try {
    const got = await peer.cases[id]!();
    await peer.cases[id]!();
    if (Math.abs(got - expected) <= AGREE * Math.abs(expected)) return true;
    console.log(`  ${peer.name} gives another result for ${id}: checksum ${got}, ours ${expected}`);
  } catch (error) {
    console.log(`  ${peer.name} fails on ${id}: ${error instanceof Error ? error.message.split("\n")[0] : error}`);
  }
  return false;
}

/** Median milliseconds of each, one run of every one after the other. */
async function interleaved<P>(peers: readonly P[], runs: number, run: (peer: P) => Promise<unknown>) {
  const times = new Map<P, number[]>(peers.map((peer) => [peer, []]));
  for (let i = 0; i < runs; i++) {
    for (const [peer, list] of times) {
      const start = performance.now();
      await run(peer);
      list.push(performance.now() - start);
    }
  }
  return new Map([...times].map(([peer, list]) => [peer, median(list)]));
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)]!;
}

function printHead(peers: readonly { readonly name: string }[]): void {
  console.log(`${Device.current.info.description}; median of interleaved runs, milliseconds`);
  console.log(`${"".padEnd(58)}${peers.map(({ name }) => name.padStart(14)).join("")}    ours against the better`);
}

/** Ours first; null where a result was wrong. */
function printLine(name: string, times: readonly (number | null)[], gflop: number): void {
  const cells = times.map((time) => (time === null ? "wrong" : time.toFixed(1)).padStart(14));
  const [mine, ...others] = times.map((time) => time ?? Infinity);
  const rate = gflop > 0 ? ` (${(1000 * gflop / mine!).toFixed(1)} GFLOP/s)` : "";
  console.log(`${name.padEnd(58)}${cells.join("")}    ${(Math.min(...others) / mine!).toFixed(1)} x${rate}`);
}
