// Optimizers and schedules against PyTorch, step by step (tests/fixtures/README.md).
import { Device, scope, tensor, zeros } from "../../mod.ts";
import {
  Adam,
  type AdamOptions,
  AdamW,
  clipGradNorm,
  CosineAnnealingLR,
  EMA,
  LARS,
  type Optimizer,
  ReduceLROnPlateau,
  SGD,
} from "../../src/optim/mod.ts";
import { assertClose } from "../../src/testing/mod.ts";
import { formula } from "../fixtures/formula.ts";
import { tensorOf } from "../fixtures/golden.ts";
import { floatsOf, readFixture, readFixtureJson } from "../fixtures/read.ts";

await Device.open();

interface Schedules {
  cosineAnnealing: { lr: number; tMax: number; etaMin: number; epochs: number[]; rates: number[] }[];
  reduceOnPlateau: { lr: number; options: Record<string, number>; metrics: number[]; rates: number[] }[];
}

interface OptimizerCase {
  name: string;
  optimizer: "SGD" | "LARS";
  options: { lr: number };
}

const schedules = readFixtureJson<Schedules>("schedules");
const golden = readFixture("optimizers");

function idle(lr: number): SGD {
  return new SGD([tensor([0])], { lr });
}

Deno.test("CosineAnnealingLR has PyTorch's rates", () => {
  for (const { lr, tMax, etaMin, epochs, rates } of schedules.cosineAnnealing) {
    const schedule = new CosineAnnealingLR(idle(lr), { tMax, etaMin });
    assertClose(epochs.map((epoch) => schedule.at(epoch)), rates, { rtol: 1e-12 });
  }
});

Deno.test("ReduceLROnPlateau has PyTorch's rates", () => {
  for (const { lr, options, metrics, rates } of schedules.reduceOnPlateau) {
    const optimizer = idle(lr);
    const plateau = new ReduceLROnPlateau(optimizer, options);
    const own = metrics.map((metric) => {
      plateau.step(metric);
      return optimizer.lr;
    });
    assertClose(own, rates, { rtol: 1e-12 });
  }
});

for (const { name, optimizer: kind, options } of JSON.parse(golden.metadata.cases!) as OptimizerCase[]) {
  Deno.test(`${name}: four steps are PyTorch's`, async () => {
    using _ = scope();
    const weights = Array.from({ length: 6 }, (_, i) => tensorOf(golden, `weight${i}`));
    const optimizer: Optimizer = kind === "SGD" ? new SGD(weights, options) : new LARS(weights, options);
    for (let step = 0; step < 4; step++) {
      weights.forEach((weight, i) => weight.grad = tensorOf(golden, `grad${i}.${step}`));
      optimizer.step();
      for (const [i, weight] of weights.entries()) {
        assertClose(await weight.data(), floatsOf(golden, `${name}/weight${i}.${step}`), { rtol: 1e-6 });
      }
    }
    optimizer.dispose();
  });
}

interface AdamCase {
  name: string;
  optimizer: "Adam" | "AdamW";
  options: AdamOptions;
  clip: number | null;
  steps: number[];
}

for (const { name, optimizer: kind, options, clip, steps } of JSON.parse(golden.metadata.adam!) as AdamCase[]) {
  Deno.test(`${name}: ten steps are PyTorch's`, async () => {
    using _ = scope();
    const weights = Array.from({ length: 6 }, (_, i) => tensorOf(golden, `weight${i}`));
    const averages = weights.map(({ shape }) => zeros(shape));
    const ema = new EMA(averages, weights, { decay: Number(golden.metadata.ema) });
    const optimizer = kind === "Adam" ? new Adam(weights, options) : new AdamW(weights, options);
    for (let step = 0; step < 10; step++) {
      for (const [i, weight] of weights.entries()) {
        const grad = formula(`optimizer/grad${i}.${step}`, weight.shape).map((value) => i === 2 ? 10 * value : value);
        weight.grad = tensor(grad, { shape: weight.shape });
      }
      const norm = clip === null ? null : clipGradNorm(weights, clip);
      if (norm) assertClose(await norm.data(), [floatsOf(golden, `${name}/norms`)[step]!], { rtol: 1e-6 });
      optimizer.step();
      ema.update();
      if (!steps.includes(step)) continue;
      for (const [i, weight] of weights.entries()) {
        assertClose(await weight.data(), floatsOf(golden, `${name}/weight${i}.${step}`), { rtol: 2e-6 });
      }
    }
    for (const [i, average] of averages.entries()) {
      if (clip !== null) assertClose(await average.data(), floatsOf(golden, `${name}/ema${i}`), { rtol: 2e-6 });
    }
    optimizer.dispose();
  });
}
