import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { AXES, exponentOf } from "../../bench/_growth.ts";

Deno.test("exponentOf() finds the exponent of a power law, and none where something is 0", () => {
  assertAlmostEquals(exponentOf([2, 4, 8], [5 * 2 ** 1.5, 5 * 4 ** 1.5, 5 * 8 ** 1.5])!, 1.5, 1e-12);
  assertEquals(exponentOf([2, 4, 8], [1, 0, 1]), null);
});

Deno.test("loss and centroid weights grow with n no faster than the mathematics requires, by what is dispatched", async () => {
  for (const axis of AXES.filter(({ name }) => name.startsWith("n, "))) {
    const values = axis.values.map((n) => n / 4);
    const counts = [];
    for (const value of values) counts.push(await axis.count(value));
    for (const [column, most] of Object.entries(axis.required) as [keyof typeof counts[0], number][]) {
      const exponent = exponentOf(values, counts.map((each) => each[column]))!;
      assert(exponent <= most + 0.15, `${axis.name}: ${column} grows with an exponent of ${exponent}`);
    }
    // The least that there is to compute: the loss's products of all pairs, the Gram matrix of the weights.
    const [n, { flop }] = [values.at(-1)!, counts.at(-1)!];
    assert(flop >= 2 * n * n * (axis.name.includes("loss") ? 256 : 2048), `${axis.name}: ${flop} operations`);
  }
});
