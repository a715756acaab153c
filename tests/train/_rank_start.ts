// One rank that differs from rank 0 as the argument says; prints the error that it gets.
import { Device, key, mul, tensor } from "../../mod.ts";
import type { ImageDataset } from "../../src/data/mod.ts";
import { openCommunicator } from "../../src/distributed/mod.ts";
import { Linear } from "../../src/nn/mod.ts";
import { checkRanks, checkStart, DataParallel, describeRanks, encodeTogether } from "../../src/train/mod.ts";

const group = openCommunicator({ required: true });
const [difference] = Deno.args;
const is = (name: string) => difference === name && group.rank === 1;
const labels = Int32Array.of(0, 1, is("labels") ? 0 : 1);
const dataset = { name: "some", length: 3, labels, paths: ["a", "b", is("paths") ? "x" : "c"] };

try {
  checkRanks(group, { lr: is("lr") ? 0.2 : 0.3 }, dataset as unknown as ImageDataset);
  checkStart(group, { epoch: is("epoch") ? 1 : 0, step: 0 });
  await using device = await Device.open();
  if (group.rank === 0) console.log(describeRanks(group, device).join("\n"));
  else describeRanks(group, device);
  const model = new Linear({ inFeatures: 2, outFeatures: 2, key: key(group.rank, 0) });
  const parallel = await DataParallel.open(group, model); // other weights at first: those of rank 0 count
  await parallel.verify();
  if (is("weights")) model.weight.write(new Float32Array(4));
  await parallel.verify();
  // 7 images, so that the ranks' parts differ in size; an encoder that needs no weights.
  const values = Float32Array.from({ length: 7 * 2 }, (_, i) => i);
  const images = (from: number, to: number) =>
    tensor(values.subarray(2 * from, 2 * to), { shape: [to - from, 2], device });
  const features = await encodeTogether(group, { forward: (x) => mul(x, 2) }, 7, images, { batchSize: 2 });
  console.log(`features of ${features.dim} columns: ${features.data.join(" ")}`);
  group.close();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  Deno.exit(1);
}
