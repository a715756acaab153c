/** Interpolation taps: for every output position the two input positions around it, and the weight of the second. */
interface Taps {
  readonly low: Int32Array;
  readonly high: Int32Array;
  readonly weight: Float64Array;
}

/**
 * Samples an image at other positions, bilinearly and without antialiasing.
 *
 * @param pixels `[height, width, 3]`.
 * @param from Its size, px.
 * @param to The size wanted, px.
 * @param options `alignCorners`: the corner pixels stay where they are, as PyTorch's `Upsample(align_corners=True)`;
 *   otherwise pixels are squares, as PyTorch's `align_corners=False` and TensorFlow's `tf.image.resize`.
 * @returns `[to.height, to.width, 3]`.
 */
export function sampleBilinear(
  pixels: ArrayLike<number>,
  from: { height: number; width: number },
  to: { height: number; width: number },
  options: { alignCorners: boolean },
): Float32Array<ArrayBuffer> {
  const rows = tapsOf(from.height, to.height, options.alignCorners);
  const columns = tapsOf(from.width, to.width, options.alignCorners);
  const out = new Float32Array(to.height * to.width * 3);
  const stride = from.width * 3;
  for (let y = 0, at = 0; y < to.height; y++) {
    const [above, below, v] = [rows.low[y]! * stride, rows.high[y]! * stride, rows.weight[y]!];
    for (let x = 0; x < to.width; x++) {
      const [left, right, u] = [columns.low[x]! * 3, columns.high[x]! * 3, columns.weight[x]!];
      for (let c = 0; c < 3; c++) {
        const top = pixels[above + left + c]! * (1 - u) + pixels[above + right + c]! * u;
        const bottom = pixels[below + left + c]! * (1 - u) + pixels[below + right + c]! * u;
        out[at++] = top * (1 - v) + bottom * v;
      }
    }
  }
  return out;
}

function tapsOf(from: number, to: number, alignCorners: boolean): Taps {
  const scale = alignCorners ? (to > 1 ? (from - 1) / (to - 1) : 0) : from / to;
  const taps = { low: new Int32Array(to), high: new Int32Array(to), weight: new Float64Array(to) };
  for (let i = 0; i < to; i++) {
    const place = Math.max(0, alignCorners ? i * scale : (i + 0.5) * scale - 0.5);
    const low = Math.min(from - 1, Math.floor(place));
    taps.low[i] = low;
    taps.high[i] = Math.min(from - 1, low + 1);
    taps.weight[i] = place - low;
  }
  return taps;
}
