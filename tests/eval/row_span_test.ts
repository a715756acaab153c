import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { Device, key } from "../../mod.ts";
import { uniformNumbers } from "../../src/tensor/internal.ts";
import { linearScores, logisticRegression } from "../../src/eval/mod.ts";
import { rowSpan } from "../../src/eval/row_span.ts";

const device = await Device.open();

Deno.test("rowSpan() keeps the distances of rows in as many coordinates as they span", () => {
  const [n, dim] = [6, 40];
  const data = uniformNumbers(n * dim, key(1));
  data.set(data.subarray(0, dim), 5 * dim); // a row that comes twice
  const { features: { data: z, dim: r } } = rowSpan({ data, dim });
  assertEquals(r, 4, "five different rows lie in four dimensions around their mean");
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      let [own, other] = [0, 0];
      for (let k = 0; k < dim; k++) own += (data[i * dim + k]! - data[j * dim + k]!) ** 2;
      for (let k = 0; k < r; k++) other += (z[i * r + k]! - z[j * r + k]!) ** 2;
      assertAlmostEquals(other, own, 1e-9);
    }
  }
  assertEquals([...Array.from(rowSpan({ data: new Float32Array(80).fill(3), dim: 40 }).features.data)], [0, 0]);
});

Deno.test("rowSpan() lifts a classifier with the same scores and the same size", () => {
  const [n, dim, classes] = [5, 30, 3];
  const features = { data: uniformNumbers(n * dim, key(2)), dim };
  const { features: { data: z, dim: r }, lift } = rowSpan(features);
  const weight = Float64Array.from(uniformNumbers(r * classes, key(3)));
  const lifted = lift({ weight, bias: Float64Array.of(0.5, -Infinity, 2), dim: r, classes });
  const scores = linearScores(lifted, features);
  for (let i = 0; i < n; i++) {
    assertEquals(scores[i * classes + 1], -Infinity);
    for (const c of [0, 2]) {
      let expected = [0.5, 0, 2][c]!;
      for (let j = 0; j < r; j++) expected += z[i * r + j]! * weight[j * classes + c]!;
      assertAlmostEquals(scores[i * classes + c]!, expected, 1e-9);
    }
  }
  const square = (values: Float64Array) => values.reduce((sum, v) => sum + v * v, 0);
  assertAlmostEquals(square(lifted.weight) / square(weight), 1, 1e-12);
});

Deno.test("logisticRegression() on few rows of many features ends where the gradient is zero, within seconds", async () => {
  const [n, dim, classes] = [40, 2048, 4]; // in 2,048 coordinates this takes minutes
  const data = uniformNumbers(n * dim, key(4));
  const labels = Int32Array.from({ length: n }, (_, i) => i % classes);
  const grid = [0.1, 1, 1e3, 1e6];
  const fits = await logisticRegression({ data, dim }, labels, grid.map((C) => ({ C })), { classes, device });
  fits.forEach((fit, i) => {
    const C = grid[i]!;
    assert(fit.converged, `C = ${C}`);
    const residual = linearScores(fit, { data, dim });
    for (let row = 0; row < n; row++) {
      const z = residual.subarray(row * classes, (row + 1) * classes);
      const total = z.reduce((sum, v) => sum + Math.exp(v), 0);
      z.forEach((v, c) => z[c] = Math.exp(v) / total - Number(labels[row] === c));
    }
    let [gradient, size] = [0, 0];
    for (let j = 0; j < dim; j++) {
      for (let c = 0; c < classes; c++) {
        let pull = 0;
        for (let row = 0; row < n; row++) pull += data[row * dim + j]! * residual[row * classes + c]!;
        gradient += (C * pull + fit.weight[j * classes + c]!) ** 2;
        size += fit.weight[j * classes + c]! ** 2;
      }
    }
    assert(Math.sqrt(gradient / size) < 1e-3, `C = ${C}: ${Math.sqrt(gradient / size)}`);
  });
});
