import { defineOp } from "../../autograd/mod.ts";
import type { Tensor } from "../../tensor/mod.ts";
import { checkOptions, normalizeDims } from "../../tensor/internal.ts";
import { checkFloat, checkReduction } from "../shared/check.ts";
import { elementwise } from "../elementwise/elementwise.ts";
import { reduce, reducedShape } from "../shared/reduce.ts";
import type { ReduceOptions } from "./sum.ts";

interface Attrs {
  readonly dims: readonly number[];
  readonly keepDim: boolean;
}

const IS_BEST = { name: "max grad mask", args: ["x", "y"], value: "select(F(0.0), F(1.0), x == y)" };
const SHARE = { name: "max grad share", args: ["g", "count"], value: "g / count" };
const GRAD = { name: "max grad", args: ["g", "mask"], value: "g * mask" };

function defineExtremum(name: "max" | "min"): (inputs: [Tensor], attrs: Attrs) => Tensor<"f32"> {
  return defineOp<[Tensor], Attrs>({
    name,
    forward(context, [x], { dims, keepDim }) {
      const y = reduce(name, x, dims, { keepDim });
      context.save(x, y);
      return y;
    },
    backward({ saved: [x, y] }, grad, { dims }) {
      const { device, shape } = x!;
      const kept = reducedShape(shape, dims, true);
      const mask = elementwise(IS_BEST, device, [x!, y!.alias(kept)], shape);
      const count = reduce("sum", mask, dims, { keepDim: true });
      const share = elementwise(SHARE, device, [grad.alias(kept), count], kept);
      return [elementwise(GRAD, device, [share, mask], shape)];
    },
  });
}

const maxOp = defineExtremum("max");
const minOp = defineExtremum("min");

function extremum(name: "max" | "min", x: Tensor, options: ReduceOptions): Tensor<"f32"> {
  checkFloat(name, x);
  checkReduction(name, options);
  const dims = normalizeDims(options.dim, x.rank, name);
  if (dims.some((dim) => x.shape[dim] === 0)) {
    throw new TypeError(
      `Cannot compute ${name}() as there must be something to compare: got x [${x.shape}] along [${dims}]`,
    );
  }
  return (name === "max" ? maxOp : minOp)([x], { dims, keepDim: options.keepDim ?? false });
}

/**
 * The largest element over some or all axes, NaN where there is one. The gradient is shared evenly by all that equal it,
 * as PyTorch's `amax`.
 *
 * @param x Any shape, f32, with at least one element along the axes.
 * @param options `dim` and `keepDim`.
 * @returns The shape of the axes that are left.
 * @throws {TypeError} If the dtype is not f32, or there is nothing to compare.
 * @throws {RangeError} If a dim is out of range or given twice.
 *
 * @example Usage
 * ```ts
 * import { Device, max, tensor } from "@decoupled/uniformity";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const x = tensor([[1, 5], [4, 3]]);
 * assertEquals(await max(x).item(), 5);
 * assertEquals(await max(x, { dim: 0 }).data(), new Float32Array([4, 5]));
 * ```
 */
export function max(x: Tensor, options: ReduceOptions = {}): Tensor<"f32"> {
  checkOptions("compute max()", options, ["dim", "keepDim"]);
  return extremum("max", x, options);
}

/**
 * The smallest element over some or all axes; else as {@linkcode max}.
 *
 * @example Usage
 * ```ts
 * import { Device, min, tensor } from "@decoupled/uniformity";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * assertEquals(await min(tensor([[1, 5], [4, 3]]), { dim: 1 }).data(), new Float32Array([1, 3]));
 * ```
 */
export function min(x: Tensor, options: ReduceOptions = {}): Tensor<"f32"> {
  checkOptions("compute min()", options, ["dim", "keepDim"]);
  return extremum("min", x, options);
}
