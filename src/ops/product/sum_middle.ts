// Sums over a middle axis: the partial results of a split sum, and the gradients of an operand that was broadcast.
import { defineProgram } from "../../device/mod.ts";
import { lib_flat } from "../../shaders/lib.ts";
import { matmul_reduce } from "../../shaders/product.ts";
import { type FloatDType, Tensor } from "../../tensor/mod.ts";
import { elementAliases, floatOf } from "../../tensor/internal.ts";

function reduceProgram(x: FloatDType, y: FloatDType) {
  return defineProgram({
    name: "sumMiddle",
    code: [elementAliases({ X: x, Y: y }), lib_flat, matmul_reduce],
    entryPoint: "main",
  });
}

const REDUCE = {
  f32: { f32: reduceProgram("f32", "f32"), f16: reduceProgram("f32", "f16") },
  f16: { f32: reduceProgram("f16", "f32"), f16: reduceProgram("f16", "f16") },
} as const;

/** Longest loop of a reduction. */
const REDUCE_DEPTH = 1024;

/** View of a tensor as `[outer, length, inner]`. */
export interface MiddleAxis {
  readonly outer: number;
  readonly length: number;
  /** A multiple of 4. */
  readonly inner: number;
  /** Bias of every `cols` elements. */
  readonly bias?: Tensor;
  readonly cols?: number;
  /** Whether to add to what y holds; false by default. */
  readonly accumulate?: boolean;
}

/** Sums over the middle axis, in f32, into `y`, `[outer, inner]`; in stages where the axis is long. */
export function sumMiddleInto(x: Tensor, y: Tensor, axis: MiddleAxis): void {
  const { device } = x;
  const { outer, length, bias } = axis;
  const chunks = Math.ceil(length / REDUCE_DEPTH);
  const target: Tensor = chunks === 1 ? y : new Tensor(device, [outer, chunks, axis.inner]);
  const inner = axis.inner / 4;
  const size = outer * chunks * inner;
  const last = chunks === 1;
  device.dispatch(REDUCE[floatOf(x)][floatOf(target)], {
    params: { size, inner, cols: (axis.cols ?? axis.inner) / 4, length, depth: Math.ceil(length / chunks), chunks },
    buffers: { 1: x.storage, 2: target.storage, 3: (bias ?? x).storage },
    workgroups: device.groups(size, 64),
    constants: { BIAS: last && bias !== undefined, ACCUMULATE: last && axis.accumulate === true },
  });
  if (last) return;
  sumMiddleInto(target, y, { ...axis, length: chunks });
  target.dispose();
}
