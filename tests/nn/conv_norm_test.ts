import { assertEquals } from "@std/assert";
import { backward, Device, key, mul, normal, requireGrad, scope, sum } from "../../mod.ts";
import { Exchange, SingleProcess } from "../../src/distributed/mod.ts";
import { convNorm } from "../../src/nn/conv_norm.ts";
import { BatchNorm2d, Conv2d } from "../../src/nn/mod.ts";
import { assertClose, TOLERANCE } from "../../src/testing/mod.ts";
import { eachFamily } from "../ops/shared/_forms.ts";
import { policyOf } from "../../src/ops/shared/policy.ts";

const device = await Device.open();
const policy = policyOf(device);
const exchange = await Exchange.open(new SingleProcess(), device);

/** Output, gradients and running statistics of the two layers after one step. */
async function results(together: boolean, sync: Exchange | null): Promise<ArrayLike<number>[]> {
  using _ = scope();
  const conv = new Conv2d({ inChannels: 8, outChannels: 12, kernelSize: 1, bias: false, key: key(2) });
  const norm = new BatchNorm2d({ numFeatures: 12 });
  norm.synchronize(sync);
  const x = requireGrad(normal([3, 5, 7, 8], { key: key(1) }));
  const y = together ? convNorm(conv, norm, x, { relu: true }) : norm.forward(conv.forward(x), { relu: true });
  backward(sum(mul(y, normal(y.shape, { key: key(3) }))));
  const { weight, bias, runningMean, runningVar } = norm;
  const made = [y, x.grad!, conv.weight.grad!, weight.grad!, bias.grad!, runningMean, runningVar];
  const values = await Promise.all(made.map((each) => each.data()));
  conv.dispose();
  norm.dispose();
  return values;
}

for (const [name, sync] of [["one process", null], ["ranks", exchange]] as const) {
  Deno.test(`convNorm() is the convolution and then the normalisation, statistics of ${name}`, async () => {
    await eachFamily(device, () =>
      policy.with({ matmul: "rows" }, async () => {
        const [together, apart] = [await results(true, sync), await results(false, sync)];
        together.forEach((values, i) => assertClose(values, apart[i]!, { rtol: TOLERANCE.sum }));
      }));
  });
}

Deno.test("convNorm() reads the output once less in training where the adapter's convolution leaves moments", async () => {
  const dispatches: Record<string, number> = {};
  await eachFamily(device, (family) =>
    policy.with({ matmul: "rows" }, () => {
      using _ = scope();
      const conv = new Conv2d({ inChannels: 8, outChannels: 12, kernelSize: 1, bias: false });
      const norm = new BatchNorm2d({ numFeatures: 12 });
      const x = normal([3, 5, 7, 8], { key: key(1) });
      const count = () => {
        const before = device.counters.dispatches;
        convNorm(conv, norm, x);
        return device.counters.dispatches - before;
      };
      dispatches[family] = count();
      norm.eval();
      dispatches[`${family} eval`] = count();
      conv.dispose();
      norm.dispose();
      return Promise.resolve();
    }));
  // Product, moments (or their merge, where the product leaves many) and normalisation; in evaluation the moments are the
  // running statistics.
  assertEquals(dispatches, { cpu: 3, "cpu eval": 3, gpu: 3, "gpu eval": 3 });
});
