/** Rule of interpolation between pixels. */
export type ResizeMode = "nearest" | "bilinear" | "bicubic";

/** Settings of {@linkcode resizeWindows}. */
export interface ResizeRule {
  readonly mode: ResizeMode;
  readonly alignCorners: boolean;
  readonly antialias: boolean;
  /** New pixels for an old one; `to / from` by default. */
  readonly factor?: number;
}

/** A window: pixels and weights, those that PyTorch reads, of weight 0 too. */
type Window = (readonly [pixel: number, weight: number])[];

/** Windows as the shader takes them. */
export interface ResizeWindows {
  /** Words: where the pairs of each window begin and the last ones end, then the pairs, a pixel and a weight (bits of f32). */
  readonly words: Uint32Array<ArrayBuffer>;
  /** Windows. */
  readonly rows: number;
  /** Pairs of the longest one. */
  readonly longest: number;
}

/** The windows of a resize along an axis, or of its transpose: what each old pixel is part of. */
export function resizeWindows(from: number, to: number, rule: ResizeRule, transposed: boolean): ResizeWindows {
  const { mode, alignCorners, antialias, factor } = rule;
  const corners = to > 1 ? (from - 1) / (to - 1) : 0;
  const step = alignCorners ? corners : factor === undefined ? from / to : 1 / factor;
  const windows: Window[] = Array.from({ length: transposed ? from : to }, () => []);
  for (let i = 0; i < to; i++) {
    const window: Window = mode === "nearest"
      ? [[Math.floor(factor === undefined ? i * from / to : i * step), 1]]
      : antialias
      ? filter(from, step, i, mode)
      : point(step, i, rule);
    for (const [place, weight] of window) {
      const pixel = Math.min(from - 1, Math.max(0, place)); // past the border its pixel counts again
      if (transposed) windows[pixel]!.push([i, weight]);
      else windows[i]!.push([pixel, weight]);
    }
  }
  return packed(windows);
}

function packed(windows: readonly Window[]): ResizeWindows {
  const rows = windows.length;
  const words = new Uint32Array(rows + 1 + 2 * windows.reduce((sum, { length }) => sum + length, 0));
  const weights = new Float32Array(words.buffer);
  let [at, longest] = [rows + 1, 0];
  windows.forEach((window, i) => {
    words[i] = at;
    for (const [pixel, weight] of window) {
      words[at++] = pixel;
      weights[at++] = weight;
    }
    longest = Math.max(longest, window.length);
  });
  words[rows] = at;
  return { words, rows, longest };
}

/** Two or four neighbours of a place. */
function point(step: number, i: number, { mode, alignCorners }: ResizeRule): Window {
  const place = alignCorners ? i * step : (i + 0.5) * step - 0.5;
  const linear = mode === "bilinear";
  const at = linear ? Math.max(0, place) : place; // PyTorch's bicubic reaches past the border
  const low = Math.floor(at);
  const around = !linear ? [-1, 0, 1, 2] : step === 1 ? [0] : [0, 1]; // of equal sizes PyTorch's bilinear is a copy
  return around.map((k) => [low + k, weightAt(mode, at - low - k, -0.75)]);
}

/** The pixels under a filter that is as wide as the step, with weights that add up to 1. */
function filter(from: number, step: number, i: number, mode: ResizeMode): Window {
  const stretch = Math.max(1, step);
  const center = (i + 0.5) * step;
  const reach = (mode === "bilinear" ? 1 : 2) * stretch;
  const first = Math.max(0, Math.trunc(center - reach + 0.5));
  const last = Math.min(from, Math.trunc(center + reach + 0.5));
  const weights = Array.from(
    { length: Math.max(0, last - first) },
    (_, k) => weightAt(mode, (first + k - center + 0.5) / stretch, -0.5),
  );
  const total = weights.reduce((a, b) => a + b, 0);
  return weights.map((weight, k) => [first + k, weight / total]);
}

/** The triangle, or Keys's cubic with parameter a. */
function weightAt(mode: ResizeMode, distance: number, a: number): number {
  const x = Math.abs(distance);
  if (mode === "bilinear") return Math.max(0, 1 - x);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}
