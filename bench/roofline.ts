/**
 * Where the time of a training step goes: each op's GPU time, its share of the device's measured ceilings, and the time
 * lost against the floor that they set; the largest loss first.
 *
 *     deno run -A bench/roofline.ts [resnet18|resnet50] [images]
 *
 * `resnet18` is the CIFAR stem on 32 px, `resnet50` the ImageNet stem on 224 px. Needs neither npm nor network.
 */
import { backward, Device, keep, key, scope, uniform } from "../mod.ts";
import { decoupledUniformity } from "../src/losses/mod.ts";
import { contrastive, resnet18, resnet50 } from "../src/nn/mod.ts";
import { SGD } from "../src/optim/mod.ts";
import { ceilings } from "./_ceilings.ts";
import { workOf } from "./_work.ts";

const [network = "resnet18", count] = Deno.args;
const device = await Device.open();
const onGpu = device.info.family === "gpu";
const images = Number(count ?? (onGpu ? (network === "resnet18" ? 512 : 128) : network === "resnet18" ? 16 : 4));
const size = network === "resnet18" ? 32 : 224;
const model = contrastive(network === "resnet18" ? resnet18({ stem: "cifar" }) : resnet50());
const optimizer = new SGD(model.parameters(), { lr: 0.01 });
const views = keep(uniform([images / 2, 2, size, size, 3], { key: key(0), low: -1 }));

function step(): void {
  using _ = scope();
  backward(decoupledUniformity(model.forward(views)));
  optimizer.step();
}

const limits = await ceilings(device);
step();
await device.done();
device.startProfile({ shapes: true });
step();
const profile = await device.stopProfile();

interface Line {
  name: string;
  milliseconds: number;
  floor: number;
  calls: number;
}

// Dispatches of one op on the same shapes belong together: their work is that of the op, once a call.
const lines = new Map<string, Line>();
for (const { name, milliseconds, count } of profile) {
  const [, op, list] = /^(.*?) ((?:\[[\d,]*\])+)/.exec(name) ?? [, name, ""];
  const label = `${op} ${list}`;
  const shapes = [...(list ?? "").matchAll(/\[([\d,]*)\]/g)].map(([, s]) => s ? s.split(",").map(Number) : []);
  const { flop, bytes } = workOf(op ?? "", shapes);
  const line = lines.get(label) ?? { name: label, milliseconds: 0, floor: 0, calls: count };
  line.milliseconds += milliseconds;
  line.calls = Math.min(line.calls, count);
  line.floor = line.calls * Math.max(flop / limits.gigaflops, bytes / limits.gigabytes) / 1e6;
  lines.set(label, line);
}

const sorted = [...lines.values()].sort((a, b) => (b.milliseconds - b.floor) - (a.milliseconds - a.floor));
const total = sorted.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
const floor = sorted.reduce((sum, { floor }) => sum + floor, 0);
console.log(`${device.info.description}; ${network}, ${images} images of ${size} px, one training step, f32`);
console.log(`ceilings: ${limits.gigaflops.toFixed(0)} GFLOP/s (FMA), ${limits.gigabytes.toFixed(1)} GB/s (copy)`);
console.log(`GPU time ${total.toFixed(1)} ms, floor ${floor.toFixed(1)} ms (${(100 * floor / total).toFixed(0)} %)\n`);
console.log("| op and shapes | calls | ms | floor ms | share of ceiling | lost ms |");
console.log("| --- | ---: | ---: | ---: | ---: | ---: |");
for (const { name, calls, milliseconds, floor } of sorted.slice(0, 40)) {
  const share = `${(100 * floor / milliseconds).toFixed(0)} %`;
  const cells = [name, calls, milliseconds.toFixed(2), floor.toFixed(2), share, (milliseconds - floor).toFixed(2)];
  console.log(`| ${cells.join(" | ")} |`);
}
device.close();
