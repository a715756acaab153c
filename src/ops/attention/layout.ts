// Where the operands of an attention are.
import type { Tensor } from "../../tensor/mod.ts";

/** Offsets of rows, in vectors of four: from + sample · batch + head · head + i · row. */
export interface AttentionRows {
  readonly from: number;
  readonly batch: number;
  readonly head: number;
  readonly row: number;
}

/** Sizes and places of the operands of an attention. */
export interface AttentionLayout {
  readonly batch: number;
  readonly heads: number;
  readonly queries: number;
  readonly keys: number;
  /** Features of a head in vectors of four, at most 64. */
  readonly d4: number;
  readonly q: AttentionRows;
  readonly k: AttentionRows;
  /** Rows of v: as those of k, but for `from`. */
  readonly v: AttentionRows;
  readonly out: AttentionRows;
  /** Offsets of the gradients of q, k and v in one array, in vectors. */
  readonly gradFrom: readonly [number, number, number];
  readonly scale: number;
  readonly causal: boolean;
}

/** The operands; where they are packed, all three are one tensor. */
export interface AttentionOperands {
  readonly q: Tensor;
  readonly k: Tensor;
  readonly v: Tensor;
}

/** The output, and the logarithm of the sum of each query's weights, `[batch · heads, queries]`. */
export interface Attended {
  readonly out: Tensor;
  readonly lse: Tensor;
}

/** Elements of the gradients together; of packed operands, those of all three. */
export function gradSize({ batch, heads, queries, keys, d4 }: AttentionLayout): number {
  return 4 * d4 * batch * heads * (queries + 2 * keys);
}

/** Types of lib/nan.wgsl for scores, four at a time. */
export const FOURS = "alias F = vec4f; alias U = vec4u; alias B = vec4<bool>;";
