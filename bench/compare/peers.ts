/**
 * Times this library beside TensorFlow.js and jax-js on the same adapter: one process, runs interleaved, medians; a
 * result that differs from ours is said so and not timed.
 *
 *     deno run -A bench/compare/peers.ts [case ...]
 *
 * Needs npm for the two peers. `deno run -A bench/compare/peers.ts matmul512 rbf` runs two cases only.
 */
import { Device } from "../../mod.ts";
import { type CaseId, CASES, type Peer } from "./cases.ts";
import { jaxJs } from "./jax_js.ts";
import { ours } from "./ours.ts";
import { tfjs } from "./tfjs.ts";

/** How far two libraries' checksums may be apart, relatively. */
const AGREE = 1e-3;

const peers: Peer[] = [await ours(), await tfjs(), await jaxJs()];
const wanted = (Deno.args.length > 0 ? Deno.args : Object.keys(CASES)) as CaseId[];
console.log(`${Device.current.info.description}; median of interleaved runs, milliseconds`);
console.log(`${"".padEnd(58)}${peers.map(({ name }) => name.padStart(14)).join("")}    ours against the better`);
for (const id of wanted) await compare(id);
Deno.exit(0);

async function compare(id: CaseId): Promise<void> {
  const { name, gflop, runs, repeat } = CASES[id];
  const expected = await peers[0]!.cases[id]!();
  const cells: string[] = [];
  const times = new Map<Peer, number[]>();
  for (const peer of peers) if (await agrees(peer, id, expected)) times.set(peer, []);
  for (let run = 0; run < runs; run++) {
    for (const [peer, list] of times) {
      const start = performance.now();
      await Promise.all(Array.from({ length: repeat }, () => peer.cases[id]!()));
      list.push((performance.now() - start) / repeat);
    }
  }
  for (const peer of peers) cells.push((times.has(peer) ? median(times.get(peer)!).toFixed(1) : "wrong").padStart(14));
  const [mine, ...others] = peers.map((peer) => times.has(peer) ? median(times.get(peer)!) : Infinity);
  const rate = gflop > 0 ? ` (${(1000 * gflop / mine!).toFixed(1)} GFLOP/s)` : "";
  console.log(`${name.padEnd(58)}${cells.join("")}    ${(Math.min(...others) / mine!).toFixed(1)} x${rate}`);
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

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)]!;
}
