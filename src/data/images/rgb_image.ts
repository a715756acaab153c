/** A decoded image: RGB, one byte a channel. */
export interface RgbImage {
  /** Bytes `[height, width, 3]`. */
  data: Uint8Array<ArrayBuffer>;
  /** Height, px. */
  height: number;
  /** Width, px. */
  width: number;
}
