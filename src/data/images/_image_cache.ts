import type { RgbImage } from "./rgb_image.ts";

/**
 * Decoded images that are kept from one pass to the next: those that came first, as long as they fit. None makes room
 * for another: in an order that is new every pass, any of them is as likely to be asked for next.
 */
export class ImageCache {
  #room: number;
  #images = new Map<number, RgbImage>();

  /** Keeps up to so many bytes of pixels. */
  constructor(bytes: number) {
    this.#room = bytes;
  }

  /** An image that was kept. */
  get(index: number): RgbImage | undefined {
    return this.#images.get(index);
  }

  /** Keeps an image where it fits. */
  offer(index: number, image: RgbImage): void {
    const { length } = image.data;
    if (length > this.#room || this.#images.has(index)) return;
    this.#room -= length;
    this.#images.set(index, image);
  }
}
