import { defineOp } from "../../autograd/mod.ts";
import { askOnce } from "../../autograd/internal.ts";
import { defineProgram } from "../../device/mod.ts";
import { dropout as code } from "../../shaders/elementwise.ts";
import { lib_flat, lib_philox } from "../../shaders/lib.ts";
import { type FloatDType, type Key, Tensor } from "../../tensor/mod.ts";
import { checkOptions, elementAliases, floatOf } from "../../tensor/internal.ts";
import { checkFloat } from "../shared/check.ts";

/** Settings of {@linkcode dropout} and {@linkcode stochasticDepth}. */
export interface DropoutOptions {
  /** Part that is zeroed, 0 ≤ p < 1. */
  p: number;
  /**
   * Key of the draws: the same key gives the same ones. In a step that is recorded and replayed, a function that gives
   * the key of each step; it is asked in the forward pass, and the gradient goes by its answer.
   */
  key: Key | (() => Key);
}

function program(dtype: FloatDType) {
  return defineProgram({
    name: "dropout",
    code: [elementAliases({ X: dtype }, 1), lib_flat, lib_philox, code],
    entryPoint: "main",
  });
}

const PROGRAMS = { f32: program("f32"), f16: program("f16") } as const;

interface Attrs {
  readonly p: number;
  /** Elements that share a draw. */
  readonly inner: number;
  /** Takes the key of the next step, in the forward pass. */
  readonly next: () => Key;
  /** The key of this step. */
  now: Key;
}

const dropoutOp = defineOp<readonly [Tensor], Attrs>({
  name: "dropout",
  half: true,
  forward: (_context, [x], attrs) => run(x, attrs, () => (attrs.now = attrs.next())[0]),
  backward: (_context, grad, attrs) => [run(grad, attrs, () => attrs.now[0])],
});

function run(x: Tensor, attrs: Attrs, key0: () => number): Tensor {
  const y = new Tensor(x.device, x.shape, { dtype: floatOf(x) });
  const { p, inner } = attrs;
  // Scalars are asked for in the order of Params: key0 first.
  x.device.dispatch(PROGRAMS[floatOf(x)], {
    params: { size: x.size, inner, key0, key1: () => attrs.now[1], p, scale: 1 / (1 - p) },
    buffers: { 1: x.storage, 2: y.storage },
    workgroups: x.device.groups(x.size, 64),
  });
  return y;
}

/**
 * Dropout: zeroes each element with probability p and divides the others by 1 − p, as PyTorch's `dropout` in training;
 * draws come from Philox4x32-10.
 *
 * @param x Any shape, f32 or f16.
 * @param options `p` and `key`.
 * @returns The shape and dtype of x; x itself where p is 0.
 * @throws {TypeError} If x is not f32 or f16.
 * @throws {RangeError} If p is not in [0, 1).
 *
 * @example Usage
 * ```ts
 * import { Device, key, ones } from "@decoupled/uniformity";
 * import { dropout } from "@decoupled/uniformity/ops";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const y = await dropout(ones([100]), { p: 0.5, key: key(1) }).data();
 * assertEquals(new Set(y), new Set([0, 2]));
 * ```
 *
 * @see Srivastava et al., "Dropout", JMLR 15 (2014).
 */
export function dropout(x: Tensor, options: DropoutOptions): Tensor<"f32"> {
  checkOptions("compute dropout()", options, ["p", "key"]);
  return drop("dropout", x, options, 1);
}

/**
 * Stochastic depth: zeroes whole samples of a residual branch with probability p and divides the others by 1 − p, as
 * timm's `DropPath` in training.
 *
 * @param x `[batch, …]`, f32 or f16.
 * @param options `p` and `key`.
 * @returns The shape and dtype of x; x itself where p is 0.
 * @throws {TypeError} If x is a scalar, or not f32 or f16.
 * @throws {RangeError} If p is not in [0, 1).
 *
 * @example Usage
 * ```ts
 * import { Device, key, ones } from "@decoupled/uniformity";
 * import { stochasticDepth } from "@decoupled/uniformity/ops";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const y = await stochasticDepth(ones([20, 3]), { p: 0.5, key: key(1) }).data();
 * assertEquals([y[0], y[0]], [y[1], y[2]]);
 * ```
 *
 * @see Huang et al., "Deep Networks with Stochastic Depth", arXiv:1603.09382.
 */
export function stochasticDepth(x: Tensor, options: DropoutOptions): Tensor<"f32"> {
  checkOptions("compute stochasticDepth()", options, ["p", "key"]);
  if (x.rank < 1) throw new TypeError(`Cannot compute stochasticDepth() as x must be [batch, ...]: got x []`);
  return drop("stochasticDepth", x, options, x.size / Math.max(1, x.shape[0]!));
}

function drop(op: string, x: Tensor, { p, key }: DropoutOptions, inner: number): Tensor<"f32"> {
  checkFloat(op, x);
  if (!(p >= 0 && Math.fround(p) < 1)) { // 1 − 1e-9 is 1 on the device, which would keep nothing
    throw new RangeError(`Cannot compute ${op}() as p must be in [0, 1): current value is ${p}`);
  }
  if (p === 0 || x.size === 0) return x as Tensor<"f32">;
  const next = typeof key === "function" ? askOnce(key) : () => key;
  return dropoutOp([x], { p, inner, next, now: [0, 0] });
}
