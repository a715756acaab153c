import { defineOp } from "../autograd/mod.ts";
import type { Exchange } from "../distributed/mod.ts";
import { slice } from "../ops/mod.ts";
import type { Tensor } from "../tensor/mod.ts";

interface Attrs {
  readonly exchange: Exchange;
  readonly counts: readonly number[];
}

const gatherOp = defineOp<[Tensor], Attrs>({
  name: "gatherRanks",
  forward: (_context, [x], { exchange, counts }) => exchange.gather(x, counts),
  backward(_context, grad, { exchange: { group: { rank } }, counts }) {
    const start = counts.slice(0, rank).reduce((a, b) => a + b, 0);
    return [slice(grad, [{ start, stop: start + counts[rank]! }])];
  },
});

/**
 * Joins the rows of all ranks. Its gradient is that of this rank's rows: when every rank then computes one and the same
 * loss, the sum over ranks of the weights' gradients is the gradient of that loss.
 *
 * @param x `[rows, …]`, f32.
 * @param counts Rows of each rank.
 * @returns `[sum of counts, …]`, the same on all ranks.
 */
export function gatherRanks(x: Tensor, exchange: Exchange, counts: readonly number[]): Tensor {
  return gatherOp([x], { exchange, counts });
}
