/**
 * Peak memory of a training step, beside `bench/compare/pytorch_memory.py`, which makes the same step in PyTorch.
 *
 *     deno run -A bench/memory.ts [--gpu] [--mixed] [resnet18|resnet50] [images] [more images]
 *
 * What a step allocates follows from shapes alone, so nothing is computed here: no dispatch reaches the device. `--gpu`
 * takes the forms of the shaders for GPUs whatever the adapter is, `--mixed` mixed precision. `peak` is what tensors hold
 * at once, `buffers` what the device gave for it, with the free buffers that wait for the next step; `dispatches` are the
 * programs that it runs. Two batch sizes give the fixed part and the part of an image.
 */
import { type Peak, peakOf } from "./_memory.ts";
import type { NetworkName } from "./_steps.ts";

const family = Deno.args.includes("--gpu") ? "gpu" : undefined;
const mixed = Deno.args.includes("--mixed");
const [network = "resnet18", ...counts] = Deno.args.filter((arg) => !arg.startsWith("--"));
const batches = counts.length > 0 ? counts.map(Number) : [64, 128];
const MB = (bytes: number, digits = 0) => (bytes / 1e6).toFixed(digits);
const [precision, forms] = [mixed ? "mixed precision" : "f32", family ? "as on a GPU" : "as on this adapter"];
console.log(`${network}, one training step, ${precision}, ${forms}\n`);
console.log(
  "| images | held between steps MB | peak MB | buffers MB | dispatches |\n| ---: | ---: | ---: | ---: | ---: |",
);
const peaks: Peak[] = [];
for (const images of batches) {
  const each = await peakOf(network as NetworkName, images, family, mixed);
  peaks.push(each);
  console.log(`| ${images} | ${MB(each.held)} | ${MB(each.peak)} | ${MB(each.buffers)} | ${each.dispatches} |`);
}
if (batches.length > 1) {
  const [first, last] = [peaks[0]!, peaks.at(-1)!];
  for (const name of ["peak", "buffers"] as const) {
    const each = (last[name] - first[name]) / (batches.at(-1)! - batches[0]!);
    console.log(`\n${name}: ${MB(first[name] - batches[0]! * each)} MB and ${MB(each, 3)} MB an image`);
  }
}
