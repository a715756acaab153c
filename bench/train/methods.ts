// What a step of each method costs, and how much of it is no forward or backward pass: the optimiser, the momentum
// encoder's average, the queue. Interleaved, so that ratios hold on a busy machine:
// deno run -A bench/train/methods.ts [samples] [width] [rounds]
import process from "node:process";
import { backward, compile, Device, keep, key, scope, type Tensor, uniform } from "../../mod.ts";
import { cosine } from "../../src/kernels/mod.ts";
import { SGD } from "../../src/optim/mod.ts";
import { type MethodName, METHODS } from "../../src/methods/mod.ts";
import { MetricRing } from "../../src/train/mod.ts";
import { Objective } from "../../src/train/objective.ts";
import { resolveConfig } from "../../src/train/resolve.ts";
import { TrainingSteps } from "../../src/train/training_step.ts";
import { makeModel } from "../../examples/_quickstart/train.ts";

const [samples = 64, width = 16, rounds = 5] = Deno.args.map(Number);
await using device = await Device.open();
const agreed = { counts: [samples], trains: true, stop: false };
const views = keep(uniform([samples, 2, 32, 32, 3], { key: key(0), device }));
const words = keep(uniform([samples, 16], { key: key(1), device }));
const classes = keep(uniform([samples, 1], { key: key(2), device }));

/** A method with its steps: whole ones, and ones that end with the gradient. */
function stepper(method: MethodName) {
  const { prior: use, targets, queue } = METHODS[method];
  const model = makeModel({ width, seed: 0, method });
  const target = targets === "momentum" ? makeModel({ width, seed: 0, method, follows: true }) : undefined;
  const prior = use === "none" ? null : use === "classes" ? classes : words;
  const kernel = prior === words ? cosine() : undefined;
  const config = resolveConfig({ epochs: 1, method, target, kernel, ...queue ? { queue: 1024 } : {} });
  const objective = new Objective(model, config, null);
  const optimizer = new SGD(model.parameters(), { lr: 1e-3 });
  const metrics = new MetricRing(device, ["loss", "centroid_square"], 1000);
  const steps = new TrainingSteps({ objective, optimizer, metrics, compile: true, joint: false });
  const pass = compile((images: Tensor) => {
    const { loss } = objective.losses(objective.embed([images]), prior, agreed);
    backward(loss);
    optimizer.zeroGrad();
    return loss;
  });
  const loss = async () => {
    using _ = scope();
    return await pass(views).item();
  };
  return { method, loss, pass: () => pass(views).dispose(), step: () => steps.run({ parts: [views], prior, agreed }) };
}

const onCpu = device.info.family === "cpu";

/** Milliseconds so far; where the processor is the device, those that it worked for this process. */
function clock(): number {
  if (!onCpu) return performance.now();
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Milliseconds of a call, to the end of its work on the device. */
async function time(run: () => unknown): Promise<number> {
  await device.done();
  const start = clock();
  {
    using _ = scope();
    await run();
  }
  await device.done();
  return clock() - start;
}

const all = (Object.keys(METHODS) as MethodName[]).map((method) => ({
  ...stepper(method),
  times: [[], []] as number[][],
}));
for (const each of all) {
  // Right first: the loss is a number, and falls as the same batch is learnt from.
  const before = await each.loss();
  for (let step = 0; step < 6; step++) await each.step();
  const after = await each.loss();
  // MoCo's rises first, while keys of images take the place of noise in its queue.
  const right = each.method === "moco" ? Number.isFinite(after) : after < before;
  if (!right) throw new Error(`The loss of ${each.method} does not fall: ${before} to ${after}`);
}
for (let round = -1; round < rounds; round++) {
  for (const { step, pass, times } of all) {
    const taken = [await time(step), await time(pass)];
    if (round >= 0) taken.forEach((ms, i) => times[i]!.push(ms));
  }
}
const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]!;
const [plain] = all.map(({ times }) => median(times[0]!));
const unit = onCpu ? "processor ms" : "ms";
console.log(`${samples} x 2 views of 32 px, width ${width}, ${device.info.description}; medians of ${rounds}`);
console.log(`method                 ${unit.padStart(12)}  of plain  step / passes`);
for (const { method, times: [steps, passes] } of all) {
  console.log(
    `${method.padEnd(22)} ${median(steps!).toFixed(1).padStart(12)}  ${
      (median(steps!) / plain!).toFixed(2).padStart(8)
    }  ` +
      `${(median(steps!) / median(passes!)).toFixed(3).padStart(13)}`,
  );
}
