// Copies between arrays that are walked with any strides: what permute, slice, flip, pad, concat and broadcastTo are made of.
import type { Program } from "../../device/mod.ts";
import { lib_flat, strided as code } from "../../shaders/gen.ts";
import { type Shape, sizeOf, Tensor } from "../../tensor/mod.ts";
import { stridesOf } from "../../tensor/internal.ts";
import { collapse, MAX_AXES } from "../shared/axes.ts";

/** How an array is walked: the element to start at, and the stride along each axis. */
export interface Walk {
  /** The array. */
  readonly tensor: Tensor;
  /** First element; 0 by default. */
  readonly offset?: number;
  /** Elements from one index to the next along each axis; those of a contiguous array by default. */
  readonly strides?: readonly number[];
}

const SINGLE: Program = {
  name: "strided",
  code: [lib_flat, "alias W = u32;", code],
  entryPoint: "copy",
  params: code.params,
};
const WIDE: Program = { ...SINGLE, code: [lib_flat, "alias W = vec4u;", code] };

/** Copies the elements of `x` along its walk to those of `y` along its own; `sizes` are the axes of both. */
export function copyStrided(op: string, x: Walk, y: Walk, sizes: Shape): void {
  const size = sizeOf(sizes);
  if (size === 0) return;
  const contiguous = stridesOf(sizes);
  const walk = collapse({ sizes, strides: [x.strides ?? contiguous, y.strides ?? contiguous] }, op);
  const offsets = [x.offset ?? 0, y.offset ?? 0] as const;
  const unit = isWide(walk.sizes, walk.strides, offsets) ? 4 : 1;
  const values: Record<string, number> = {
    size: size / unit,
    x_offset: offsets[0] / unit,
    y_offset: offsets[1] / unit,
    unused: 0,
  };
  const last = walk.sizes.length - 1;
  for (let d = 0; d < MAX_AXES; d++) {
    const inner = d === last;
    values[`sizes${d}`] = (walk.sizes[d] ?? 1) / (inner ? unit : 1);
    values[`x_strides${d}`] = (walk.strides[0]![d] ?? 0) / (inner ? 1 : unit);
    values[`y_strides${d}`] = (walk.strides[1]![d] ?? 0) / (inner ? 1 : unit);
  }
  const { device } = x.tensor;
  device.dispatch(unit === 4 ? WIDE : SINGLE, {
    params: values,
    buffers: { 1: x.tensor.storage, 2: y.tensor.storage },
    workgroups: device.groups(size / unit, 64),
    constants: { RANK: Math.max(1, walk.sizes.length) },
  });
}

/** True when every step and start is a whole vector of four. */
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
