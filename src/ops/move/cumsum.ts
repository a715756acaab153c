import { defineOp } from "../../autograd/mod.ts";
import { defineProgram } from "../../device/mod.ts";
import { lib_flat } from "../../shaders/lib.ts";
import { scan as code } from "../../shaders/move.ts";
import { Tensor } from "../../tensor/mod.ts";
import { normalizeDim } from "../../tensor/internal.ts";
import { checkFloat } from "../shared/check.ts";
import { aroundDim } from "./_around_dim.ts";

const SUMS = defineProgram({ name: "cumsum blocks", code: [lib_flat, code], entryPoint: "block_sums" });
const RUNNING = defineProgram({ name: "cumsum", code: [lib_flat, code], entryPoint: "running_sums" });

/** Rows that one invocation adds up. */
const BLOCK = 64;

interface Attrs {
  readonly dim: number;
  readonly reverse: boolean;
}

const cumsumOp = defineOp<[Tensor], Attrs>({
  name: "cumsum",
  forward: (_context, [x], attrs) => scan(x, attrs),
  backward: (_context, grad, { dim, reverse }) => [scan(grad, { dim, reverse: !reverse })],
});

/** Running sums from the first row on, or from the last; within blocks, after those of the blocks' sums. */
function scan(x: Tensor, { dim, reverse }: Attrs): Tensor {
  const [outer, rows, columns] = aroundDim(x.shape, dim);
  const y = new Tensor(x.device, x.shape);
  if (x.size === 0) return y;
  const blocks = Math.ceil(rows / BLOCK);
  const items = outer * blocks * columns;
  const params = { items, rows, columns, blocks, block: BLOCK, reverse: reverse ? 1 : 0 };
  const workgroups = x.device.groups(items, 64);
  let before: Tensor | null = null;
  if (blocks > 1) {
    const sums = new Tensor(x.device, [outer, blocks, columns]);
    x.device.dispatch(SUMS, { params, buffers: { 1: x.storage, 2: sums.storage }, workgroups });
    before = scan(sums, { dim: 1, reverse: false }); // the blocks are in the order of the walk
    sums.dispose();
  }
  const buffers = { 1: x.storage, 2: y.storage, 3: (before ?? x).storage };
  x.device.dispatch(RUNNING, { params, buffers, workgroups });
  before?.dispose();
  return y;
}

/**
 * Computes running sums along an axis, as `torch.cumsum`: `y[…, i, …] = x[…, 0, …] + … + x[…, i, …]`. They are summed in
 * blocks of 64, which rounds less than one after the other.
 *
 * @param x Any shape of rank ≥ 1, f32.
 * @param dim The axis, negative ones counted from the end.
 * @returns The shape of `x`.
 * @throws {TypeError} If the dtype is not f32.
 * @throws {RangeError} If `dim` is out of range.
 *
 * @example Usage
 * ```ts
 * import { Device, tensor } from "@decoupled/uniformity";
 * import { cumsum } from "@decoupled/uniformity/ops";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * assertEquals(await cumsum(tensor([[1, 2, 3], [4, 5, 6]]), 1).data(), new Float32Array([1, 3, 6, 4, 9, 15]));
 * ```
 */
export function cumsum(x: Tensor, dim: number): Tensor<"f32"> {
  checkFloat("cumsum", x);
  return cumsumOp([x], { dim: normalizeDim(dim, x.rank, "cumsum"), reverse: false });
}
