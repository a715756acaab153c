import type { Tensor } from "../../tensor/mod.ts";

/** Views of a sample that have one size. */
export interface SizedViews {
  /** Views of a sample. */
  readonly views: number;
  /** Side of the views, px. */
  readonly size: number;
}

/** One batch of an epoch. */
export interface ViewBatch {
  /** Rows of the samples in the data set; fewer than planned where some could not be read. */
  readonly rows: Uint32Array<ArrayBuffer>;
  /** Rows of the samples on the device, `u32 [batch]`; null when there are none. */
  readonly indices: Tensor | null;
  /**
   * Augmented images `[batch, views, h, w, 3]`, normalised; of a source with local views `[batch, values]`, which
   * `unpackViews()` takes apart. Null when there are no samples.
   */
  readonly views: Tensor | null;
}

/** Plan of the batches to make. */
export interface EpochPlan {
  /** Rows in the order of this epoch. */
  readonly order: Uint32Array<ArrayBuffer>;
  /** Sizes of the batches; their sum is at most `order.length`. */
  readonly sizes: readonly number[];
  /** Epoch, 0-based. */
  readonly epoch: number;
  /** Seed of the augmentation. */
  readonly seed: number;
  /** Views of a sample, without local ones. */
  readonly views: number;
}

/** Makes augmented views of samples. */
export interface ViewSource {
  /** Samples. */
  readonly length: number;
  /** Side of the views, px; where it is not known, batches are divided only when asked to. */
  readonly size?: number;
  /** Local views of a sample, beside those of the plan; none by default. */
  readonly local?: SizedViews;
  /** The batches of an epoch. A batch's tensors are freed when the next one is asked for. */
  batches(plan: EpochPlan): AsyncIterable<ViewBatch>;
  /** Frees what it holds on the device. */
  dispose(): void;
}
