/** Arithmetic and least memory traffic of a piece of work. */
export interface Work {
  /** Floating-point operations, a multiply-add counted as two. */
  readonly flop: number;
  /** Bytes that must be read and written at least once. */
  readonly bytes: number;
}

type Shape = readonly number[];

function size(shape: Shape): number {
  return shape.reduce((a, b) => a * b, 1);
}

/**
 * The least work of an op from its name and the shapes of its inputs, as a profile names them (`conv2d grad [..][..]`).
 * A convolution's count is that of the direct form; Winograd does fewer operations, so its share may pass 100 %.
 */
export function workOf(name: string, shapes: readonly Shape[]): Work {
  const backward = name.endsWith(" grad");
  const op = backward ? name.slice(0, -5) : name;
  const inputs = shapes.reduce((sum, shape) => sum + size(shape), 0);
  switch (op) {
    case "conv2d": {
      const [x, w] = shapes as [Shape, Shape];
      const pixels = outputPixels(x, w);
      const forward = 2 * pixels * size(w);
      const output = pixels * w[3]!;
      return backward
        ? { flop: 2 * forward, bytes: 4 * (2 * inputs + output) }
        : { flop: forward, bytes: 4 * (inputs + output) };
    }
    case "matmul":
    case "linear": {
      const [a, b] = shapes as [Shape, Shape];
      const rows = size(a) / a.at(-1)!;
      const forward = 2 * rows * size(b);
      const output = rows * b.at(-1)!;
      return backward
        ? { flop: 2 * forward, bytes: 4 * (2 * inputs + output) }
        : { flop: forward, bytes: 4 * (inputs + output) };
    }
    case "batchNorm":
      // Forward reads twice and writes once; backward reads x and the gradient twice and writes one.
      return { flop: 0, bytes: 4 * size(shapes[0] ?? []) * (backward ? 5 : 3) };
    default:
      return { flop: 0, bytes: 4 * inputs * (backward ? 3 : 2) };
  }
}

/** Pixels of a convolution's output, taking "same" padding; the stride is that at which ResNets halve their maps. */
function outputPixels(x: Shape, w: Shape): number {
  const [n, height, width, channels] = x as [number, number, number, number];
  const [kh, , , out] = w as [number, number, number, number];
  const halves = out > channels && (kh === 3 || kh === 1) && out === 2 * channels;
  const stem = kh === 7;
  const stride = halves || stem ? 2 : 1;
  const grows = kh === 3 && channels === 3 ? 2 : 0; // the CIFAR stem pads by 2
  return n * Math.ceil((height + grows) / stride) * Math.ceil((width + grows) / stride);
}
