// Winograd's transforms kept in f16, where sums may be in f16: how far they are off, and that nobody gets them unasked.
import { assert, assertEquals } from "@std/assert";
import { autocast, backward, conv2d, Device, requireGrad, scope, tensor, zeros } from "../../../mod.ts";
import { policyOf } from "../../../src/ops/shared/policy.ts";
import { LARGE } from "../../../bench/gpu_compile/_step.ts";
import { nullGpu, type Pipeline } from "../../portability/_null_gpu.ts";
import { testWith } from "../../device/_features.ts";
import { convReference, type ConvValues } from "./_conv2d_reference.ts";
import { winogradBounds } from "./_winograd_bounds.ts";

const device = await Device.open();
const policy = policyOf(device);
const U = 2 ** -11;

/** The convolution with f16 sums allowed, and the gradients of x and the weight, where `grads` are asked for. */
async function computed({ x, weight, bias, gradY, outShape, g }: ConvValues, grads: boolean) {
  using _ = scope();
  const images = requireGrad(tensor(Float16Array.from(x), { shape: [g.n, ...g.size, g.inChannels] }));
  const windows = requireGrad(tensor(weight, { shape: [3, 3, g.inChannels, g.outChannels] }));
  const y = autocast(() => conv2d(images, windows, { bias: tensor(bias), padding: 1 }), { sums: "f16" });
  if (grads) backward(y, { grad: tensor(Float16Array.from(gradY), { shape: outShape }) });
  const found = grads ? { y, gradX: images.grad!, gradWeight: windows.grad! } : { y };
  const read = Object.entries(found).map(async ([name, t]) => [name as "y", await t.data()] as const);
  return await Promise.all(read);
}

/** The largest error, in parts of `bound`, without what f16 rounds the result itself by. */
function errorOf(got: ArrayLike<number>, exact: Float64Array, bound: Float64Array): number {
  return exact.reduce((most, v, i) => Math.max(most, (Math.abs(got[i]! - v) - U * Math.abs(v)) / bound[i]!), 0);
}

for (const edge of [3, 4] as const) {
  testWith(device, "shader-f16", `winograd${edge} keeps to the error bound of transforms in f16`, async () => {
    const values = convReference({ x: [2, 7, 6, 8], weight: [3, 3, 8, 12], options: { padding: 1 } }, { images: true });
    const bounds = winogradBounds(edge, values);
    const form = { family: "gpu", conv2d: `winograd${edge}`, matmul: "rows" } as const; // which sums in f32
    const found = await policy.with(form, () => computed(values, edge === 3)); // one stands for both: they take seconds
    for (const [name, got] of found) {
      const error = errorOf(got, values[name], bounds[name]);
      assert(error > U / 50 && error <= 3 * U, `${name}: ${error / U} u`);
    }
  });
}

Deno.test("Winograd's transforms are kept in f16 on GPUs where sums may be in f16 alone", async () => {
  for (const [software, sums, halves] of [[false, "f16", 1], [false, "f32", 0], [true, "f16", 0]] as const) {
    const made: Pipeline[] = [];
    const device = await Device.open({ gpu: nullGpu({ ...LARGE, software }, made) });
    {
      using _ = scope();
      const x = zeros([2, 16, 16, 64], { dtype: "f16", device });
      const weight = zeros([3, 3, 64, 64], { device });
      await policyOf(device).with({ conv2d: "winograd3" }, () => autocast(() => conv2d(x, weight), { sums, device }));
      device.flush();
    }
    device.close();
    assertEquals(
      made.filter(({ label }) => /^matmul \w+ f16 f16 f16/.test(label)).length,
      halves,
      `${software} ${sums}`,
    );
  }
});
