/** Brightness, in every channel, from which on a pixel is taken for paper. */
const WHITE = 250;

/**
 * Makes the white paper around a drawing transparent, and what borders on it as transparent as it is white, so that
 * drawings can lie over each other. White that the drawing encloses stays.
 *
 * @param pixels RGBA bytes `[side, side, 4]` of a drawing on white, which are changed.
 * @param side Side of the drawing, px.
 */
export function cutOut(pixels: Uint8ClampedArray, side: number): void {
  const paper = paperOf(pixels, side);
  const edge = [...paper.keys()].filter((p) => !paper[p] && around(p, side).some((q) => paper[q]));
  paper.forEach((is, p) => is && (pixels[4 * p + 3] = 0));
  for (const p of edge) {
    const colour = pixels.subarray(4 * p, 4 * p + 3);
    const share = 1 - Math.min(...colour) / 255;
    if (share === 0) continue;
    colour.forEach((value, c) => colour[c] = 255 - (255 - value) / share);
    pixels[4 * p + 3] = 255 * share;
  }
}

/** Marks the pixels that a flood of white from the border reaches. */
function paperOf(pixels: Uint8ClampedArray, side: number): boolean[] {
  const paper = Array<boolean>(side * side).fill(false);
  const isWhite = (p: number) => Math.min(...pixels.subarray(4 * p, 4 * p + 3)) >= WHITE;
  const waiting = [...paper.keys()].filter((p) => around(p, side).length < 4);
  for (let p = waiting.pop(); p !== undefined; p = waiting.pop()) {
    if (paper[p] || !isWhite(p)) continue;
    paper[p] = true;
    waiting.push(...around(p, side));
  }
  return paper;
}

/** Neighbours of a pixel: right, left, below, above. */
function around(p: number, side: number): number[] {
  const found = [];
  if (p % side < side - 1) found.push(p + 1);
  if (p % side > 0) found.push(p - 1);
  if (p < side * (side - 1)) found.push(p + side);
  if (p >= side) found.push(p - side);
  return found;
}
