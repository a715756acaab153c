import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { meanInterval, pairedDifference } from "../../src/eval/mod.ts";
import { studentBound } from "../../src/eval/_student.ts";
import { formula } from "../fixtures/formula.ts";

/** Hits of `n` queries, a share of them 1, in no order. */
function hits(n: number, share: number, name = "hits"): number[] {
  const order = Array.from(formula(name, [n]), (v, i) => [v, i] as const).sort(([a], [b]) => a - b);
  const out = new Array<number>(n).fill(0);
  for (const [, i] of order.slice(0, Math.round(share * n))) out[i] = 1;
  return out;
}

const width = ({ low, high }: { low: number; high: number }) => high - low;

Deno.test("studentBound() has the values of the printed tables", () => {
  const table = [[1, 12.7062], [2, 4.30265], [3, 3.18245], [4, 2.77645], [9, 2.26216], [10, 2.22814], [30, 2.04227]];
  for (const [degrees, bound] of table) assertAlmostEquals(studentBound(0.95, degrees!), bound!, 1e-4);
  assertAlmostEquals(studentBound(0.99, 4), 4.60409, 1e-4);
});

Deno.test("meanInterval() of one seed is as wide as the binomial says", () => {
  const found = meanInterval([hits(400, 0.5)]);
  assertEquals([found.mean, found.units, found.seeds], [0.5, 400, 1]);
  assertAlmostEquals(width(found), 2 * 1.96 * 0.5 / 20, 0.01); // 0.098
  assertAlmostEquals(width(meanInterval([hits(400, 0.5)], { level: 0.9 })), 2 * 1.645 * 0.5 / 20, 0.01);
  assertEquals(meanInterval([hits(400, 0.5)]), found, "repeats with its seed");
  assert(meanInterval([hits(400, 0.5)], { seed: 1 }).low !== found.low);
});

Deno.test("meanInterval() draws the queries of a group together", () => {
  const once = hits(200, 0.3);
  const twice = [...once, ...once];
  const groups = twice.map((_, i) => i % 200);
  const [alone, together, apart] = [[once], [twice], [twice]].map((scores, i) =>
    width(meanInterval(scores, i === 1 ? { groups } : {}))
  );
  assertAlmostEquals(together!, alone!, 1e-12, "a second look at the same thing adds nothing");
  assertAlmostEquals(apart! * Math.SQRT2, alone!, 0.015);
});

Deno.test("meanInterval() weighs groups by their queries", () => {
  const { mean, low, high } = meanInterval([[1, 1, 1, 0]], { groups: [7, 7, 7, 3] });
  assertEquals([mean, low, high], [0.75, 0, 1]); // draws: both alike, or the mean of 3 ones and a zero
});

Deno.test("meanInterval() over seeds is Student's where all queries agree", () => {
  const { mean, low, high } = meanInterval([0.1, 0.2, 0.3].map((score) => new Array<number>(20).fill(score)));
  assertAlmostEquals(mean, 0.2, 1e-12);
  assertAlmostEquals(high - mean, 4.30265 * 0.1 / Math.sqrt(3), 1e-5);
  assertAlmostEquals(mean - low, high - mean, 1e-12);
});

Deno.test("meanInterval() adds the two half widths as the root of the sum of squares", () => {
  const rows = [hits(200, 0.4, "a"), hits(200, 0.6, "b")];
  const { mean, low, high } = meanInterval(rows);
  const queries = meanInterval([rows[0]!.map((score, i) => (score + rows[1]![i]!) / 2)]);
  const seeds = 12.7062 * 0.1; // deviation 0.1414, over the root of 2
  assertAlmostEquals(high - mean, Math.hypot(queries.high - mean, seeds), 1e-4);
  assertAlmostEquals(mean - low, Math.hypot(mean - queries.low, seeds), 1e-4);
});

Deno.test("pairedDifference() sees what the two have in common", () => {
  const before = hits(300, 0.5);
  let changed = 0;
  const after = before.map((hit) => hit === 0 && changed++ < 12 ? 1 : hit);
  const found = pairedDifference([after], [before]);
  assertAlmostEquals(found.mean, 0.04, 1e-12);
  assertEquals(found.verdict, "better");
  assertAlmostEquals(width(found), 2 * 1.96 * Math.sqrt(0.04 * 0.96 / 300), 0.006);
  assertEquals(pairedDifference([before], [after]).verdict, "worse");
  const unpaired = pairedDifference([after.toReversed()], [before]);
  assertAlmostEquals(unpaired.mean, 0.04, 1e-12);
  assertEquals(unpaired.verdict, "not told apart");
});

Deno.test("pairedDifference() tells two that are the same not apart, and needs seeds that agree", () => {
  const [a, b, c] = ["a", "b", "c"].map((name) => hits(300, 0.5, name)) as [number[], number[], number[]];
  const same = pairedDifference([a, b], [a, b]);
  assertEquals([same.mean, same.low, same.high, same.verdict], [0, 0, 0, "not told apart"]);
  const more = (row: number[], by: number) => row.map((hit, i) => i < by * 300 ? hit + 1 : hit);
  const agree = pairedDifference([more(a, 0.1), more(b, 0.1), more(c, 0.11)], [a, b, c]);
  assertEquals(agree.verdict, "better");
  const split = pairedDifference([more(a, 0.3), more(b, 0), more(c, 0.01)], [a, b, c]);
  assertEquals(split.verdict, "not told apart", "one lucky seed");
});

Deno.test("95 % of the intervals hold the mean that scores were drawn with", () => {
  let held = 0;
  for (let trial = 0; trial < 200; trial++) {
    const noise = formula(`trial ${trial}`, [3 * 60 + 60 + 3]); // uniform in ±1
    const scores = [0, 1, 2].map((seed) =>
      Array.from({ length: 60 }, (_, i) => noise[seed * 60 + i]! + noise[180 + i]! / 2 + noise[240 + seed]! / 4)
    );
    const { low, high } = meanInterval(scores, { samples: 200, seed: trial });
    held += Number(low <= 0 && 0 <= high);
  }
  assert(held >= 184, `${held} of 200`); // 190 expected, or more: what both parts see is counted twice
});

Deno.test("intervals say what is wrong with their input", () => {
  const cases: [() => unknown, new () => Error, string][] = [
    [() => meanInterval([]), RangeError, "Cannot compute meanInterval() as there must be a seed: got none"],
    [
      () => meanInterval([[1]]),
      RangeError,
      "Cannot compute meanInterval() as there must be two queries or groups at least: got 1",
    ],
    [
      () => meanInterval([[1, 0]], { groups: [5, 5] }),
      RangeError,
      "Cannot compute meanInterval() as there must be two queries or groups at least: got 1",
    ],
    [
      () => meanInterval([[1, 0], [1]]),
      TypeError,
      "Cannot compute meanInterval() as all seeds must have the same queries: got [2, 1] queries",
    ],
    [
      () => meanInterval([[1, 0]], { groups: [1] }),
      TypeError,
      "Cannot compute meanInterval() as there must be a group for each query: got 1 for 2",
    ],
    [
      () => meanInterval([[1, 0], [1, NaN]]),
      RangeError,
      "Cannot compute meanInterval() as every score must be finite: got NaN at query 1 of seed 1",
    ],
    [
      () => meanInterval([[1, 0]], { level: 1 }),
      RangeError,
      "Cannot compute meanInterval() as samples must be an integer in [1, 10000000] and level in (0, 1): got 2000 and 1",
    ],
    [
      () => pairedDifference([[1, 0]], [[1, 0], [1, 0]]),
      TypeError,
      "Cannot compute pairedDifference() as both must have the same seeds and queries: got [2] queries and [2, 2] queries",
    ],
    [
      () => pairedDifference([[1, 0]], [[1, 0]], { samples: 0 }),
      RangeError,
      "Cannot compute pairedDifference() as samples must be an integer in [1, 10000000] and level in (0, 1): got 0 and 0.95",
    ],
  ];
  for (const [call, kind, message] of cases) assertThrows(call, kind, message);
});
