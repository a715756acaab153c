import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { intervalCell, leaderboard } from "../../examples/_compare/leaderboard.ts";
import { ARM_MEASURES, type ArmMeasure } from "../../examples/_compare/arms.ts";
import { type Intervals, intervalsIn, outside } from "../../examples/_compare/short_line.ts";
import { checkBenchmark, CHECKSUMS, checksumsOf } from "../../examples/_quickstart/checksums.ts";
import { splitEmoji, VENDORS } from "../../examples/_quickstart/data.ts";
import type { QueryScores } from "../../examples/_quickstart/evaluate.ts";
import { loadEmoji } from "../../src/data/mod.ts";

const ALL = Object.fromEntries(ARM_MEASURES.map(([key]) => [key, [0.2, 0.4]])) as unknown as Intervals;

Deno.test("the emoji are the benchmark's, and one other pixel or another split is found", async () => {
  const emoji = await loadEmoji({ vendors: VENDORS });
  const split = splitEmoji(emoji.length);
  checkBenchmark(await checksumsOf(emoji, split));
  const swapped = { ...split, test: split.validation };
  const found = await checksumsOf(emoji, swapped);
  assertThrows(
    () => checkBenchmark(found),
    TypeError,
    `Cannot load emoji-32 v1 as its test must have the checksum ${CHECKSUMS.test}: got ${CHECKSUMS.validation}`,
  );
  emoji.pixels.google[12345]! ^= 1;
  const damaged = await checksumsOf(emoji, split);
  assertThrows(() => checkBenchmark(damaged), TypeError, "as its google must have the checksum");
});

Deno.test("leaderboard() has a line for each method, with its interval, seconds and commit", () => {
  const hits = Float64Array.from({ length: 100 }, (_, i) => Number(i % 2));
  const run = Object.fromEntries(ARM_MEASURES.map(([key]) => [key, hits])) as QueryScores<ArmMeasure>;
  const line = { name: "mine", seeds: [0, 1], runs: [run, run], seconds: 61.6, commit: "abc1234" };
  const [header, , row] = leaderboard([line], Uint32Array.from(hits.keys())).split("\n");
  assertMatch(header!, /^\| method \| seeds \| category, linear \|/);
  assertMatch(row!, /^\| mine \| 2 \| (0\.500 ± \.\d{3} \| ){6}62 \| abc1234 \|$/);
  const half = Number(intervalCell([hits], hits.keys().toArray()).split(" ± ")[1]);
  assert(Math.abs(half - 1.96 * 0.5 / 10) < 0.015, `${half}`);
});

Deno.test("outside() names what leaves its interval, and what is no number", () => {
  const means = Object.fromEntries(ARM_MEASURES.map(([key]) => [key, 0.4]));
  assertEquals(outside(means, ALL), []);
  assertEquals(outside({ ...means, top1: 0.41, keyword: NaN }, ALL), [
    "Cannot confirm keyword in common, 10-NN as it must be in [0.200, 0.400]: got NaN",
    "Cannot confirm same emoji, top-1 as it must be in [0.200, 0.400]: got 0.410",
  ]);
});

Deno.test("intervalsIn() reads the line of docs/results.md, and says when there is none", async () => {
  const page = await Deno.readTextFile(new URL("../../docs/results.md", import.meta.url));
  for (const [low, high] of Object.values(intervalsIn(page))) assert(low < high && low >= 0 && high <= 1);
  assertEquals(intervalsIn(`a\n<!-- short_line ${JSON.stringify(ALL)} -->\n`), ALL);
  for (const wrong of ["", "<!-- short_line {} -->", `<!-- short_line ${JSON.stringify({ ...ALL, top1: [1] })} -->`]) {
    assertThrows(() => intervalsIn(wrong), SyntaxError, "must hold the short line with its intervals: got none");
  }
});
