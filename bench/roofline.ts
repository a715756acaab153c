/**
 * Time of a training step, op by op: FLOPs and least bytes, GFLOP/s, GB/s, the share of the device's
 * measured ceilings and the time lost against the floor that they set, the largest loss first.
 *
 *     deno run -A bench/roofline.ts                     # both networks, at the sizes that suit the adapter
 *     deno run -A bench/roofline.ts resnet18 64         # one network, 64 images
 *     deno run -A bench/roofline.ts --count             # count a GPU's sizes without running them
 *     deno run -A bench/roofline.ts --count --gflops 60000 --gbs 3000      # under given ceilings
 *
 * `resnet18` is the CIFAR stem on 32 px (a GPU's size: 2 x 256 images), `resnet50` the ImageNet stem on 224 px (2 x 64);
 * a step is augmentation, forward, loss, backward and SGD. A software adapter runs small batches, and counts a GPU's.
 * `--rows N` shortens the tables. Needs neither npm nor network.
 */
import { parseArgs } from "@std/cli";
import { Device } from "../mod.ts";
import { type Ceilings, ceilings } from "./_ceilings.ts";
import { countedTable, countStep, stepName, timedTable, timeStep, totalOf } from "./_roofline.ts";
import { type NetworkName, NETWORKS } from "./_steps.ts";
import { percent } from "./_table.ts";

const IMAGES = { gpu: { resnet18: 512, resnet50: 128 }, cpu: { resnet18: 16, resnet50: 4 } } as const;

const flags = parseArgs(Deno.args, { boolean: ["count"], string: ["gflops", "gbs", "rows"] });
const [network, images] = flags._;
if (network !== undefined && !(network in NETWORKS)) throw new Error(`No network "${network}": resnet18 or resnet50`);
const networks = network === undefined ? Object.keys(NETWORKS) as NetworkName[] : [network as NetworkName];
const rows = Number(flags.rows ?? Infinity);

const device = await Device.open();
const measured = flags.gflops && flags.gbs ? null : await ceilings(device);
const limits: Ceilings = {
  gigaflops: Number(flags.gflops ?? measured?.gigaflops),
  gigabytes: Number(flags.gbs ?? measured?.gigabytes),
};
console.log(`${device.info.description}; f32; ${new Date().toISOString().slice(0, 10)}`);
console.log(
  `ceilings${measured ? "" : ", given"}: ${limits.gigaflops.toFixed(0)} GFLOP/s (FMA), ${
    limits.gigabytes.toFixed(1)
  } GB/s (copy)`,
);
if (!flags.count) {
  for (const name of networks) await timed(name, Number(images ?? IMAGES[device.info.family][name]));
}
if (flags.count || device.info.family === "cpu") {
  for (const name of networks) counted(name, Number(flags.count && images || IMAGES.gpu[name]));
}
device.close();

async function timed(name: NetworkName, count: number): Promise<void> {
  const lines = await timeStep(device, name, count);
  const { milliseconds, floor, gflop, gigabytes } = totalOf(lines, limits);
  console.log(`\n## ${stepName(name, count)}: one step, measured\n`);
  console.log(
    `${gflop.toFixed(0)} GFLOP, ${gigabytes.toFixed(2)} GB at least; GPU time ${milliseconds.toFixed(1)} ms, ` +
      `floor ${floor.toFixed(1)} ms (${percent(floor / milliseconds)})\n`,
  );
  console.log(timedTable(lines, limits, rows));
  device.trim();
}

function counted(name: NetworkName, count: number): void {
  const { lines, peakBytes } = countStep(device, name, count);
  const { floor, gflop, gigabytes } = totalOf(lines, limits);
  console.log(`\n## ${stepName(name, count)}: one step, counted\n`);
  console.log(
    `${gflop.toFixed(0)} GFLOP, ${gigabytes.toFixed(1)} GB at least, floor ${floor.toFixed(1)} ms; ` +
      `peak memory ${(peakBytes / 1e9).toFixed(2)} GB\n`,
  );
  console.log(countedTable(lines, limits, rows));
}
