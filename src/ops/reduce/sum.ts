import { defineOp } from "../../autograd/mod.ts";
import { sizeOf, type Tensor } from "../../tensor/mod.ts";
import { normalizeDims } from "../../tensor/internal.ts";
import { checkFloat, checkReduction } from "../shared/check.ts";
import { elementwise } from "../elementwise/elementwise.ts";
import { reduce, reducedShape } from "../shared/reduce.ts";

/** Options of reductions: axes, and whether to keep them. */
export interface ReduceOptions {
  /** One axis or several, negative ones counted from the end; all by default. */
  dim?: number | readonly number[];
  /** Keep the reduced axes with size 1; false by default. */
  keepDim?: boolean;
}

interface Attrs {
  readonly dims: readonly number[];
  readonly keepDim: boolean;
  readonly scale: number;
}

const SPREAD = { name: "spread", args: ["g", "scale"], value: "g * scale" } as const;

function defineSum(name: string): (inputs: [Tensor], attrs: Attrs) => Tensor<"f32"> {
  return defineOp<[Tensor], Attrs>({
    name,
    forward: (_context, [x], { dims, keepDim, scale }) => reduce("sum", x, dims, { keepDim, scale }),
    backward({ shapes: [shape] }, grad, { dims, scale }) {
      return [elementwise(SPREAD, grad.device, [grad.alias(reducedShape(shape!, dims, true)), scale], shape!)];
    },
  });
}

const sumOp = defineSum("sum");
const meanOp = defineSum("mean");

/**
 * The sum over some or all axes, in f32, in blocks: its error grows far slower than that of a running sum.
 *
 * @param x Any shape, f32.
 * @param options `dim` and `keepDim`.
 * @returns The shape of the axes that are left; 0 where there is nothing to add.
 * @throws {TypeError} If the dtype is not f32.
 * @throws {RangeError} If a dim is out of range or given twice.
 *
 * @example Usage
 * ```ts
 * import { Device, sum, tensor } from "@decoupled/uniformity";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const x = tensor([[1, 2, 3], [4, 5, 6]]);
 * assertEquals(await sum(x).item(), 21);
 * assertEquals(await sum(x, { dim: 0 }).data(), new Float32Array([5, 7, 9]));
 * assertEquals(sum(x, { dim: -1, keepDim: true }).shape, [2, 1]);
 * ```
 */
export function sum(x: Tensor, options: ReduceOptions = {}): Tensor<"f32"> {
  checkReduction("sum", options);
  checkFloat("sum", x);
  const dims = normalizeDims(options.dim, x.rank, "sum");
  return sumOp([x], { dims, keepDim: options.keepDim ?? false, scale: 1 });
}

/**
 * The mean over some or all axes.
 *
 * @param x Any shape, f32, with at least one element along the axes.
 * @param options `dim` and `keepDim`.
 * @returns The shape of the axes that are left.
 * @throws {TypeError} If the dtype is not f32, or there is nothing to average.
 * @throws {RangeError} If a dim is out of range or given twice.
 *
 * @example Usage
 * ```ts
 * import { Device, mean, tensor } from "@decoupled/uniformity";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const x = tensor([[1, 2, 3], [4, 5, 6]]);
 * assertEquals(await mean(x).item(), 3.5);
 * assertEquals(await mean(x, { dim: 1 }).data(), new Float32Array([2, 5]));
 * ```
 */
export function mean(x: Tensor, options: ReduceOptions = {}): Tensor<"f32"> {
  checkReduction("mean", options);
  checkFloat("mean", x);
  const dims = normalizeDims(options.dim, x.rank, "mean");
  const count = sizeOf(dims.map((dim) => x.shape[dim]!));
  if (count === 0) {
    throw new TypeError(
      `Cannot compute mean() as there must be something to average: got x [${x.shape}] along [${dims}]`,
    );
  }
  return meanOp([x], { dims, keepDim: options.keepDim ?? false, scale: 1 / count });
}
