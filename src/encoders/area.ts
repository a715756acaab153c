import { centerCrop, type RgbImage } from "../data/mod.ts";

/** Input positions that an output position covers: the first, and the weights from there on, which add up to 1. */
interface Span {
  readonly start: number;
  readonly weights: readonly number[];
}

/**
 * GLoRIA's own preparation of an X-ray: the long side to `side` px by area averaging, zeros around it to a square, and
 * the middle `crop` px of that.
 *
 * @param image Luma in all three channels.
 * @param options `side` (256 in GLoRIA) and `crop` (224).
 */
export function gloriaSquare(image: RgbImage, { side, crop }: { side: number; crop: number }): RgbImage {
  const { height, width } = image;
  const tall = height >= width;
  const size = tall
    ? { height: side, width: Math.max(1, Math.trunc(width * side / height)) }
    : { height: Math.max(1, Math.trunc(height * side / width)), width: side };
  return centerCrop(padToSquare(areaResize(image, size), side), crop);
}

/** Averages over the area that an output pixel covers, as OpenCV's `INTER_AREA`; what grows is interpolated as there. */
export function areaResize(image: RgbImage, size: { height: number; width: number }): RgbImage {
  const averaged = size.height <= image.height && size.width <= image.width;
  const spans = averaged ? averagingSpans : growingSpans;
  const rows = spans(image.height, size.height);
  const columns = spans(image.width, size.width);
  const data = new Uint8Array(size.height * size.width * 3);
  let at = 0;
  for (const row of rows) {
    for (const column of columns) {
      for (let c = 0; c < 3; c++) data[at++] = roundEven(sumOf(image, row, column, c));
    }
  }
  return { data, ...size };
}

function sumOf({ data, width }: RgbImage, row: Span, column: Span, channel: number): number {
  let sum = 0;
  row.weights.forEach((v, j) => {
    const line = (row.start + j) * width;
    column.weights.forEach((u, i) => sum += v * u * data[(line + column.start + i) * 3 + channel]!);
  });
  return sum;
}

function averagingSpans(from: number, to: number): Span[] {
  const scale = from / to;
  return Array.from({ length: to }, (_, i) => {
    const [begin, end] = [i * scale, Math.min(from, (i + 1) * scale)];
    const start = Math.min(from - 1, Math.floor(begin + 1e-9));
    const count = Math.max(1, Math.ceil(end - 1e-9) - start);
    const weights = Array.from({ length: count }, (_, k) => {
      return (Math.min(end, start + k + 1) - Math.max(begin, start + k)) / (end - begin);
    });
    return { start, weights };
  });
}

function growingSpans(from: number, to: number): Span[] {
  const scale = from / to;
  return Array.from({ length: to }, (_, i) => {
    const start = Math.floor(i * scale);
    const ahead = i + 1 - (start + 1) / scale;
    const weight = ahead <= 0 ? 0 : ahead - Math.floor(ahead);
    return start + 1 < from ? { start, weights: [1 - weight, weight] } : { start: from - 1, weights: [1] };
  });
}

function roundEven(value: number): number {
  const rounded = Math.round(value);
  return rounded - value === 0.5 && rounded % 2 === 1 ? rounded - 1 : rounded;
}

/** Zeros on both sides of the short side, the smaller half first. */
function padToSquare({ data, height, width }: RgbImage, side: number): RgbImage {
  const [top, left] = [Math.floor((side - height) / 2), Math.floor((side - width) / 2)];
  const out = new Uint8Array(side * side * 3);
  for (let y = 0; y < height; y++) {
    out.set(data.subarray(y * width * 3, (y + 1) * width * 3), ((y + top) * side + left) * 3);
  }
  return { data: out, height: side, width: side };
}
