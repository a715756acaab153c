import { assert, assertAlmostEquals, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Device, key } from "../../mod.ts";
import { uniformNumbers } from "../../src/tensor/internal.ts";
import { linearScores, logisticRegression, predictedClasses } from "../../src/eval/mod.ts";
import { floatsOf, readFixture, readFixtureJson } from "../fixtures/read.ts";

interface Golden {
  readonly logisticRegression: readonly {
    readonly name: string;
    readonly classes: number;
    readonly fits: readonly { readonly C: number; readonly objective: number; readonly accuracy: number }[];
  }[];
}

const device = await Device.open();
const golden = readFixtureJson<Golden>("metrics").logisticRegression;
const arrays = readFixture("metrics");

function objectiveOf(
  { data, dim }: { data: Float32Array; dim: number },
  labels: ArrayLike<number>,
  fit: { weight: Float64Array; bias: Float64Array },
  C: number,
): number {
  const classes = fit.bias.length;
  let loss = 0;
  for (let i = 0; i < labels.length; i++) {
    const z = Array.from(fit.bias);
    for (let j = 0; j < dim; j++) {
      for (let c = 0; c < classes; c++) z[c]! += data[i * dim + j]! * fit.weight[j * classes + c]!;
    }
    const top = Math.max(...z);
    loss += top + Math.log(z.reduce((sum, v) => sum + Math.exp(v - top), 0)) - z[labels[i]!]!;
  }
  return C * loss + fit.weight.reduce((sum, v) => sum + v * v, 0) / 2;
}

for (const { name, classes, fits } of golden) {
  Deno.test(`logisticRegression() reaches scikit-learn's optimum for every C at once: ${name}`, async () => {
    const key = `regression/${name}`;
    const labels = floatsOf(arrays, `${key}.labels`);
    const dim = arrays.tensors[`${key}.x`]!.shape[1]!;
    const features = { data: floatsOf(arrays, `${key}.x`), dim };
    const held = { data: floatsOf(arrays, `${key}.held`), dim };
    const own = await logisticRegression(features, labels, fits.map(({ C }) => ({ C })), { classes, device });
    fits.forEach(({ C, objective, accuracy }, i) => {
      const fit = own[i]!;
      assert(fit.converged, `C = ${C}`);
      const exact = objectiveOf(features, labels, fit, C);
      assertAlmostEquals(exact / objective, 1, 5e-7, `C = ${C}: ${fit.iterations} steps`);
      assertAlmostEquals(fit.objective / objective, 1, 5e-7, `C = ${C}: ${fit.iterations} steps`);
      const predicted = predictedClasses(linearScores(fit, features), classes);
      assertEquals(predicted.filter((label, row) => label === labels[row]).length / labels.length, accuracy);
      const expected = floatsOf(arrays, `${key}/${C}.probabilities`);
      const scores = linearScores(fit, held);
      assertEquals(predictedClasses(scores, classes), predictedClasses(expected, classes));
    });
  });
}

/** Features of well separated classes, more than stay on the host. */
function clusters(n: number, dim: number, classes: number): { data: Float32Array<ArrayBuffer>; labels: Int32Array } {
  const data = uniformNumbers(n * dim, key(5));
  const centres = uniformNumbers(classes * dim, key(6));
  const labels = Int32Array.from({ length: n }, (_, i) => i % classes);
  return { data: data.map((v, i) => v + 0.4 * centres[labels[Math.floor(i / dim)]! * dim + i % dim]! + 3), labels };
}

Deno.test("logisticRegression() on the device ends where it ends on the host, with folds and an absent class", async () => {
  const [n, dim, classes] = [2600, 150, 4];
  const { data, labels } = clusters(n, dim, 3);
  const used = Uint8Array.from({ length: n }, (_, i) => Number(i % 5 !== 0));
  const small = Array.from({ length: n }, (_, i) => i).filter((i) => used[i]);
  const few = new Float32Array(small.flatMap((i) => [...data.subarray(i * dim, (i + 1) * dim)]));
  const problems = [{ C: 1, rows: used }, { C: 0.1, rows: used }];
  const onDevice = await logisticRegression({ data, dim }, labels, problems, { classes, device });
  const alone = await logisticRegression({ data: few, dim }, small.map((i) => labels[i]!), [{ C: 1 }, { C: 0.1 }], {
    classes,
    device,
  });
  onDevice.forEach((fit, i) => {
    assert(fit.converged);
    assertEquals(fit.bias[3], -Infinity);
    assertAlmostEquals(fit.objective / alone[i]!.objective, 1, 1e-6);
    const [a, b] = [fit, alone[i]!].map((each) => predictedClasses(linearScores(each, { data, dim }), classes));
    assertEquals(a, b);
  });
});

Deno.test("logisticRegression() says what is wrong with its input", async () => {
  const features = { data: Float32Array.of(0, 1, NaN, 3), dim: 2 };
  const fine = { data: Float32Array.of(0, 1, 2, 3), dim: 2 };
  const run = (x: typeof fine, labels: number[], C = 1, rows?: Uint8Array) =>
    logisticRegression(x, labels, [{ C, rows }], { classes: 2, device });
  await assertRejects(
    () => run(features, [0, 1]),
    RangeError,
    "Cannot compute logisticRegression() as every feature must be finite: got NaN in row 1",
  );
  await assertRejects(() => run(fine, [0, 2]), RangeError, "every label must be an integer in [0, 2): got 2 at 1");
  await assertRejects(
    () => run(fine, [0]),
    TypeError,
    "there must be a label for each row: got features [2, 2] and labels [1]",
  );
  await assertRejects(() => run(fine, [0, 1], 0), RangeError, "C must be > 0: got 0");
  await assertRejects(() => run(fine, [1, 1]), RangeError, "the rows must have at least two classes: got 1 of 2");
  await assertRejects(() => run(fine, [0, 1], 1, Uint8Array.of(1, 0)), RangeError, "at least two classes: got 1 of 2");
  const [fit] = await run(fine, [0, 1]);
  assertThrows(
    () => linearScores(fit!, { data: Float32Array.of(1), dim: 1 }),
    TypeError,
    "Cannot classify as the features must be 2 wide: got 1",
  );
});
