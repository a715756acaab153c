import type { PixelDataset } from "../../src/data/mod.ts";
import { key, type Tensor, uniformNumbers } from "../../mod.ts";
import { readState } from "../../src/train/mod.ts";
import type { Contrastive } from "../../src/nn/mod.ts";

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
