import { inflate } from "../../formats/internal.ts";

/** Pixels of a decoded PNG. */
export interface RgbaImage {
  /** Bytes `[height, width, 4]`, red, green, blue, alpha (not premultiplied). */
  data: Uint8Array;
  /** Height, px. */
  height: number;
  /** Width, px. */
  width: number;
}

interface Header {
  width: number;
  height: number;
  depth: number;
  colorType: number;
}

interface Parts {
  header: Header;
  palette: Uint8Array;
  alpha: Uint8Array;
  idat: Uint8Array<ArrayBuffer>[];
}

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const CHANNELS: Record<number, number> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
const MAX_PIXELS = 1 << 25;

/**
 * Decodes a PNG of 8 bits a channel (or a palette of 1 to 8 bits), not interlaced. It exists so that the emoji sheets need no
 * native library; images of users go through sharp.
 *
 * @param bytes The file.
 * @param name What to call it in an error.
 * @throws {SyntaxError} If the file is damaged, or of a kind that is not read here.
 */
export async function decodePng(bytes: Uint8Array<ArrayBuffer>, name = "PNG"): Promise<RgbaImage> {
  const { header, palette, alpha, idat } = readChunks(bytes, name);
  const channels = CHANNELS[header.colorType]!;
  const stride = Math.ceil(header.width * channels * header.depth / 8);
  const raw = await inflate(idat, {
    size: (stride + 1) * header.height,
    what: `the pixels of "${name}"`,
    format: "deflate",
  });
  const step = Math.max(1, channels * header.depth >> 3);
  const rows = unfilter(raw, { height: header.height, stride, step, name });
  const data = header.colorType === 3
    ? expandPalette(rows, { header, stride, palette, alpha, name })
    : expandChannels(rows, channels);
  return { data, height: header.height, width: header.width };
}

function readChunks(bytes: Uint8Array<ArrayBuffer>, name: string): Parts {
  if (SIGNATURE.some((byte, i) => bytes[i] !== byte)) {
    throw new SyntaxError(`Cannot read "${name}": the file is not a PNG`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const chunks = new Map<string, Uint8Array<ArrayBuffer>[]>();
  let at = 8;
  while (at + 12 <= bytes.length) {
    const length = view.getUint32(at);
    if (at + 12 + length > bytes.length) break;
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    const same = chunks.get(type);
    if (same) same.push(bytes.subarray(at + 8, at + 8 + length));
    else chunks.set(type, [bytes.subarray(at + 8, at + 8 + length)]);
    at += 12 + length;
    if (type === "IEND") break;
  }
  if (!chunks.has("IEND") || !chunks.has("IHDR")) {
    throw new SyntaxError(`Cannot read "${name}": the file ends after ${bytes.length} bytes, before its last chunk`);
  }
  const none = new Uint8Array();
  return {
    header: readHeader(chunks.get("IHDR")![0]!, name),
    palette: chunks.get("PLTE")?.[0] ?? none,
    alpha: chunks.get("tRNS")?.[0] ?? none,
    idat: chunks.get("IDAT") ?? [],
  };
}

function readHeader(chunk: Uint8Array, name: string): Header {
  if (chunk.length !== 13) throw new SyntaxError(`Cannot read "${name}": header length is ${chunk.length}, not 13`);
  const view = new DataView(chunk.buffer, chunk.byteOffset, 13);
  const [width, height] = [view.getUint32(0), view.getUint32(4)];
  const [depth, colorType, interlace] = [chunk[8]!, chunk[9]!, chunk[12]!];
  const deep = colorType === 3 ? [1, 2, 4, 8].includes(depth) : depth === 8;
  if (!(colorType in CHANNELS) || !deep || interlace !== 0) {
    throw new SyntaxError(
      `Cannot read "${name}": only 8-bit PNG without interlacing is read here: color type is ${colorType}, ` +
        `depth ${depth}, interlace ${interlace}`,
    );
  }
  if (width === 0 || height === 0 || width * height > MAX_PIXELS) {
    throw new SyntaxError(`Cannot read "${name}": size ${width} x ${height} px is outside 1 to ${MAX_PIXELS} pixels`);
  }
  return { width, height, depth, colorType };
}

/** Undoes the filter of each row (PNG specification, section 9) and drops the filter bytes. */
function unfilter(
  raw: Uint8Array,
  { height, stride, step, name }: { height: number; stride: number; step: number; name: string },
): Uint8Array {
  const out = new Uint8Array(height * stride);
  const zeros = new Uint8Array(stride);
  for (let y = 0; y < height; y++) {
    const filter = raw[y * (stride + 1)]!;
    const row = out.subarray(y * stride, (y + 1) * stride);
    row.set(raw.subarray(y * (stride + 1) + 1, (y + 1) * (stride + 1)));
    const above = y === 0 ? zeros : out.subarray((y - 1) * stride, y * stride);
    if (filter > 4) throw new SyntaxError(`Cannot read "${name}": row ${y} has unknown filter ${filter}`);
    unfilterRow(row, above, { filter, step });
  }
  return out;
}

function unfilterRow(row: Uint8Array, above: Uint8Array, { filter, step }: { filter: number; step: number }): void {
  if (filter === 0) return;
  for (let x = 0; x < row.length; x++) {
    const left = x < step ? 0 : row[x - step]!;
    const up = above[x]!;
    const corner = x < step ? 0 : above[x - step]!;
    row[x] = row[x]! +
      (filter === 1 ? left : filter === 2 ? up : filter === 3 ? (left + up) >> 1 : paeth(left, up, corner));
  }
}

function paeth(left: number, up: number, corner: number): number {
  const estimate = left + up - corner;
  const toLeft = Math.abs(estimate - left);
  const toUp = Math.abs(estimate - up);
  const toCorner = Math.abs(estimate - corner);
  if (toLeft <= toUp && toLeft <= toCorner) return left;
  return toUp <= toCorner ? up : corner;
}

/** Gray, gray + alpha, RGB or RGBA rows to RGBA. */
function expandChannels(rows: Uint8Array, channels: number): Uint8Array {
  if (channels === 4) return rows;
  const count = rows.length / channels;
  const out = new Uint8Array(count * 4);
  for (let i = 0; i < count; i++) {
    for (let c = 0; c < 3; c++) out[4 * i + c] = rows[i * channels + (channels < 3 ? 0 : c)]!;
    out[4 * i + 3] = channels === 2 ? rows[2 * i + 1]! : 255;
  }
  return out;
}

function expandPalette(
  rows: Uint8Array,
  { header, stride, palette, alpha, name }: {
    header: Header;
    stride: number;
    palette: Uint8Array;
    alpha: Uint8Array;
    name: string;
  },
): Uint8Array {
  const { width, height, depth } = header;
  const out = new Uint8Array(width * height * 4);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const bit = x * depth;
      const index = rows[y * stride + (bit >> 3)]! >> (8 - depth - (bit & 7)) & ((1 << depth) - 1);
      if (3 * index + 2 >= palette.length) {
        throw new SyntaxError(
          `Cannot read "${name}": pixel (${x}, ${y}) uses colour ${index} of ${palette.length / 3}`,
        );
      }
      const to = 4 * (y * width + x);
      out.set(palette.subarray(3 * index, 3 * index + 3), to);
      out[to + 3] = alpha[index] ?? 255;
    }
  }
  return out;
}
