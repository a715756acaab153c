import { assertClose } from "../../src/testing/mod.ts";
import { augment, chexpertRecipe, evalTransform, naturalRecipe } from "../../src/data/augment/mod.ts";
import { benchOn } from "../_bench.ts";
import { Device } from "../../src/device/mod.ts";
import { key, tensor } from "../../src/tensor/mod.ts";
import { uniformNumbers } from "../../src/tensor/internal.ts";

const device = await Device.open();
const bench = await benchOn(device);
const NORMALIZATION = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] };

function bytes(length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(uniformNumbers(length, key(0)), (u) => 256 * u);
}

const small = tensor<"u8">(bytes(1024 * 32 * 32 * 3), { shape: [1024, 32, 32, 3] });
const large = tensor<"u8">(bytes(8 * 300 * 400 * 3), { shape: [8, 300, 400, 3] });
const samples = tensor<"u32">(Uint32Array.from({ length: 256 }, (_, i) => 3 * i));
const few = tensor<"u32">(Uint32Array.from({ length: 8 }, (_, i) => i));

// Right first: without random steps a view is the image.
const same = await augment(small, { indices: [5], views: 1, recipe: evalTransform({ size: 32 }) }).data();
assertClose(same, Float32Array.from((await small.data()).subarray(5 * 3072, 6 * 3072), (byte) => byte / 255));

let epoch = 0;
const cases = [
  ["512 views of 32 px, natural", small, samples, naturalRecipe({ size: 32, ...NORMALIZATION }), 10],
  ["16 views of 224 px from 400 x 300, natural", large, few, naturalRecipe({ size: 224, ...NORMALIZATION }), 1],
  ["16 views of 224 px from 400 x 300, CheXpert", large, few, chexpertRecipe(), 1],
] as const;

for (const [name, images, indices, recipe, repeat] of cases) {
  // Several batches share one wait, as the steps of a training do.
  await bench(`augment ${name}`, () => augment(images, { indices, recipe, epoch: epoch++ }), { repeat });
}
