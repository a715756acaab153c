import { assertEquals, assertThrows } from "@std/assert";
import { backward, requireGrad } from "../../../src/autograd/mod.ts";
import { Device } from "../../../src/device/mod.ts";
import { l2Normalize } from "../../../src/ops/norm/l2_normalize.ts";
import { full, key, normal, ones, type Shape, tensor } from "../../../src/tensor/mod.ts";
import { assertClose, gradcheck } from "../../../src/testing/mod.ts";
import { eachForm } from "../shared/_forms.ts";

const device = await Device.open();

const SHAPES: Shape[] = [[1], [5], [3, 4], [2, 9, 3], [130, 1], [4, 300], [2, 257], [1, 20_000]];

for (const shape of SHAPES) {
  Deno.test(`l2Normalize() scales vectors of [${shape}] to unit length`, async () => {
    await eachForm(device, async () => {
      const d = shape.at(-1)!;
      const x = normal(shape, { key: key(1), mean: 1 });
      const values = await x.data();
      const lengths = Array.from(
        { length: values.length / d },
        (_, i) => Math.hypot(...values.subarray(i * d, i * d + d)),
      );
      const expected = Float64Array.from(values, (value, i) => value / lengths[Math.floor(i / d)]!);
      assertClose(await l2Normalize(x).data(), expected);
      if (d > 1) await gradcheck((x) => l2Normalize(x), x);
    });
  });
}

Deno.test("l2Normalize() divides what is shorter than eps by eps", async () => {
  const x = requireGrad(tensor([[3e-3, 4e-3], [0, 0], [3, 4]]));
  const y = l2Normalize(x, { eps: 0.1 });
  assertClose(await y.data(), [0.03, 0.04, 0, 0, 0.6, 0.8]);
  backward(y, { grad: ones([3, 2]) });
  assertClose(await x.grad!.data(), [10, 10, 10, 10, 0.2 - 0.6 * 0.28, 0.2 - 0.8 * 0.28], { rtol: 1e-5 });
});

Deno.test("l2Normalize() keeps zeros, with a finite gradient", async () => {
  const x = requireGrad(tensor([[0, 0, 0, 0]]));
  const y = l2Normalize(x);
  assertEquals(await y.data(), new Float32Array(4));
  backward(y, { grad: full([1, 4], 2) });
  assertClose(await x.grad!.data(), [2e12, 2e12, 2e12, 2e12]);
});

Deno.test("l2Normalize() throws on what it cannot use", () => {
  assertThrows(() => l2Normalize(tensor(1)), TypeError, "x must be [..., features]: got x []");
  assertThrows(() => l2Normalize(ones([2, 2], { dtype: "i32" })), TypeError, "x must be f32: got i32 [2,2]");
  assertThrows(
    () => l2Normalize(ones([2, 2]), { eps: 0 }),
    RangeError,
    "eps must be > 0 and finite: current value is 0",
  );
});

Deno.test("l2Normalize() takes vectors whose squares f32 does not hold, with their gradient", async () => {
  await eachForm(device, async () => {
    for (const [size, eps] of [[1e30, 1e-12], [3e38, 1e-12], [1e-30, 1e-37], [2e-37, 1e-37], [1, 1e-12]] as const) {
      const x = requireGrad(tensor([[0.6 * size, 0.8 * size, 0, 0], [0, 0, -size, 0]]));
      const y = l2Normalize(x, { eps });
      assertClose(await y.data(), [0.6, 0.8, 0, 0, 0, 0, -1, 0], { rtol: 2e-6 });
      backward(y, { grad: tensor([[1, 0, 0, 0], [0, 1, 1, 0]]) });
      const grad = Float64Array.from(await x.grad!.data(), (g) => g * size);
      if (size < 1e36) assertClose(grad, [0.64, -0.48, 0, 0, 0, 1, 0, 0], { rtol: 1e-5, atol: 1e-6 });
    }
  });
});

Deno.test("l2Normalize() makes one NaN or infinity of a row NaN where PyTorch does", async () => {
  const x = tensor([[NaN, 1, 2, 3], [Infinity, 1, 0, 0], [1, 0, 0, 0]]);
  assertEquals(Array.from(await l2Normalize(x).data()), [NaN, NaN, NaN, NaN, NaN, 0, 0, 0, 1, 0, 0, 0]);
});
