import { defineOp } from "../../autograd/mod.ts";
import type { Tensor } from "../../tensor/mod.ts";
import { pairGrads, pairMatrix, pairPrograms, pairShape, pairWeights } from "./_pairs.ts";

const PROGRAMS = pairPrograms("squaredDistances", "d2");

const squaredDistancesOp = defineOp<[Tensor, Tensor], null>({
  name: "squaredDistances",
  forward(context, [x, y]) {
    context.save(x, y);
    return pairMatrix(PROGRAMS, x, y, 0);
  },
  backward: ({ saved: [x, y], needsGrad }, grad) => pairGrads(pairWeights(grad, null, 2), x!, y!, needsGrad),
});

/**
 * Squared Euclidean distances of all pairs of rows: `d[i, j] = Σ_f (x[i, f] − y[j, f])²`.
 *
 * The sum runs over differences, not over `‖x‖² + ‖y‖² − 2 x·y`: it is never negative, exactly 0 for equal rows, and its
 * relative error is that of a sum of d positive terms (below d/4 · 2⁻²⁴, in practice about √d · 2⁻²⁴), however near the
 * rows are. When `y` is `x`, half of the matrix is computed and mirrored.
 *
 * @param x Rows, f32 `[n, d]`.
 * @param y Rows, f32 `[m, d]`.
 * @returns f32 `[n, m]`.
 * @throws {TypeError} If the ranks are not 2, the widths differ, or a dtype is not f32.
 *
 * @example Usage
 * ```ts
 * import { Device, squaredDistances, tensor } from "@decoupled/uniformity";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const d = squaredDistances(tensor([[0, 0], [3, 4]]), tensor([[0, 0]]));
 * assertEquals(await d.data(), new Float32Array([0, 25]));
 * ```
 */
export function squaredDistances(x: Tensor, y: Tensor): Tensor<"f32"> {
  pairShape("squaredDistances", x, y);
  return squaredDistancesOp([x, y], null);
}
