import { defineOp, noGrad } from "../../autograd/mod.ts";
import { defineProgram } from "../../device/mod.ts";
import { lib_flat } from "../../shaders/lib.ts";
import { take_along as alongCode } from "../../shaders/move.ts";
import { type DType, Tensor, zeros } from "../../tensor/mod.ts";
import { checkOptions, normalizeDim } from "../../tensor/internal.ts";
import { checkWords } from "../shared/check.ts";
import { aroundDim } from "./_around_dim.ts";
import { orderOf } from "./_order.ts";
import { slice } from "./slice.ts";

const TAKE = defineProgram({ name: "sort values", code: [lib_flat, alongCode], entryPoint: "take_along" });
const PUT = defineProgram({ name: "sort grad", code: [lib_flat, alongCode], entryPoint: "put_along" });

/** Values in their order, and where they were. */
export interface Sorted<D extends DType = DType> {
  /** The values, of the dtype of x; gradients flow through them. */
  readonly values: Tensor<D>;
  /** Indices of the elements along the axis, of the same shape. */
  readonly indices: Tensor<"u32">;
}

/** Settings of {@linkcode sort}. */
export interface SortOptions {
  /** The axis, negative ones counted from the end; the last by default. */
  readonly dim?: number;
  /** Order from the largest on; false by default. */
  readonly descending?: boolean;
}

/** Settings of {@linkcode topK}. */
export interface TopKOptions {
  /** The axis, negative ones counted from the end; the last by default. */
  readonly dim?: number;
  /** Take the largest (the default), or the smallest. */
  readonly largest?: boolean;
}

const orderOp = defineOp<[Tensor], { readonly dim: number; readonly descending: boolean }, "u32">({
  name: "sort",
  notDifferentiable: "its indices are piecewise constant",
  forward(_context, [x], { dim, descending }) {
    const kind = x.dtype === "f32" ? "float" : x.dtype === "i32" ? "signed" : "unsigned";
    const [, rows, columns] = aroundDim(x.shape, dim);
    return orderOf(x, { rows, columns, kind, descending });
  },
});

/** Takes x at indices along an axis that differ from each other within a slice. */
const takeAlongOp = defineOp<[Tensor, Tensor], { readonly dim: number }, DType>({
  name: "sort",
  forward(context, [x, index], { dim }) {
    context.save(index);
    const y = new Tensor(x.device, index.shape, { dtype: x.dtype });
    along(TAKE, { index, from: x, to: y }, x.shape, dim);
    return y;
  },
  backward({ saved: [index], shapes: [shape] }, grad, { dim }) {
    const gradX = zeros(shape!, { device: grad.device });
    along(PUT, { index: index!, from: grad, to: gradX }, shape!, dim);
    return [gradX, null];
  },
});

function along(
  program: typeof TAKE,
  { index, from, to }: { index: Tensor; from: Tensor; to: Tensor },
  shape: Tensor["shape"],
  dim: number,
): void {
  if (index.size === 0) return;
  const [, rows, columns] = aroundDim(shape, dim);
  index.device.dispatch(program, {
    params: { items: index.size, rows, columns, count: index.shape[dim]! },
    buffers: { 1: index.storage, 2: from.storage, 3: to.storage },
    workgroups: index.device.groups(index.size, 64),
  });
}

/**
 * Sorts along an axis, as `torch.sort` with `stable=True`: equal values keep their order, NaN is larger than all, −0
 * equals 0.
 *
 * @param x Any shape of rank ≥ 1, f32, i32 or u32.
 * @param options `dim` and `descending`.
 * @returns `values` and `indices` (u32), both of the shape of `x`. Gradients flow to the places that values came from.
 * @throws {TypeError} If the dtype is another.
 * @throws {RangeError} If `dim` is out of range.
 *
 * @example Usage
 * ```ts
 * import { Device, tensor } from "@decoupled/uniformity";
 * import { sort } from "@decoupled/uniformity/ops";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const { values, indices } = sort(tensor([3, 1, 2]), { descending: true });
 * assertEquals(await values.data(), new Float32Array([3, 2, 1]));
 * assertEquals(await indices.data(), new Uint32Array([0, 2, 1]));
 * ```
 */
export function sort<D extends DType>(x: Tensor<D>, options: SortOptions = {}): Sorted<D> {
  checkOptions("compute sort()", options, ["dim", "descending"]);
  checkWords("sort", x);
  const { descending = false } = options;
  const dim = normalizeDim(options.dim ?? -1, x.rank, "sort");
  const indices = noGrad(() => orderOp([x], { dim, descending }));
  return { values: takeAlongOp([x, indices], { dim }) as Tensor<D>, indices };
}

/**
 * Takes the k largest or smallest values along an axis, in their order, as `torch.topk`; of equal ones the first, and NaN
 * as larger than all. It sorts the whole axis.
 *
 * @param x Any shape of rank ≥ 1, f32, i32 or u32.
 * @param k How many, at most the size of the axis.
 * @param options `dim` and `largest`.
 * @returns `values` and `indices` (u32), of the shape of `x` with size k along `dim`.
 * @throws {TypeError} If the dtype is another.
 * @throws {RangeError} If `dim` or k is out of range.
 *
 * @example Usage
 * ```ts
 * import { Device, tensor } from "@decoupled/uniformity";
 * import { topK } from "@decoupled/uniformity/ops";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const { values, indices } = topK(tensor([3, 1, 4, 1, 5]), 2);
 * assertEquals(await values.data(), new Float32Array([5, 4]));
 * assertEquals(await indices.data(), new Uint32Array([4, 2]));
 * ```
 */
export function topK<D extends DType>(x: Tensor<D>, k: number, options: TopKOptions = {}): Sorted<D> {
  checkOptions("compute topK()", options, ["dim", "largest"]);
  checkWords("topK", x);
  const dim = normalizeDim(options.dim ?? -1, x.rank, "topK");
  if (!Number.isInteger(k) || k < 0 || k > x.shape[dim]!) {
    throw new RangeError(
      `Cannot compute topK() as k must be an integer in [0, ${x.shape[dim]}]: got ${k} for x [${x.shape}]`,
    );
  }
  const order = noGrad(() => orderOp([x], { dim, descending: options.largest ?? true }));
  const indices = slice(order, x.shape.map((_, axis) => axis === dim ? { stop: k } : null));
  return { values: takeAlongOp([x, indices], { dim }) as Tensor<D>, indices };
}
