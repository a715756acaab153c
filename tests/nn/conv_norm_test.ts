import { assertEquals } from "@std/assert";
import { backward, Device, key, mul, normal, requireGrad, scope, sum, type Tensor } from "../../mod.ts";
import { Exchange, SingleProcess } from "../../src/distributed/mod.ts";
import { convNormChain, convNormParts } from "../../src/nn/conv_norm.ts";
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
  const y = together
    ? convNormParts([conv, norm], [x], { relu: true })[0]!
    : norm.forward(conv.forward(x), { relu: true });
  backward(sum(mul(y, normal(y.shape, { key: key(3) }))));
  const { weight, bias, runningMean, runningVar } = norm;
  const made = [y, x.grad!, conv.weight.grad!, weight.grad!, bias.grad!, runningMean, runningVar];
  const values = await Promise.all(made.map((each) => each.data()));
  conv.dispose();
  norm.dispose();
  return values;
}

for (const [name, sync] of [["one process", null], ["ranks", exchange]] as const) {
  Deno.test(`convNormParts() is the convolution and then the normalisation, statistics of ${name}`, async () => {
    await eachFamily(device, () =>
      policy.with({ matmul: "rows" }, async () => {
        const [together, apart] = [await results(true, sync), await results(false, sync)];
        together.forEach((values, i) => assertClose(values, apart[i]!, { rtol: TOLERANCE.sum }));
      }));
  });
}

Deno.test("convNormParts() reads the output once less in training where the adapter's convolution leaves moments", async () => {
  const dispatches: Record<string, number> = {};
  await eachFamily(device, (family) =>
    policy.with({ matmul: "rows" }, () => {
      using _ = scope();
      const conv = new Conv2d({ inChannels: 8, outChannels: 12, kernelSize: 1, bias: false });
      const norm = new BatchNorm2d({ numFeatures: 12 });
      const x = normal([3, 5, 7, 8], { key: key(1) });
      const count = () => {
        const before = device.counters.dispatches;
        convNormParts([conv, norm], [x]);
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

/** A block of three layers on 8 channels around a shortcut of one, and how often a step of it runs each op. */
async function chain(fused: boolean, change: (layers: Conv2d[], norms: BatchNorm2d[]) => void = () => {}) {
  using _ = scope();
  const convs = [1, 1, 1, 1].map((kernelSize, i) =>
    new Conv2d({ inChannels: 8, outChannels: 8, kernelSize, bias: false, key: key(i) })
  );
  const norms = convs.map(() => new BatchNorm2d({ numFeatures: 8 }));
  change(convs, norms);
  const ops: string[] = [];
  const x = requireGrad(normal([3, 5, 4, 8], { key: key(9) }));
  const { run } = device;
  device.run = (name, shapes, body) => {
    ops.push(name);
    return run.call(device, name, shapes, body) as ReturnType<typeof body>;
  };
  try {
    return await policy.with({ normalized: fused ? "read" : "kept", moments: "fused", matmul: "rows" }, async () => {
      const [first, second, third, shortcut] = convs.map((conv, i) => [conv, norms[i]!] as const);
      const forwardParts = (parts: readonly Tensor[]) => convNormParts(shortcut!, parts);
      const y = convNormChain([first!, second!, third!], [x], { convNorm: shortcut!, forwardParts })[0]!;
      const made = [y];
      if (norms.every(({ training }) => training)) {
        backward(sum(mul(y, normal(y.shape, { key: key(7) }))));
        made.push(x.grad!, ...convs.map(({ weight }) => weight.grad!), ...norms.map(({ weight }) => weight.grad!));
      }
      const values = await Promise.all([...made, ...norms.map(({ runningVar }) => runningVar)].map((t) => t.data()));
      return {
        values,
        counts: norms.map((norm) => norm.numBatchesTracked.value),
        read: ["normConv2d", "addNorms"].map((name) => ops.filter((op) => op === name).length),
      };
    });
  } finally {
    device.run = run;
    for (const each of [...convs, ...norms]) each.dispose();
  }
}

Deno.test("convNormChain() is the same where convolutions and sums normalise what they read", async () => {
  const [read, apart] = [await chain(true), await chain(false)];
  assertEquals([read.read, apart.read], [[2, 1], [0, 0]]);
  assertEquals(read.counts, apart.counts);
  read.values.forEach((values, i) => assertClose(values, apart.values[i]!, { rtol: TOLERANCE.sum }));
});

Deno.test("convNormChain() normalises apart for ranks, hooks, and evaluation", async () => {
  const reads = async (change: (convs: Conv2d[], norms: BatchNorm2d[]) => void) => (await chain(true, change)).read;
  assertEquals(await reads((_, norms) => norms[0]!.synchronize(exchange)), [1, 1]);
  assertEquals(await reads((_, norms) => norms[3]!.synchronize(exchange)), [2, 0]);
  assertEquals(await reads((_, norms) => void norms[1]!.registerForwardHook(() => {})), [1, 1]);
  assertEquals(await reads((_, norms) => void norms[2]!.registerForwardHook(() => {})), [2, 0]);
  assertEquals(await reads((convs) => void convs[1]!.registerForwardHook(() => {})), [1, 1]);
  assertEquals(await reads((_, norms) => norms.forEach((norm) => norm.eval())), [0, 0]);
});
