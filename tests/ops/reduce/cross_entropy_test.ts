import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { backward, requireGrad } from "../../../src/autograd/mod.ts";
import { Device } from "../../../src/device/mod.ts";
import { crossEntropy } from "../../../src/ops/reduce/cross_entropy.ts";
import { key, normal, ones, tensor, zeros } from "../../../src/tensor/mod.ts";
import { assertClose, gradcheck, TOLERANCE } from "../../../src/testing/mod.ts";
import { eachForm } from "../shared/_forms.ts";

const device = await Device.open();

/** Mean cross-entropy in float64. */
function reference(x: ArrayLike<number>, labels: number[], classes: number, smoothing: number): number {
  let loss = 0;
  labels.forEach((label, i) => {
    const row = Array.from({ length: classes }, (_, k) => x[i * classes + k]!);
    const top = Math.max(...row);
    const lse = top + Math.log(row.reduce((sum, value) => sum + Math.exp(value - top), 0));
    const mean = row.reduce((sum, value) => sum + value, 0) / classes;
    loss += lse - (1 - smoothing) * row[label]! - smoothing * mean;
  });
  return loss / labels.length;
}

/** Computes the gradient: softmax minus target. */
function referenceGrad(x: ArrayLike<number>, labels: number[], classes: number, smoothing: number): Float64Array {
  const grad = new Float64Array(labels.length * classes);
  labels.forEach((label, i) => {
    const row = Array.from({ length: classes }, (_, k) => x[i * classes + k]!);
    const top = Math.max(...row);
    const sum = row.reduce((sum, value) => sum + Math.exp(value - top), 0);
    row.forEach((value, k) => {
      const target = (k === label ? 1 - smoothing : 0) + smoothing / classes;
      grad[i * classes + k] = (Math.exp(value - top) / sum - target) / labels.length;
    });
  });
  return grad;
}

for (const [n, classes] of [[1, 1], [1, 2], [7, 10], [33, 100], [300, 3], [5, 1028], [2100, 4]] as const) {
  Deno.test(`crossEntropy() agrees with float64 on [${n},${classes}]`, async () => {
    await eachForm(device, async () => {
      for (const labelSmoothing of [0, 0.1]) {
        const x = normal([n, classes], { key: key(1), mean: 20, std: 4 });
        const labels = Array.from({ length: n }, (_, i) => (i * 7 + 3) % classes);
        const expected = reference(await x.data(), labels, classes, labelSmoothing);
        const loss = crossEntropy(requireGrad(x), labels, { labelSmoothing });
        assertAlmostEquals(await loss.item(), expected, 2e-5);
        backward(loss);
        const grad = referenceGrad(await x.data(), labels, classes, labelSmoothing);
        assertClose(await x.grad!.data(), grad, { rtol: TOLERANCE.sum, atol: 1e-9 });
        // Finite differences drown in the rounding of a loss whose slopes are 1 / n, and find 0 for one class.
        if (n < 50 && classes > 1) await gradcheck((x) => crossEntropy(x, labels, { labelSmoothing }), x);
      }
    });
  });
}

Deno.test("crossEntropy() and the gradient of its row are NaN when a logit is", () =>
  eachForm(device, async () => {
    for (const classes of [3, 4]) {
      const row = [NaN, 1, 2, 3].slice(0, classes);
      const x = requireGrad(tensor([row, row.map((_, k) => k)]));
      const loss = crossEntropy(x, [1, 1]);
      assertEquals(await loss.item(), NaN);
      backward(loss);
      const grad = await x.grad!.data();
      assert(grad.subarray(0, classes).every(Number.isNaN) && grad.subarray(classes).every(Number.isFinite));
    }
  }));

Deno.test("crossEntropy() is stable for large logits, and ignores classes at minus infinity", async () => {
  const x = requireGrad(tensor([[1e4, 0, -1e4], [0, 0, -Infinity]]));
  const loss = crossEntropy(x, [1, 0]);
  assertAlmostEquals(await loss.item(), (1e4 + Math.log(2)) / 2, 1e-2);
  backward(loss);
  assertEquals(await x.grad!.data(), new Float32Array([0.5, -0.5, 0, -0.25, 0.25, 0]));
});

Deno.test("crossEntropy() takes labels from the device, and answers a wrong one with NaN", async () => {
  const x = requireGrad(tensor([[1, 2, 3], [3, 2, 1]]));
  const right = await crossEntropy(x, tensor(new Uint32Array([2, 0]))).item();
  assertEquals(right, await crossEntropy(x, [2, 0]).item());
  const loss = crossEntropy(x, tensor(new Uint32Array([2, 3])));
  backward(loss);
  assertEquals(await loss.item(), NaN);
  assertEquals((await x.grad!.data()).subarray(3), new Float32Array([NaN, NaN, NaN]));
});

Deno.test("crossEntropy() throws on what it cannot use", () => {
  const x = ones([2, 3]);
  for (const shape of [[3], [0, 3], [2, 0], [1, 2, 3]]) {
    assertThrows(
      () => crossEntropy(ones(shape), [0, 0]),
      TypeError,
      `x must be [n, k] with n, k >= 1: got x [${shape}]`,
    );
  }
  assertThrows(() => crossEntropy(ones([2, 3], { dtype: "u32" }), [0, 0]), TypeError, "x must be f32: got u32");
  assertThrows(() => crossEntropy(x, [0]), TypeError, "one label for each row: got x [2,3] and 1 labels");
  assertThrows(
    () => crossEntropy(x, tensor([0, 1])),
    TypeError,
    "labels must be u32 [2]: got x [2,3] and labels f32 [2]",
  );
  assertThrows(() => crossEntropy(x, [0, 3]), RangeError, "an integer in [0, 3): got 3 at 1");
  assertThrows(() => crossEntropy(x, [-1, 0]), RangeError, "got -1 at 0");
  assertThrows(() => crossEntropy(x, [0.5, 0]), RangeError, "got 0.5 at 0");
  for (const labelSmoothing of [-0.1, 1.1, NaN]) {
    assertThrows(() => crossEntropy(x, [0, 0], { labelSmoothing }), RangeError, `in [0, 1]: got ${labelSmoothing}`);
  }
});

Deno.test("crossEntropy() of two million rows is as right as of few", async () => {
  const rows = 2_000_000;
  const margins = Float64Array.from({ length: rows }, (_, i) => (i % 7) - 1);
  const logits = new Float32Array(2 * rows);
  margins.forEach((margin, i) => logits[2 * i + 1] = margin);
  const expected = margins.reduce((sum, margin) => sum + Math.log1p(Math.exp(margin)), 0) / rows;
  using x = tensor(logits, { shape: [rows, 2] });
  using labels = zeros([rows], { dtype: "u32" });
  assertAlmostEquals(await crossEntropy(x, labels).item() / expected, 1, 1e-6);
});
