// Times data-parallel steps: mpirun --bind-to none -n 2 deno run -A bench/distributed.ts [width] [batch] [size] [steps]
// Batch is the joint one. Without mpirun, one process. Rank 0 prints a line of the table in docs/distributed.md.
import { backward, Device, scope, uniform } from "../mod.ts";
import { Exchange, GradientBuckets, openCommunicator, shareOf } from "../src/distributed/mod.ts";
import { decoupledUniformity } from "../src/losses/mod.ts";
import { contrastive, ResNet, syncBatchNorm } from "../src/nn/mod.ts";
import { SGD } from "../src/optim/mod.ts";

const [width = 64, batch = 16, size = 8, steps = 5] = Deno.args.map(Number);
const group = openCommunicator();
await using device = await Device.open();
const layout = { block: "basic", layers: [2, 2, 2, 2], widths: [1, 2, 4, 8].map((times) => times * width) } as const;
const model = contrastive(new ResNet(layout, { stem: "cifar", numClasses: 2048 }), { projection: 256 });
const optimizer = new SGD(model.parameters(), { lr: 0.01 });
const exchange = await Exchange.open(group, device);
if (group.size > 1) syncBatchNorm(model, exchange);
const [from, to] = shareOf(group, batch);

/** Mean milliseconds of a step, and what of it was spent in exchanges and in reductions that backward did not hide. */
async function time(bytes: number): Promise<{ step: number; exchange: number; exposed: number }> {
  const buckets = new GradientBuckets(group, exchange.reader, model.parameters(), { bytes });
  let [start, before] = [0, { exposed: 0, exchange: 0 }];
  for (let step = -1; step < steps; step++) {
    if (step === 0) {
      await group.barrier();
      before = { exposed: buckets.exposedMilliseconds, exchange: group.traffic.milliseconds };
      start = performance.now();
    }
    using _ = scope();
    const z = model.forward(uniform([to - from, 2, size, size, 3], { key: [step + 1, group.rank] }));
    backward(decoupledUniformity(z), { onGrad: (leaf) => group.size > 1 && buckets.ready(leaf) });
    if (group.size > 1) await buckets.finish();
    optimizer.step();
  }
  await device.done();
  return {
    step: (performance.now() - start) / steps,
    exchange: (group.traffic.milliseconds - before.exchange) / steps,
    exposed: (buckets.exposedMilliseconds - before.exposed) / steps,
  };
}

const gradients = new Float32Array(model.parameters().reduce((sum, { size }) => sum + size, 0));
const overlapped = await time(2 ** 23);
const atOnce = await time(Infinity); // one bucket, sent when backward is over
await group.barrier();
const start = performance.now();
group.allReduce(gradients);
const alone = performance.now() - start;
if (group.rank === 0) {
  const round = (ms: number) => ms.toFixed(0).padStart(6);
  console.log(
    `${group.size} ranks, batch ${batch}: step ${round(overlapped.step)} ms, ${
      (1000 * batch / overlapped.step).toFixed(1)
    } images/s; ` +
      `exchanges ${round(overlapped.exchange)} ms; gradients ${
        (gradients.byteLength / 1e6).toFixed(1)
      } MB: reduction ` +
      `alone ${round(alone)} ms, exposed ${round(overlapped.exposed)} ms in buckets of 8 MiB, ` +
      `${round(atOnce.exposed)} ms in one; step in one ${round(atOnce.step)} ms`,
  );
}
group.close();
