import type { PixelDataset } from "../../src/data/mod.ts";
import { key, type Tensor } from "../../mod.ts";
import { uniformNumbers } from "../../src/tensor/internal.ts";
import { type JobSettings, resolveSettings } from "../../src/jobs/mod.ts";
import { readState } from "../../src/weights/mod.ts";
import type { Contrastive } from "../../src/nn/mod.ts";

/** Settings of a job of two epochs on few images. */
export const SETTINGS: JobSettings = resolveSettings({
  db: "small",
  demo: false,
  augmentation: "natural",
  stem: "cifar",
  resolution: 16,
  network: "tiny",
  epochs: 2,
  batch_size: 8,
  lr: 0.5,
  print_freq: 1,
  eval_every: 1,
  eval_images: 100,
  workers: 1,
});

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

/** Reads all of a model's state, to be compared bit for bit. */
export async function stateOf(model: Contrastive): Promise<Record<string, ArrayLike<unknown>>> {
  return Object.fromEntries([...await readState(model)].map(([name, { data }]) => [name, data]));
}

/** Values of a tensor. */
export async function valuesOf(x: Tensor): Promise<number[]> {
  return [...await x.data()];
}
