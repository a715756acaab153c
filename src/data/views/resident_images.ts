import type { Device } from "../../device/mod.ts";
import { ViewMaker, type ViewRecipes } from "./multi_crop_views.ts";
import type { PixelStore } from "../dataset.ts";
import { keep, Tensor, tensor } from "../../tensor/mod.ts";
import type { EpochPlan, SizedViews, ViewBatch, ViewSource } from "./view_source.ts";

/** Images of one size that live on the device as bytes: a step uploads row numbers only. */
export class ResidentImages implements ViewSource {
  /** Images. */
  readonly length: number;
  /** Side of the views, px. */
  readonly size: number;
  /** Local views of a sample; absent where all views are of one size. */
  readonly local?: SizedViews;
  #images: Tensor;
  #maker: ViewMaker;
  #indices = new Map<number, Tensor>();

  /** Uploads the pixels. */
  constructor(device: Device, pixels: PixelStore, recipe: ViewRecipes) {
    const { data, height, width } = pixels;
    this.length = data.length / (height * width * 3);
    this.#images = keep(tensor(data, { shape: [this.length, height, width, 3], device }));
    this.#maker = new ViewMaker(recipe);
    this.size = this.#maker.size;
    this.local = this.#maker.local;
  }

  /** The batches of an epoch, augmented on the device. */
  async *batches(plan: EpochPlan): AsyncGenerator<ViewBatch> {
    const { order, sizes } = plan;
    let at = 0;
    for (const size of sizes) {
      const rows = order.slice(at, at += size);
      const indices = this.#upload(rows);
      using batch = this.#maker.make(this.#images, indices, plan);
      yield { rows, indices, views: batch };
    }
  }

  /** Frees the images. */
  dispose(): void {
    this.#images.dispose();
    for (const each of this.#indices.values()) each.dispose();
  }

  /** Frees the images, like `dispose()`; for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  /** Writes row numbers into the one tensor of their batch size, so that steps bind the same buffers. */
  #upload(rows: Uint32Array<ArrayBuffer>): Tensor {
    let indices = this.#indices.get(rows.length);
    if (!indices) {
      indices = keep(new Tensor(this.#images.device, [rows.length], { dtype: "u32" }));
      this.#indices.set(rows.length, indices);
    }
    indices.write(rows);
    return indices;
  }
}
