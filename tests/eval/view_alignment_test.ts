import { assert, assertEquals } from "@std/assert";
import { Device, key } from "../../mod.ts";
import { uniformNumbers } from "../../src/tensor/internal.ts";
import { NORMALIZATION, type PixelDataset } from "../../src/data/mod.ts";
import { ResNet } from "../../src/nn/mod.ts";
import { viewAlignment } from "../../src/eval/mod.ts";

const device = await Device.open();
const layout = { block: "basic", layers: [1], widths: [4], smallStem: true } as const;
const OPTIONS = { feature: "fc", resolution: 8, workers: 1, batchSize: 4 } as const;

function dataset(length: number, pixel: (i: number) => number): PixelDataset {
  const data = Uint8Array.from({ length: length * 192 }, (_, i) => pixel(i));
  const labels = new Int32Array(length);
  const rest = { classes: ["one"], resolution: 8, notes: [], ...NORMALIZATION.cifar };
  return { name: "made", split: "test", length, labels, pixels: { data, height: 8, width: 8 }, ...rest };
}

Deno.test("viewAlignment() is 0 for images that no augmentation changes, and larger for others", async () => {
  const encoder = new ResNet(layout, { numClasses: 8 }).eval();
  const black = await viewAlignment(device, encoder, dataset(9, () => 0), OPTIONS) ?? NaN;
  assert(black < 1e-9, `black images: ${black}`);
  const noise = uniformNumbers(9 * 192, key(1));
  const mixed = await viewAlignment(device, encoder, dataset(9, (i) => 256 * noise[i]!), OPTIONS) ?? NaN;
  assert(mixed > 1e-3 && mixed < 4, `noise: ${mixed}`);
  assertEquals(await viewAlignment(device, encoder, dataset(9, (i) => 256 * noise[i]!), OPTIONS), mixed);
  encoder.dispose();
});
