import { assertEquals } from "@std/assert";
import { autocast, backward, Device, keep, scope, Tensor, tensor } from "../../mod.ts";
import type { Counters } from "../../src/device/mod.ts";
import { augment, naturalRecipe } from "../../src/data/mod.ts";
import { decoupledUniformity } from "../../src/losses/mod.ts";
import { contrastive, ResNet } from "../../src/nn/mod.ts";
import { AdamW, clipGradNorm, GradScaler, LARS, type Optimizer, SGD } from "../../src/optim/mod.ts";
import { MetricRing } from "../../src/train/mod.ts";
import { testWith } from "../device/_features.ts";

const device = await Device.open();

function difference(after: Counters, before: Counters): Partial<Record<keyof Counters, number>> {
  const names = Object.keys(after) as (keyof Counters)[];
  return Object.fromEntries(names.map((name) => [name, after[name] - before[name]]));
}

const sgd = (p: Tensor[]): Optimizer => new SGD(p, { lr: 0.05, momentum: 0.9 });
const lars = (p: Tensor[]): Optimizer => new LARS(p, { lr: 0.05 });

const adamw = (p: Tensor[]): Optimizer => new AdamW(p, { lr: 0.05 });

for (
  const [name, make, mixed] of [
    ["SGD", sgd, false],
    ["LARS", lars, false],
    ["SGD in mixed precision", sgd, true],
    ["LARS in mixed precision", lars, true],
    ["AdamW and clipped gradients in mixed precision", adamw, true],
  ] as const
) {
  testWith(
    device,
    mixed ? "shader-f16" : null,
    `a steady training step with ${name} creates nothing, submits once and reads nothing back`,
    async () => {
      const layout = { block: "basic", layers: [1, 1], widths: [4, 8], smallStem: true } as const;
      const model = contrastive(new ResNet(layout, { numClasses: 8 }), { projection: 4 });
      const optimizer = make(model.parameters());
      const scaler = mixed ? new GradScaler() : undefined;
      const metrics = new MetricRing(device, ["loss"], 200);
      const images = keep(tensor(new Uint8Array(20 * 8 * 8 * 3).map((_, i) => i % 251), { shape: [20, 8, 8, 3] }));
      const indices = keep(new Tensor(device, [6], { dtype: "u32" }));
      const recipe = naturalRecipe({ size: 8 });
      const step = (epoch: number) => {
        using _ = scope();
        indices.write(Uint32Array.from({ length: 6 }, (_, i) => (i * 3 + epoch) % 20));
        const views = augment(images, { indices, recipe, epoch, seed: 1 });
        const z = autocast(() => model.forward(views), { enabled: mixed });
        assertEquals(z.dtype, mixed ? "f16" : "f32");
        const loss = decoupledUniformity(z);
        backward(scaler?.scale(loss) ?? loss);
        metrics.push([loss]);
        if (make === adamw) clipGradNorm(optimizer.parameters, 1, { scaler });
        optimizer.step(scaler);
      };
      step(0);
      step(1);
      const [live, steady] = [device.memory.live, device.counters];
      step(2);
      const perStep = difference(device.counters, steady);
      assertEquals({ ...perStep, dispatches: 0 }, {
        buffers: 0,
        pipelines: 0,
        bindGroups: 0,
        submits: 1,
        dispatches: 0,
        reads: 0,
      });
      for (let epoch = 3; epoch < 200; epoch++) step(epoch);
      const all = difference(device.counters, steady);
      assertEquals(all, {
        buffers: 0,
        pipelines: 0,
        bindGroups: 0,
        submits: 198,
        dispatches: 198 * perStep.dispatches!,
        reads: 0,
      });
      assertEquals(device.memory.live, live);
      const losses = await metrics.read();
      assertEquals(losses.length, 200);
      assertEquals(losses.every(({ loss }) => Number.isFinite(loss)), true);
      for (const each of [model, optimizer, scaler, metrics, images, indices]) each?.dispose();
    },
  );
}
