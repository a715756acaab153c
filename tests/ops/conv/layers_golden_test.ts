import { backward, requireGrad } from "../../../src/autograd/mod.ts";
import { Device } from "../../../src/device/mod.ts";
import { avgPool2d } from "../../../src/ops/conv/avg_pool2d.ts";
import { batchNorm, type BatchNormOptions } from "../../../src/ops/norm/batch_norm.ts";
import { crossEntropy } from "../../../src/ops/reduce/cross_entropy.ts";
import { globalAvgPool } from "../../../src/ops/conv/global_avg_pool.ts";
import { l2Normalize } from "../../../src/ops/norm/l2_normalize.ts";
import { maxPool2d } from "../../../src/ops/conv/max_pool2d.ts";
import type { Pool2dOptions } from "../../../src/ops/conv/pool_geometry.ts";
import { type Tensor, tensor } from "../../../src/tensor/mod.ts";
import { assertClose, TOLERANCE } from "../../../src/testing/mod.ts";
import { arrayOf, floatsOf, type OpCase, opCases, readFixture } from "../../fixtures/read.ts";

await Device.open();
const fixture = readFixture("ops");

function floats(key: string): Tensor {
  return tensor(floatsOf(fixture, key), { shape: arrayOf(fixture, key).shape });
}

/** Runs a case of PyTorch's and compares output and gradients. */
async function check(one: OpCase, run: (...inputs: Tensor[]) => Tensor): Promise<void> {
  const inputs = Array.from({ length: one.inputs }, (_, i) => floats(`${one.name}.in${i}`));
  for (const i of one.grads) requireGrad(inputs[i]!);
  const y = run(...inputs);
  assertClose(await y.data(), floatsOf(fixture, `${one.name}.out`), { rtol: TOLERANCE.sum });
  if (one.grads.length === 0) return;
  backward(y, { grad: floats(`${one.name}.seed`) });
  for (const i of one.grads) {
    const golden = floatsOf(fixture, `${one.name}.grad${i}`);
    // 1e-6: a gradient that is zero but for rounding, of weights before a normalisation of few values.
    assertClose(await inputs[i]!.grad!.data(), golden, { rtol: TOLERANCE.goldenGradient, atol: 1e-6 });
  }
}

for (const one of opCases("batchNorm")) {
  Deno.test(`batchNorm() agrees with PyTorch: ${one.name}`, async () => {
    const runningMean = floats(`${one.name}.runningMeanBefore`);
    const runningVar = floats(`${one.name}.runningVarBefore`);
    const { training, relu, momentum, eps } = one.attrs as unknown as BatchNormOptions;
    const options = { runningMean, runningVar, training, relu, momentum, eps };
    await check(
      one,
      (x, weight, bias, residual) => batchNorm(x!, { ...options, weight: weight!, bias: bias!, residual }),
    );
    assertClose(await runningMean.data(), floatsOf(fixture, `${one.name}.runningMeanAfter`));
    assertClose(await runningVar.data(), floatsOf(fixture, `${one.name}.runningVarAfter`));
  });
}

const POOLS = { maxPool2d, avgPool2d };
for (const op of ["maxPool2d", "avgPool2d"] as const) {
  for (const one of opCases(op)) {
    Deno.test(`${op}() agrees with PyTorch: ${one.name}`, async () => {
      await check(one, (x) => POOLS[op](x!, one.attrs as unknown as Pool2dOptions));
    });
  }
}

for (const one of opCases("globalAvgPool")) {
  Deno.test(`globalAvgPool() agrees with PyTorch: ${one.name}`, async () => {
    await check(one, (x) => globalAvgPool(x!));
  });
}

for (const one of opCases("l2Normalize")) {
  Deno.test(`l2Normalize() agrees with PyTorch: ${one.name}`, async () => {
    await check(one, (x) => l2Normalize(x!, { eps: one.attrs.eps as number }));
  });
}

for (const one of opCases("crossEntropy")) {
  Deno.test(`crossEntropy() agrees with PyTorch: ${one.name}`, async () => {
    const labels = floatsOf(fixture, `${one.name}.in1`);
    await check({ ...one, inputs: 1 }, (x) => crossEntropy(x!, labels));
  });
}
