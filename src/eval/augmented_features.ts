import { noGrad } from "../autograd/mod.ts";
import type { Device } from "../device/mod.ts";
import {
  batchSizes,
  type EpochPlan,
  type ImageDataset,
  imageSource,
  naturalRecipe,
  planOfRank,
  type ViewSource,
} from "../data/mod.ts";
import type { Communicator } from "../distributed/mod.ts";
import type { Backbone } from "../nn/mod.ts";
import { squeeze, unsqueeze } from "../ops/mod.ts";
import { keep, key, shuffled, type Tensor, tensor, tidy } from "../tensor/mod.ts";
import { type BatchPart, joinRows, partsOfBatches } from "../train/internal.ts";
import { collectRows, type EncodedRows } from "./distributed_encode.ts";
import { imagesAtOnce, partSizes } from "../data/internal.ts";

/** Options of {@linkcode AugmentedFeatures}. */
export interface AugmentedOptions {
  /** Output of the encoder, or what its last layer gets. */
  readonly feature: "fc" | "pooled";
  /** Images of a step. */
  readonly batchSize: number;
  /** Side of the views, px. */
  readonly resolution: number;
  /** Workers that decode. */
  readonly workers?: number;
  /** Seed of order and augmentation. */
  readonly seed: number;
  /** The ranks, each of which encodes its part of every batch. */
  readonly group: Communicator;
}

/** Features of a step's images. */
export interface FeatureBatch {
  /** Rows of the images in the data set. */
  readonly rows: ArrayLike<number>;
  /** Features `[rows.length, dim]` on the device; freed when the next batch is asked for. */
  readonly features: Tensor;
}

/** One augmented view of every training image, encoded batch by batch without a graph. */
export class AugmentedFeatures implements Disposable {
  #source: ViewSource;
  #device: Device;
  #encoder: Backbone;
  #length: number;
  #sizes: readonly number[];
  #options: AugmentedOptions;

  /** Prepares to decode the images of a data set. */
  constructor(device: Device, encoder: Backbone, dataset: ImageDataset, options: AugmentedOptions) {
    const { batchSize, resolution: size, workers } = options;
    const { mean, std, length } = dataset;
    this.#source = imageSource(device, dataset, naturalRecipe({ size, mean, std }), { workers });
    this.#device = device;
    this.#encoder = encoder;
    this.#length = length;
    this.#sizes = batchSizes(length, Math.min(batchSize, length), false);
    this.#options = options;
  }

  /** The batches of an epoch on rank 0; on the others nothing, but they must ask for it as often. */
  async *epoch(epoch: number): AsyncGenerator<FeatureBatch> {
    const { seed, group } = this.#options;
    const order = shuffled(this.#length, key(seed, 1, epoch));
    const plan = { order, sizes: this.#sizes, epoch, seed, views: 1 };
    yield* group.size === 1 ? this.#alone(plan) : this.#together(plan);
  }

  async *#alone(plan: EpochPlan): AsyncGenerator<FeatureBatch> {
    for await (const parts of this.#parts(plan, plan.sizes)) {
      if (parts.length === 0) continue;
      using features = keep(tidy(() => joinRows(parts.map(({ made }) => made))));
      parts.forEach(({ made }) => made.dispose());
      yield { rows: parts.flatMap(({ rows }) => [...rows]), features };
    }
  }

  async *#together(plan: EpochPlan): AsyncGenerator<FeatureBatch> {
    const { group } = this.#options;
    const { sizes, ...own } = planOfRank(group, plan);
    const batches = this.#parts(own, sizes.filter((size) => size > 0));
    try {
      for (const size of sizes) {
        const parts = size > 0 ? (await batches.next()).value ?? [] : [];
        const all = await collectRows(group, await read(parts));
        if (!all || all.rows.length === 0) continue;
        const { data, dim } = all.features;
        using features = keep(tensor(data, { shape: [all.rows.length, dim], device: this.#device }));
        yield { rows: all.rows, features };
      }
    } finally {
      await batches.return(undefined);
    }
  }

  /** Frees what it holds. */
  [Symbol.dispose](): void {
    this.#source.dispose();
  }

  /** The features of every batch, in parts that the adapter takes at once. */
  #parts(plan: Omit<EpochPlan, "sizes">, sizes: readonly number[]): AsyncGenerator<BatchPart<Tensor>[]> {
    const { batchSize, resolution } = this.#options;
    const most = imagesAtOnce(this.#device, (images) => this.#encode(unsqueeze(images, 1)), resolution, batchSize);
    const divided = sizes.map((size) => partSizes(size, most));
    return partsOfBatches(this.#source, plan, divided, (views) => this.#encode(views));
  }

  #encode(views: Tensor): Tensor {
    return keep(noGrad(() =>
      tidy(() => {
        const images = squeeze(views, 1);
        return this.#options.feature === "pooled" ? this.#encoder.pooled(images) : this.#encoder.forward(images);
      })
    ));
  }
}

/** Features of the parts of a batch, read back. */
async function read(parts: readonly BatchPart<Tensor>[]): Promise<EncodedRows> {
  const dim = parts[0]?.made.shape[1] ?? 0;
  const values = await Promise.all(parts.map(({ made }) => made.data()));
  parts.forEach(({ made }) => made.dispose());
  const data = new Float32Array(values.reduce((sum, { length }) => sum + length, 0));
  values.reduce((at, part) => (data.set(part as Float32Array, at), at + part.length), 0);
  return { rows: parts.flatMap(({ rows }) => [...rows]), features: { data, dim } };
}
