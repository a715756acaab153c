import { defineOp } from "../../autograd/mod.ts";
import type { Tensor } from "../../tensor/mod.ts";
import { checkOptions, checkSetting } from "../../tensor/internal.ts";
import { pairGrads, pairMatrix, pairPrograms, pairShape, pairWeights } from "./_pairs.ts";

const PROGRAMS = pairPrograms("rbfGram", "exp(-params.gamma * d2)");

/** Largest gamma: twice as much, as the gradient needs, is still an f32. */
const MOST_GAMMA = 1e38;

/** Options of {@linkcode rbfGram}. */
export interface RbfGramOptions {
  /** γ > 0, in 1/length²; `1 / (2σ²)` for a width σ. */
  readonly gamma: number;
}

const rbfGramOp = defineOp<[Tensor, Tensor], RbfGramOptions>({
  name: "rbfGram",
  forward(context, [x, y], { gamma }) {
    const gram = pairMatrix(PROGRAMS, x, y, gamma);
    context.save(x, y, gram);
    return gram;
  },
  backward({ saved: [x, y, gram], needsGrad }, grad, { gamma }) {
    return pairGrads(pairWeights(grad, gram!, -2 * gamma), x!, y!, needsGrad);
  },
});

/**
 * Gram matrix of the Gaussian (RBF) kernel: `k[i, j] = exp(−γ ‖x[i] − y[j]‖²)`.
 *
 * Distances are sums of squared differences ({@linkcode squaredDistances}): the diagonal is exactly 1 when `y` is `x`,
 * and no element exceeds 1.
 *
 * @param x Rows, f32 `[n, d]`.
 * @param y Rows, f32 `[m, d]`.
 * @param options `gamma` > 0, in 1/length².
 * @returns f32 `[n, m]`, in [0, 1].
 * @throws {TypeError} If the ranks are not 2, the widths differ, or a dtype is not f32.
 * @throws {RangeError} If `gamma` is not > 0 and ≤ 1e38 as an f32.
 *
 * @example Usage
 * ```ts
 * import { Device, rbfGram, tensor } from "@decoupled/uniformity";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const k = rbfGram(tensor([[0, 0]]), tensor([[1, 1]]), { gamma: 0.5 });
 * assertAlmostEquals(await k.item(), Math.exp(-1), 1e-6);
 * ```
 */
export function rbfGram(x: Tensor, y: Tensor, options: RbfGramOptions): Tensor<"f32"> {
  checkOptions("compute rbfGram()", options, ["gamma"]);
  const { gamma } = options;
  pairShape("rbfGram", x, y);
  checkSetting("compute rbfGram()", "gamma", gamma, { most: MOST_GAMMA });
  return rbfGramOp([x, y], { gamma });
}
