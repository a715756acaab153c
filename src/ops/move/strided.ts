// Copies between arrays that are walked with any strides: what permute, slice, flip, pad, concat and broadcastTo are made of.
import { defineProgram } from "../../device/mod.ts";
import { lib_flat } from "../../shaders/lib.ts";
import { strided as code } from "../../shaders/move.ts";
import { type Shape, sizeOf, Tensor } from "../../tensor/mod.ts";
import { stridesOf } from "../../tensor/internal.ts";
import { collapse } from "../shared/axes.ts";
import { arrayParams } from "../shared/params.ts";

/** Walk over an array: the element to start at, and the stride along each axis. */
export interface Walk {
  /** The array. */
  readonly tensor: Tensor;
  /** First element; 0 by default. */
  readonly offset?: number;
  /** Elements from one index to the next along each axis; those of a contiguous array by default. */
  readonly strides?: readonly number[];
}

const SINGLE = defineProgram({
  name: "strided",
  code: [lib_flat, "alias W = u32;", code],
  entryPoint: "copy",
});
const WIDE = defineProgram({ name: "strided", code: [lib_flat, "alias W = vec4u;", code], entryPoint: "copy" });

/** Copies the elements of `x` along its walk to those of `y` along its own; `sizes` are the axes of both. */
export function copyStrided(op: string, x: Walk, y: Walk, sizes: Shape): void {
  const size = sizeOf(sizes);
  if (size === 0) return;
  const contiguous = stridesOf(sizes);
  const walk = collapse({ sizes, strides: [x.strides ?? contiguous, y.strides ?? contiguous] }, op);
  const offsets = [x.offset ?? 0, y.offset ?? 0] as const;
  const unit = isWide(walk.sizes, walk.strides, offsets) ? 4 : 1;
  const last = walk.sizes.length - 1;
  const strideOf = (array: 0 | 1, d: number) => (walk.strides[array]![d] ?? 0) / (d === last ? 1 : unit);
  const { device } = x.tensor;
  device.dispatch(unit === 4 ? WIDE : SINGLE, {
    params: {
      size: size / unit,
      x_offset: offsets[0] / unit,
      y_offset: offsets[1] / unit,
      unused: 0,
      ...arrayParams(code, "sizes", (d) => (walk.sizes[d] ?? 1) / (d === last ? unit : 1)),
      ...arrayParams(code, "x_strides", (d) => strideOf(0, d)),
      ...arrayParams(code, "y_strides", (d) => strideOf(1, d)),
    },
    buffers: { 1: x.tensor.storage, 2: y.tensor.storage },
    workgroups: device.groups(size / unit, 64),
    constants: { RANK: Math.max(1, walk.sizes.length) },
  });
}

/** Tells whether every step and start is a whole vector of four. */
function isWide(
  sizes: readonly number[],
  strides: readonly (readonly number[])[],
  offsets: readonly number[],
): boolean {
  const whole = (n: number) => n % 4 === 0;
  return sizes.length > 0 && whole(sizes.at(-1)!) && offsets.every(whole) &&
    strides.every((each) => each.at(-1) === 1 && each.slice(0, -1).every(whole));
}

/** A new array of `shape`, gathered from x along a walk. */
export function gatherStrided(op: string, walk: Walk, shape: Shape): Tensor {
  const y = new Tensor(walk.tensor.device, shape, { dtype: walk.tensor.dtype });
  copyStrided(op, walk, { tensor: y }, shape);
  return y;
}
