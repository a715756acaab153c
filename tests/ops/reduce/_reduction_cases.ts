import type { Shape } from "../../../src/tensor/mod.ts";

/** Shapes and axes that take every way through the reductions: wide and single, one stage and more, several passes. */
export const REDUCTIONS: readonly (readonly [Shape, readonly number[]])[] = [
  [[1], [0]],
  [[3], [0]],
  [[7], [0]],
  [[5, 1], [1]],
  [[5, 7], [0]],
  [[5, 7], [1]],
  [[5, 8], [0]],
  [[5, 8], [1]],
  [[5, 7], [0, 1]],
  [[3, 5, 2, 7], [0, 2]],
  [[3, 5, 2, 8], [1, 3]],
  [[2, 1, 3, 1, 4], [1, 2]],
  [[4, 3, 3, 12], [0, 1, 2]],
  [[3001], [0]],
  [[2, 1030], [1]],
  [[2, 1028], [1]],
  [[1030, 3], [0]],
  [[2, 700, 8], [1]],
];
