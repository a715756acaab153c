import type { Device } from "../../device/mod.ts";
import { ViewMaker, type ViewRecipes } from "./multi_crop_views.ts";
import type { PixelStore } from "../dataset.ts";
import { keep, Tensor, tensor } from "../../tensor/mod.ts";
import type { EpochPlan, SizedViews, ViewBatch, ViewSource } from "./view_source.ts";
import { takeRows } from "../take_rows.ts";

/**
 * Images of one size that stay in host memory: each step uploads the bytes of its batch. For sets that are larger than
 * what the adapter binds at once; the views are those that {@linkcode ResidentImages} makes.
 */
export class UploadedImages implements ViewSource {
  /** Images. */
  readonly length: number;
  /** Side of the views, px. */
  readonly size: number;
  /** Local views of a sample; absent where all views are of one size. */
  readonly local?: SizedViews;
  #device: Device;
  #pixels: PixelStore;
  #maker: ViewMaker;
  #batches = new Map<number, { host: Uint8Array<ArrayBuffer>; bytes: Tensor; table: Tensor; indices: Tensor }>();

  /** Takes the pixels; they are not copied. */
  constructor(device: Device, pixels: PixelStore, recipe: ViewRecipes) {
    this.length = pixels.data.length / (pixels.height * pixels.width * 3);
    this.#device = device;
    this.#pixels = pixels;
    this.#maker = new ViewMaker(recipe);
    this.size = this.#maker.size;
    this.local = this.#maker.local;
  }

  /** The batches of an epoch, augmented on the device. */
  async *batches(plan: EpochPlan): AsyncGenerator<ViewBatch> {
    const { order, sizes } = plan;
    const { data, height, width } = this.#pixels;
    const size = height * width * 3;
    let at = 0;
    for (const count of sizes) {
      const rows = order.slice(at, at += count);
      const { host, bytes, table, indices } = this.#buffers(count, size);
      bytes.write(takeRows(data, size, rows, host));
      indices.write(rows);
      const images = { bytes, table, channels: 3, largest: [height, width] as const };
      using batch = this.#maker.make(images, indices, plan);
      yield { rows, indices, views: batch };
    }
  }

  /** Frees the buffers. */
  dispose(): void {
    for (const { bytes, table, indices } of this.#batches.values()) {
      for (const each of [bytes, table, indices]) each.dispose();
    }
  }

  /** Frees the source, like `dispose()`; for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  /** Returns the same buffers for every batch of a size, so that steps bind the same ones. */
  #buffers(count: number, size: number) {
    let buffers = this.#batches.get(count);
    if (!buffers) {
      const { height, width } = this.#pixels;
      const table = Uint32Array.from(
        { length: 3 * count },
        (_, i) => [Math.floor(i / 3) * size, height, width][i % 3]!,
      );
      buffers = {
        host: new Uint8Array(count * size),
        bytes: keep(new Tensor(this.#device, [count * size], { dtype: "u8" })),
        table: keep(tensor(table, { shape: [count, 3], device: this.#device })),
        indices: keep(new Tensor(this.#device, [count], { dtype: "u32" })),
      };
      this.#batches.set(count, buffers);
    }
    return buffers;
  }
}
