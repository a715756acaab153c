import { assertAlmostEquals, assertEquals } from "@std/assert";
import { centredUnit, matchRate, nearest, Projection } from "../../page/geometry.ts";

Deno.test("centredUnit() takes the mean off and makes rows of length 1", () => {
  const rows = centredUnit(new Float32Array([1, 2, 3, 2, 5, 8]), 3);
  for (const i of [0, 1]) assertAlmostEquals(Math.hypot(...rows.subarray(3 * i, 3 * i + 3)), 1, 1e-6);
  for (let c = 0; c < 3; c++) assertAlmostEquals(rows[c]! + rows[3 + c]!, 0, 1e-6);
});

Deno.test("nearest() and matchRate() find the same row in another order of lengths", () => {
  const rows = new Float32Array([1, 0, 0, 1, -1, 0]);
  assertEquals(nearest(rows, 1, rows, 2, 1), [1]);
  assertEquals(matchRate(rows, rows, 2), 1);
  assertAlmostEquals(matchRate(rows, new Float32Array([1, 0, -1, 0, 0, 1]), 2), 1 / 3);
});

Deno.test("Projection finds the main direction, and does not turn when asked again", () => {
  const rows = Float32Array.from({ length: 40 * 3 }, (_, i) => {
    const [row, c] = [Math.floor(i / 3), i % 3];
    return [1, 0.3, 0.01][c]! * Math.cos(row * (c + 1));
  });
  const projection = new Projection();
  for (let i = 0; i < 10; i++) projection.places(rows, 3);
  const [first, second] = [projection.places(rows, 3), projection.places(rows, 3)];
  first.forEach((value, i) => assertAlmostEquals(value, second[i]!, 1e-3));
  const along = Math.sign(first[0]!);
  for (let row = 0; row < 40; row++) assertAlmostEquals(along * first[2 * row]!, Math.cos(row), 0.1);
});
