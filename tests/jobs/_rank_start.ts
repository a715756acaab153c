// One rank that differs from rank 0 as the argument says; prints the error that it gets.
import { Device, key, sum } from "../../mod.ts";
import type { FileDataset } from "../../src/data/mod.ts";
import { openCommunicator } from "../../src/distributed/mod.ts";
import { Linear } from "../../src/nn/mod.ts";
import { checkRanks, checkStart, describeRanks, VERSION } from "../../src/jobs/mod.ts";
import { DataParallel } from "../../src/train/mod.ts";
import { encodeImages } from "../../src/eval/mod.ts";
import { UnreadableImages } from "../../src/jobs/pretrain/unreadable.ts";
import { smallDataset } from "../train/_small.ts";

const group = openCommunicator({ required: true });
const [difference] = Deno.args;
const is = (name: string) => difference === name && group.rank === 1;
const small = { ...smallDataset(7), split: "test" };
const { pixels: _, ...rest } = small;
const labels = Int32Array.of(0, 1, is("labels") ? 0 : 1);
const file = (name: string) => new URL(name, import.meta.url).pathname;
const files = {
  paths: [
    file(is("files") ? "../train/_small.ts" : "_rank_start.ts"),
    file(is("absent") ? "absent" : "../train/_small.ts"),
  ],
} as FileDataset["files"];
const named = { ...rest, split: "train", length: 3, labels, paths: ["a", "b", is("paths") ? "x" : "c"], files };
const versions = { library: is("library") ? "0.0.9" : VERSION, deno: is("Deno") ? "2.9.0" : Deno.version.deno };

try {
  await checkRanks(group, { lr: is("lr") ? 0.2 : 0.3 }, [named, small], versions);
  checkStart(group, { epoch: is("epoch") ? 1 : 0, step: 0 });
  await using device = await Device.open();
  Deno.env.set("CUDA_VISIBLE_DEVICES", `${group.rank}`); // Vulkan does not heed it
  if (group.rank === 0) console.log(describeRanks(group, device).join("\n"));
  else describeRanks(group, device);
  const model = new Linear({ inFeatures: 2, outFeatures: 2, key: key(group.rank, 0) });
  const parallel = await DataParallel.open(group, model); // other weights at first: those of rank 0 count
  await parallel.verify();
  if (is("weights")) model.weight.write(new Float32Array(4));
  await parallel.verify();
  // 7 images in batches of 4: one batch for each of 2 ranks, and nothing for a third one; no weights needed.
  const means = (images: Parameters<typeof sum>[0]) => sum(images, { dim: [1, 2] });
  const encoded = await encodeImages(device, small, means, { batchSize: 4, group });
  if (group.rank === 0) console.log(`encoded ${encoded!.rows}: ${encoded!.features.data.join(" ")}`);
  else if (encoded) throw new Error("the features are rank 0's only");
  const unreadable = new UnreadableImages(group);
  const names = ["both.png", ...group.rank === 1 ? ["second.png"] : []];
  for (const path of names) unreadable.add({ index: 0, path, reason: "cut off" });
  const told = [...unreadable.messages(), ...unreadable.messages()];
  if (group.rank === 0) console.log(told.join("; "));
  group.close();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  Deno.exit(1);
}
