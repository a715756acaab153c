import { defineOp } from "../../autograd/mod.ts";
import { defineProgram } from "../../device/mod.ts";
import { lib_flat, lib_nan } from "../../shaders/lib.ts";
import { arg_max as code } from "../../shaders/reduce.ts";
import { sizeOf, Tensor } from "../../tensor/mod.ts";
import { normalizeDim } from "../../tensor/internal.ts";
import { checkFloat, checkReduction } from "../shared/check.ts";
import { partsOf, reducedShape } from "../shared/reduce.ts";

const TYPES = "alias F = f32;\nalias U = u32;\nalias B = bool;";
function program(name: string, row: string) {
  const rowAt = `fn row_at(k: u32, outer: u32, column: u32) -> u32 { return ${row}; }`;
  return defineProgram({ name, code: [lib_flat, lib_nan, TYPES, rowAt, code], entryPoint: "choose" });
}
const FIRST = program("argMax", "k");
const FURTHER = program("argMax merge", "best[(outer * params.count + k) * params.columns + column]");

const argMaxOp = defineOp<[Tensor], { readonly dim: number | null; readonly keepDim: boolean }, "u32">({
  name: "argMax",
  notDifferentiable: "it is piecewise constant",
  forward(_context, [x], { dim, keepDim }) {
    const shape = dim === null ? [1, x.size, 1] : [
      sizeOf(x.shape.slice(0, dim)),
      x.shape[dim]!,
      sizeOf(x.shape.slice(dim + 1)),
    ];
    const dims = dim === null ? x.shape.map((_, axis) => axis) : [dim];
    return choose(x, shape as [number, number, number], null).alias(reducedShape(x.shape, dims, keepDim));
  },
});

/** Best rows of x [outer, rows, columns], among the candidates [outer, count, columns] where there are. */
function choose(x: Tensor, shape: readonly [number, number, number], candidates: Tensor | null): Tensor {
  const [outer, rows, columns] = shape;
  const count = candidates ? candidates.shape[1]! : rows;
  const slices = partsOf(x, outer * columns, count);
  const y = new Tensor(x.device, [outer, slices, columns], { dtype: "u32" });
  const items = y.size;
  x.device.dispatch(candidates ? FURTHER : FIRST, {
    params: { items, rows, columns, slices, count },
    buffers: { 1: x.storage, 2: y.storage, 3: candidates?.storage },
    workgroups: x.device.groups(items, 64),
  });
  return slices === 1 ? y : choose(x, shape, y);
}

/**
 * Index of the largest element along an axis, or in row-major order of all. NaN counts as the largest, as in PyTorch; of
 * equal ones the first is taken. It has no gradient: call it inside `noGrad()`, or on a `detach()`ed tensor.
 *
 * @param x Any shape, f32, with at least one element along the axis.
 * @param options `dim`, negative ones counted from the end (all elements by default); `keepDim` keeps the axis with size 1.
 * @returns u32, the shape of the axes that are left.
 * @throws {TypeError} If the dtype is not f32, there is nothing to compare, or a gradient is wanted.
 * @throws {RangeError} If `dim` is out of range.
 *
 * @example Usage
 * ```ts
 * import { argMax, Device, tensor } from "@decoupled/uniformity";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const scores = tensor([[1, 3, 2], [6, 5, 4]]);
 * assertEquals(await argMax(scores, { dim: 1 }).data(), new Uint32Array([1, 0]));
 * assertEquals(await argMax(scores).item(), 3);
 * ```
 */
export function argMax(x: Tensor, options: { dim?: number; keepDim?: boolean } = {}): Tensor<"u32"> {
  checkReduction("argMax", options);
  checkFloat("argMax", x);
  const dim = options.dim === undefined ? null : normalizeDim(options.dim, x.rank, "argMax");
  if ((dim === null ? x.size : x.shape[dim]) === 0) {
    throw new TypeError(`Cannot compute argMax() as there must be something to compare: got x [${x.shape}]`);
  }
  return argMaxOp([x], { dim, keepDim: options.keepDim ?? false });
}
