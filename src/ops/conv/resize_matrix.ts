/** Rule of interpolation between pixels. */
export type ResizeMode = "nearest" | "bilinear" | "bicubic";

/** Settings of {@linkcode resizeMatrix}. */
export interface ResizeRule {
  readonly mode: ResizeMode;
  readonly alignCorners: boolean;
  readonly antialias: boolean;
  /** New pixels for an old one; `to / from` by default. */
  readonly factor?: number;
}

/** The weights `[to, from]` of old pixels in new ones along an axis. */
export function resizeMatrix(from: number, to: number, rule: ResizeRule): Float32Array<ArrayBuffer> {
  const matrix = new Float64Array(to * from);
  const add = (i: number, j: number, weight: number) =>
    matrix[i * from + Math.min(from - 1, Math.max(0, j))]! += weight;
  const { mode, alignCorners, antialias, factor } = rule;
  const corners = to > 1 ? (from - 1) / (to - 1) : 0;
  const step = alignCorners ? corners : factor === undefined ? from / to : 1 / factor;
  for (let i = 0; i < to; i++) {
    if (mode === "nearest") add(i, Math.floor(factor === undefined ? i * from / to : i * step), 1);
    else if (antialias) filter(from, step, i, mode, add);
    else point(step, i, rule, add);
  }
  return Float32Array.from(matrix);
}

type Add = (i: number, j: number, weight: number) => void;

/** Two or four neighbours of a place; past the border the border's pixel counts again. */
function point(step: number, i: number, { mode, alignCorners }: ResizeRule, add: Add): void {
  const place = alignCorners ? i * step : (i + 0.5) * step - 0.5;
  const at = mode === "bilinear" ? Math.max(0, place) : place; // PyTorch's bicubic reaches past the border
  const low = Math.floor(at);
  const [first, last] = mode === "bilinear" ? [0, 1] : [-1, 2];
  for (let k = first; k <= last; k++) add(i, low + k, weightAt(mode, at - low - k, -0.75));
}

/** Lists the pixels under a filter that is as wide as the step, with weights that add up to 1. */
function filter(from: number, step: number, i: number, mode: ResizeMode, add: Add): void {
  const stretch = Math.max(1, step);
  const center = (i + 0.5) * step;
  const reach = (mode === "bilinear" ? 1 : 2) * stretch;
  const first = Math.max(0, Math.trunc(center - reach + 0.5));
  const last = Math.min(from, Math.trunc(center + reach + 0.5));
  const weights = Array.from(
    { length: last - first },
    (_, k) => weightAt(mode, (first + k - center + 0.5) / stretch, -0.5),
  );
  const total = weights.reduce((a, b) => a + b, 0);
  weights.forEach((weight, k) => add(i, first + k, weight / total));
}

/** The triangle, or Keys's cubic with parameter a. */
function weightAt(mode: ResizeMode, distance: number, a: number): number {
  const x = Math.abs(distance);
  if (mode === "bilinear") return Math.max(0, 1 - x);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}
