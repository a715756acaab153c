const PHOTOMETRIC = 262;
const ORIENTATION = 274;
const SHORT = 3;
const MAX_ENTRIES = 4096;

/** Colour spaces that libvips takes for damage, by the number in the file. */
const SPACES: Readonly<Record<number, string>> = { 8: "CIELAB", 9: "ICCLAB", 10: "ITULAB" };

/**
 * Makes a TIFF readable by libvips as Pillow reads it: an orientation that is none of the eight, which libvips refuses, is
 * taken for the first.
 *
 * @param bytes The file, which may be of any format; it is left as it is.
 * @throws {SyntaxError} If its colours are L*a*b*, which libvips calls a damaged header.
 */
export function readableTiff(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const { view, little, tags } = firstDirectory(bytes);
  const photometric = tags.get(PHOTOMETRIC);
  const space = photometric === undefined ? undefined : SPACES[view.getUint16(photometric, little)];
  if (space) throw new SyntaxError(`Cannot decode an image as its colours must be gray, RGB or CMYK: got ${space}`);
  const at = tags.get(ORIENTATION);
  const orientation = at === undefined ? 1 : view.getUint16(at, little);
  if (at === undefined || orientation >= 1 && orientation <= 8) return bytes;
  const copy = bytes.slice();
  new DataView(copy.buffer).setUint16(at, 1, little);
  return copy;
}

/** Finds where the values of 16-bit tags of the first picture lie; nothing in a file that is cut or no TIFF. */
function firstDirectory(bytes: Uint8Array<ArrayBuffer>) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const little = bytes[0] === 0x49;
  const tags = new Map<number, number>();
  const version = bytes.length < 16 || bytes[0] !== bytes[1] ? 0 : view.getUint16(2, little);
  if (version !== 42 && version !== 43) return { view, little, tags };
  const big = version === 43;
  const number = (at: number) => big ? Number(view.getBigUint64(at, little)) : view.getUint32(at, little);
  const start = number(big ? 8 : 4);
  const [head, size] = big ? [8, 20] : [2, 12];
  if (start + head > bytes.length) return { view, little, tags };
  const count = Math.min(MAX_ENTRIES, big ? number(start) : view.getUint16(start, little));
  for (let i = 0, at = start + head; i < count && at + size <= bytes.length; i++, at += size) {
    if (view.getUint16(at + 2, little) === SHORT) tags.set(view.getUint16(at, little), at + size - (big ? 8 : 4));
  }
  return { view, little, tags };
}
