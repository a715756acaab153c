import type { PixelDataset } from "../../src/data/mod.ts";
import { key, type Tensor } from "../../mod.ts";
import { uniformNumbers } from "../../src/tensor/internal.ts";
import type { JobSettings } from "../../src/jobs/mod.ts";
import { readState } from "../../src/train/mod.ts";
import type { Contrastive } from "../../src/nn/mod.ts";

/** Settings of a job of two epochs on few images. */
export const SETTINGS: JobSettings = {
  db: "small",
  demo: false,
  limit: null,
  resolution: 16,
  augmentation: "natural",
  network: "tiny",
  stem: "cifar",
  epochs: 2,
  batch_size: 8,
  n_views: 2,
  optimizer: "sgd",
  lr: 0.5,
  momentum: 0,
  wd: 0,
  kernel: null,
  sigma: null,
  lambda: 0.01,
  t: 2,
  drop_last: false,
  seed: 0,
  start_epoch: 0,
  save_freq: 100,
  save_minutes: 10,
  print_freq: 1,
  eval_every: 1,
  eval_images: 100,
  workers: 1,
  profile: false,
};

/** Random images of 16 px in three classes. */
export function smallDataset(length: number): PixelDataset<Int32Array<ArrayBuffer>> {
  const data = Uint8Array.from(uniformNumbers(length * 16 * 16 * 3, key(3)), (v) => 256 * v);
  return {
    name: "small",
    split: "train",
    length,
    classes: ["a", "b", "c"],
    labels: Int32Array.from({ length }, (_, i) => i % 3),
    pixels: { data, height: 16, width: 16 },
    mean: [0.5, 0.5, 0.5],
    std: [0.5, 0.5, 0.5],
    resolution: 16,
    notes: [],
  };
}

/** All of a model's state, to be compared bit for bit. */
export async function stateOf(model: Contrastive): Promise<Record<string, ArrayLike<unknown>>> {
  return Object.fromEntries([...await readState(model)].map(([name, { data }]) => [name, data]));
}

/** Values of a tensor. */
export async function valuesOf(x: Tensor): Promise<number[]> {
  return [...await x.data()];
}
