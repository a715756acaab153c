import { assertEquals, assertThrows } from "@std/assert";
import { backward, requireGrad } from "../../../src/autograd/mod.ts";
import { Device } from "../../../src/device/mod.ts";
import { layerNorm } from "../../../src/ops/mod.ts";
import { full, key, normal, ones, type Shape, tensor, zeros } from "../../../src/tensor/mod.ts";
import { castTo } from "../../../src/tensor/internal.ts";
import { assertClose, gradcheck, TOLERANCE } from "../../../src/testing/mod.ts";
import { checkGolden } from "../shared/_golden.ts";
import { eachForm } from "../shared/_forms.ts";
import { testWith } from "../../device/_features.ts";

const device = await Device.open();

/** Plain loops in float64. */
function reference(x: ArrayLike<number>, d: number, weight: ArrayLike<number>, bias: ArrayLike<number>): Float64Array {
  const y = new Float64Array(x.length);
  for (let row = 0; row < x.length / d; row++) {
    const values = Array.from({ length: d }, (_, j) => x[row * d + j]!);
    const mean = values.reduce((a, b) => a + b, 0) / d;
    const variance = values.reduce((a, b) => a + (b - mean) ** 2, 0) / d;
    values.forEach((v, j) => y[row * d + j] = (v - mean) / Math.sqrt(variance + 1e-5) * weight[j]! + bias[j]!);
  }
  return y;
}

const SHAPES: Shape[] = [[5], [3, 4], [2, 9, 3], [4, 300], [2, 257]];
for (const shape of SHAPES) {
  Deno.test(`layerNorm() of [${shape}] equals the float64 loop and finite differences`, async () => {
    const d = shape.at(-1)!;
    const [x, weight, bias] = [
      normal(shape, { key: key(1), mean: 3 }),
      normal([d], { key: key(2) }),
      normal([d], { key: key(3) }),
    ];
    const expected = reference(await x.data(), d, await weight.data(), await bias.data());
    await eachForm(device, async () => {
      assertClose(await layerNorm(x, { weight, bias }).data(), expected, { rtol: TOLERANCE.sum });
      await gradcheck((x, weight, bias) => layerNorm(x, { weight, bias }), [x, weight, bias]);
    });
  });
}

Deno.test("layerNorm() equals PyTorch", () =>
  checkGolden(
    "layerNorm",
    ([x, weight, bias], attrs) => layerNorm(x!, { weight, bias, ...attrs }),
    {},
    "transformers",
  ));

Deno.test("layerNorm() without weight and bias, of one value, of nothing, and of what lies far from 0", async () => {
  assertClose(await layerNorm(tensor([[1e4 + 1, 1e4 - 1]]), { eps: 1e-12 }).data(), [1, -1]);
  assertEquals(await layerNorm(tensor([[7]])).data(), new Float32Array([0]));
  const x = requireGrad(zeros([0, 3]));
  const weight = requireGrad(ones([3]));
  backward(layerNorm(x, { weight }), { grad: zeros([0, 3]) });
  assertEquals(await weight.grad!.data(), new Float32Array(3));
});

testWith(device, "f16 that is not read", "layerNorm() of f16 gives f16, with f32 moments", async () => {
  const x = normal([6, 40], { key: key(1), mean: 100 });
  const half = castTo(x, "f16");
  const [weight, bias] = [full([40], 2), ones([40])];
  const y = layerNorm(half, { weight, bias });
  assertEquals(y.dtype, "f16");
  const expected = reference(await castTo(half, "f32").data(), 40, new Array(40).fill(2), new Array(40).fill(1));
  assertClose(await castTo(y, "f32").data(), expected, { rtol: TOLERANCE.half });
});

Deno.test("layerNorm() throws on what it cannot use", () => {
  assertThrows(
    () => layerNorm(tensor(1)),
    TypeError,
    "Cannot compute layerNorm() as x must be [..., features]: got x []",
  );
  assertThrows(() => layerNorm(ones([2], { dtype: "i32" })), TypeError, "x must be f32: got i32 [2]");
  assertThrows(
    () => layerNorm(ones([2, 3]), { weight: ones([2]) }),
    TypeError,
    "Cannot compute layerNorm() as weight must be f32 [3]: got f32 [2]",
  );
  assertThrows(() => layerNorm(ones([2]), { eps: 0 }), RangeError, "eps must be > 0 and finite: current value is 0");
});
