// Loop nests over several arrays at once: which axes there are, and how far each array moves along them.
import type { Shape } from "../../tensor/mod.ts";
import { stridesOf } from "../../tensor/internal.ts";

/** The most axes that the shaders of strided access take, after {@linkcode collapse}. */
export const MAX_AXES = 8;

/** Axes of a loop nest: sizes, and for each array its stride along each axis, in elements. */
export interface Axes {
  /** Size of each axis, the last one fastest. */
  readonly sizes: readonly number[];
  /** Strides of each array along each axis. */
  readonly strides: readonly (readonly number[])[];
}

/** Strides of an array that broadcasts to `target`: 0 along the axes that are repeated. */
export function broadcastStrides(shape: Shape, target: Shape): number[] {
  const missing = target.length - shape.length;
  const strides = stridesOf(shape);
  return target.map((_, i) => i < missing || shape[i - missing] === 1 ? 0 : strides[i - missing]!);
}

/** Drops axes of size 1 and joins neighbours that every array passes in one stride. */
export function collapse({ sizes, strides }: Axes, op: string): Axes {
  const outSizes: number[] = [];
  const outStrides: number[][] = strides.map(() => []);
  for (let axis = 0; axis < sizes.length; axis++) {
    const size = sizes[axis]!;
    if (size === 1) continue;
    const last = outSizes.length - 1;
    const joins = last >= 0 && strides.every((each, k) => outStrides[k]![last] === each[axis]! * size);
    if (joins) outSizes[last]! *= size;
    else outSizes.push(size);
    strides.forEach((each, k) => outStrides[k]![joins ? last : last + 1] = each[axis]!);
  }
  if (outSizes.length > MAX_AXES) {
    throw new TypeError(`Cannot compute ${op}() as at most ${MAX_AXES} axes can be walked at once: got [${sizes}]`);
  }
  return { sizes: outSizes, strides: outStrides };
}
