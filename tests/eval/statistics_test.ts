import { assert, assertAlmostEquals, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Device, key } from "../../mod.ts";
import { alignment, effectiveRank, principalComponents, uniformity } from "../../src/eval/mod.ts";
import { uniformNumbers } from "../../src/tensor/internal.ts";

const device = await Device.open();

Deno.test("alignment() is 0 for equal pairs, 4 for opposite ones", () => {
  const x = { data: Float32Array.of(3, 4, 0, 2), dim: 2 };
  assertEquals(alignment(x, x), 0);
  assertAlmostEquals(alignment(x, { data: x.data.map((v) => -5 * v), dim: 2 }), 4, 1e-12);
  assertThrows(
    () => alignment(x, { data: x.data, dim: 4 }),
    TypeError,
    "Cannot compute alignment() as the shapes must agree: got [2, 2] and [1, 4]",
  );
});

Deno.test("uniformity() is 0 at collapse and log exp(-4t) for two opposite rows", () => {
  assertAlmostEquals(uniformity({ data: Float32Array.of(1, 0, 2, 0), dim: 2 }), 0, 1e-12);
  assertAlmostEquals(uniformity({ data: Float32Array.of(1, 0, -2, 0), dim: 2 }, 2), -8, 1e-12);
  assertThrows(() => uniformity({ data: Float32Array.of(1, 0), dim: 2 }), RangeError, "at least two rows: got 1");
});

Deno.test("effectiveRank() counts directions of equal strength, whichever side is longer", () => {
  const diagonal = (n: number, dim: number, values: number[]) => {
    const data = new Float32Array(n * dim);
    values.forEach((v, i) => data[i * dim + i] = v);
    return { data, dim };
  };
  assertAlmostEquals(effectiveRank(diagonal(9, 5, [2, 2, 2])), 3, 1e-6);
  assertAlmostEquals(effectiveRank(diagonal(5, 9, [1, 1, 1, 1])), 4, 1e-6);
  assertEquals(effectiveRank(diagonal(4, 4, [])), 0);
  const shares = [0.75, 0.25];
  const expected = Math.exp(-shares.reduce((sum, p) => sum + p * Math.log(p), 0));
  const rotated = { data: Float32Array.of(3, 0, 0, 0.6, 0.8, 0), dim: 3 }; // singular values of a rotation differ
  assert(effectiveRank(rotated) > 1 && effectiveRank(rotated) < 2);
  assertAlmostEquals(effectiveRank(diagonal(3, 3, [3, 1])), expected, 1e-6);
});

Deno.test("principalComponents() finds the directions of largest variance", async () => {
  const [n, dim] = [60, 12];
  const noise = uniformNumbers(n * dim, key(2));
  const data = noise.map((v, i) => {
    const [row, column] = [Math.floor(i / dim), i % dim];
    return 0.01 * v + 5 + (column === 3 ? 4 * Math.sin(row) : column === 7 ? Math.cos(row) : 0);
  });
  const { places, explained } = await principalComponents({ data, dim }, { device });
  places.forEach(([x], row) => assertAlmostEquals(Math.abs(x!), Math.abs(4 * Math.sin(row)), 0.15));
  assertAlmostEquals(explained[0]!, 16 / 17, 0.02);
  assertAlmostEquals(explained[0]! + explained[1]!, 1, 1e-3);
  await assertRejects(
    () => principalComponents({ data: Float32Array.of(1, 2), dim: 1 }, { device }),
    RangeError,
    "Cannot compute principalComponents() as 2 directions need more rows and as many columns: got [2, 1]",
  );
});
