import {
  backward,
  batchNorm,
  conv2d,
  Device,
  keep,
  matmul,
  ones,
  rbfGram,
  requireGrad,
  scope,
  sum,
  type Tensor,
  tensor,
  zeros,
} from "../../mod.ts";
import { decoupledUniformity } from "../../src/losses/mod.ts";
import { numbers, type Peer } from "./cases.ts";

const make = (shape: number[], seed: number) => keep(tensor(numbers(shape.reduce((a, b) => a * b), seed), { shape }));
const leaf = (shape: number[], seed: number) => requireGrad(make(shape, seed));

function value(run: () => Tensor): () => Promise<number> {
  return async () => {
    using _ = scope();
    return checksum(await run().data());
  };
}

/** Forward, backward with a gradient of ones, and the gradients read together. */
function gradient(run: () => Tensor, leaves: readonly Tensor[]): () => Promise<number> {
  return async () => {
    using _ = scope();
    backward(sum(run()));
    const grads = await Promise.all(leaves.map((each) => each.grad!.data()));
    for (const each of leaves) {
      each.grad?.dispose();
      each.grad = null;
    }
    return grads.reduce((total, each) => total + checksum(each), 0);
  };
}

/** Prepares this library. */
export async function ours(): Promise<Peer> {
  await Device.open();
  const [a, b, a1, b1] = [make([512, 512], 1), make([512, 512], 2), make([1024, 1024], 1), make([1024, 1024], 2)];
  const [x64, w64] = [leaf([16, 32, 32, 64], 1), leaf([3, 3, 64, 64], 2)];
  const [x256, w256] = [leaf([16, 8, 8, 256], 1), leaf([3, 3, 256, 256], 2)];
  const [scale, shift] = [requireGrad(keep(ones([64]))), requireGrad(keep(zeros([64])))];
  const mean = keep(zeros([64]));
  const variance = keep(ones([64]));
  const points = make([256, 2048], 3);
  const z = leaf([256, 2, 256], 4);
  const normalised = () =>
    batchNorm(x64, { weight: scale, bias: shift, runningMean: mean, runningVar: variance, training: true, relu: true });
  return {
    name: "uniformity",
    cases: {
      matmul512: value(() => matmul(a, b)),
      matmul1024: value(() => matmul(a1, b1)),
      conv64: value(() => conv2d(x64, w64, { padding: 1 })),
      conv64grad: gradient(() => conv2d(x64, w64, { padding: 1 }), [x64, w64]),
      conv256: value(() => conv2d(x256, w256, { padding: 1 })),
      conv256grad: gradient(() => conv2d(x256, w256, { padding: 1 }), [x256, w256]),
      batchNorm: gradient(normalised, [x64, scale, shift]),
      rbf: value(() => rbfGram(points, points, { gamma: 1e-3 })),
      loss: gradient(() => decoupledUniformity(z), [z]),
    },
  };
}

/** Sum of the magnitudes: alike for all libraries when their results are. */
export function checksum(values: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += Math.abs(values[i]!);
  return total;
}
