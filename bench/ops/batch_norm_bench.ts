import { assertClose } from "../../src/testing/mod.ts";
import { backward, requireGrad } from "../../src/autograd/mod.ts";
import { Device } from "../../src/device/mod.ts";
import { benchOn } from "../_bench.ts";
import { batchNorm, type BatchNormOptions } from "../../src/ops/norm/batch_norm.ts";
import { full, key, normal, ones, type Shape, type Tensor, zeros } from "../../src/tensor/mod.ts";

const device = await Device.open();
const bench = await benchOn(device);

function makeOptions(c: number): BatchNormOptions {
  return {
    weight: requireGrad(ones([c])),
    bias: requireGrad(zeros([c])),
    runningMean: zeros([c]),
    runningVar: ones([c]),
    training: true,
    relu: true,
  };
}

/** Right first: the mean of relu(z), z normal, is 1 / √(2π). */
async function check(x: Tensor, options: BatchNormOptions): Promise<void> {
  const y = await batchNorm(x, options).data();
  let total = 0;
  for (const value of y) total += value;
  assertClose([total / y.length], [1 / Math.sqrt(2 * Math.PI)], { rtol: 1e-2 });
}

function dropGrads(tensors: Tensor[]): void {
  for (const tensor of tensors) {
    tensor.grad?.dispose();
    tensor.grad = null;
  }
}

const SHAPES: Shape[] = [
  [16, 32, 32, 64],
  [16, 4, 4, 512],
  ...(device.info.family === "gpu" ? [[256, 32, 32, 64]] : []),
];

for (const shape of SHAPES) {
  const c = shape.at(-1)!;
  const options = makeOptions(c);
  const x = requireGrad(normal(shape, { key: key(1), mean: 3, std: 2 }));
  const residual = requireGrad(normal(shape, { key: key(2) }));
  const grad = full(shape, 1);
  await check(x, options);
  const [name, group] = [`batchNorm+ReLU [${shape}]`, `batchNorm [${shape}]`];
  await bench(`${name} forward`, () => batchNorm(x, options), { group, baseline: true });
  for (const fused of [options, { ...options, residual }]) {
    await bench(`${name} forward+backward${fused.residual ? " with residual" : ""}`, () => {
      backward(batchNorm(x, fused), { grad });
      dropGrads([x, residual, options.weight, options.bias]);
    }, { group });
  }
}
