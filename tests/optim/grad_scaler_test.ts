import { assertAlmostEquals, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { backward, Device, key, mul, normal, requireGrad, scope, sum, Tensor, tensor } from "../../mod.ts";
import { Adam, AdamW, GradScaler, LARS, type Optimizer, SGD } from "../../src/optim/mod.ts";
import { assertClose } from "../../src/testing/mod.ts";

await Device.open();

/** Weights of sizes that fill no vector, enough of them for two batches, and what their gradients are. */
function makeWeights(): { weights: Tensor[]; targets: Tensor[] } {
  const shapes = [[3, 5], [7], [1], [2, 3, 1, 3], [33, 35], [4], [5, 1], [6], [2, 2], [9], [3, 3]];
  const make = (seed: number) => shapes.map((shape, i) => normal(shape, { key: key(seed, i) }));
  return { weights: make(1).map(requireGrad), targets: make(2) };
}

/** A loss whose gradients are the targets, and a step of it. */
function step({ weights, targets }: ReturnType<typeof makeWeights>, optimizer: Optimizer, scaler?: GradScaler): void {
  using _ = scope();
  for (const [i, weight] of weights.entries()) {
    const loss = sum(mul(weight, targets[i]!));
    backward(scaler ? scaler.scale(loss) : loss);
  }
  optimizer.step(scaler);
}

const OPTIMIZERS = {
  "SGD": (weights: Tensor[]): Optimizer => new SGD(weights, { lr: 0.1, weightDecay: 0.01 }),
  "SGD with momentum": (weights: Tensor[]): Optimizer => new SGD(weights, { lr: 0.1, momentum: 0.9, nesterov: true }),
  "Adam": (weights: Tensor[]): Optimizer => new Adam(weights, { lr: 0.1 }),
  "AdamW": (weights: Tensor[]): Optimizer => new AdamW(weights, { lr: 0.1 }),
  "LARS": (weights: Tensor[]): Optimizer => new LARS(weights, { lr: 0.1, weightDecay: 0.01 }),
};

for (const [name, make] of Object.entries(OPTIMIZERS)) {
  Deno.test(`${name} with a GradScaler steps as without one`, async () => {
    using _ = scope();
    const [plain, scaled] = [makeWeights(), makeWeights()];
    const optimizers = [make(plain.weights), make(scaled.weights)];
    const scaler = new GradScaler();
    for (let i = 0; i < 3; i++) {
      step(plain, optimizers[0]!);
      step(scaled, optimizers[1]!, scaler);
    }
    for (const [i, weight] of scaled.weights.entries()) {
      assertClose(await weight.data(), await plain.weights[i]!.data());
    }
    assertEquals(await scaler.state(), { scale: 65536, growthTracker: 3, skipped: 0 });
    for (const each of [...optimizers, scaler]) each.dispose();
  });

  for (const bad of [Infinity, -Infinity, NaN]) {
    Deno.test(`${name} skips a step whose last gradient holds ${bad}, and the scale halves`, async () => {
      using _ = scope();
      const made = makeWeights();
      const optimizer = make(made.weights);
      const scaler = new GradScaler({ initScale: 8 });
      step(made, optimizer, scaler);
      const before = await Promise.all(made.weights.map((weight) => weight.data()));
      const state = await optimizer.state();
      const last = made.targets.at(-1)!;
      const values = await last.data() as Float32Array;
      last.write(values.with(8, bad)); // the ninth of nine: the tail of a vector
      step(made, optimizer, scaler);
      for (const [i, weight] of made.weights.entries()) assertEquals(await weight.data(), before[i]);
      assertEquals({ ...await optimizer.state(), steps: 0 }, { ...state, steps: 0 });
      if (name.startsWith("Adam")) assertEquals((await optimizer.state()).steps, 1);
      assertEquals(await scaler.state(), { scale: 4, growthTracker: 0, skipped: 1 });
      last.write(values);
      step(made, optimizer, scaler);
      assertEquals(await scaler.state(), { scale: 4, growthTracker: 1, skipped: 1 });
      assertNotEquals(await made.weights[0]!.data(), before[0]);
      for (const each of [optimizer, scaler]) each.dispose();
    });
  }
}

Deno.test("GradScaler looks at the elements of gradients, not at what lies behind them", async () => {
  using _ = scope();
  const weight = requireGrad(tensor([1, 2, 3]));
  const grad = tensor([1, 1, 1, NaN]); // a storage of four floats
  const optimizer = new SGD([weight], { lr: 1 });
  const scaler = new GradScaler({ initScale: 2 });
  weight.grad = new Tensor(weight.device, [3], { storage: grad.storage.retain() });
  optimizer.step(scaler);
  assertEquals((await scaler.state()).skipped, 0);
  assertEquals(await weight.data(), new Float32Array([0.5, 1.5, 2.5]));
  for (const each of [optimizer, scaler]) each.dispose();
});

Deno.test("GradScaler grows after its interval, and never past the largest float", async () => {
  using _ = scope();
  const made = makeWeights();
  const optimizer = new SGD(made.weights, { lr: 0 });
  const scaler = new GradScaler({ initScale: 1, growthInterval: 2, growthFactor: 4, backoffFactor: 0.25 });
  const scales = [];
  for (let i = 0; i < 5; i++) {
    step(made, optimizer, scaler);
    scales.push((await scaler.state()).scale);
  }
  assertEquals(scales, [1, 4, 4, 16, 16]);
  scaler.loadState({ scale: 2 ** 127, growthTracker: 1, skipped: 3 });
  for (const target of made.targets) target.write(new Float32Array(target.size));
  step(made, optimizer, scaler);
  assertEquals(await scaler.state(), { scale: 2 ** 127, growthTracker: 0, skipped: 3 });
  for (const each of [optimizer, scaler]) each.dispose();
});

Deno.test("GradScaler scales a loss and its gradient", async () => {
  using _ = scope();
  const scaler = new GradScaler({ initScale: 1024 });
  const x = requireGrad(tensor([3]));
  const loss = sum(mul(x, 2));
  assertEquals(await scaler.scale(loss).item(), 6144);
  backward(scaler.scale(loss));
  assertEquals(await x.grad!.data(), new Float32Array([2048]));
  assertAlmostEquals(await loss.item(), 6);
  scaler.dispose();
});

Deno.test("GradScaler throws when a setting is out of range", () => {
  assertThrows(
    () => new GradScaler({ initScale: 0 }),
    RangeError,
    "initScale must be > 0 and finite: current value is 0",
  );
  assertThrows(() => new GradScaler({ growthFactor: 0.5 }), RangeError, "growthFactor must be >= 1: got 0.5");
  assertThrows(() => new GradScaler({ backoffFactor: 0 }), RangeError, "backoffFactor must be > 0 and finite");
  assertThrows(() => new GradScaler({ backoffFactor: 2 }), RangeError, "backoffFactor must be in (0, 1]");
  for (const growthInterval of [1.5, 1e39]) { // the device counts as u32
    assertThrows(() => new GradScaler({ growthInterval }), RangeError, `got 0.5 and ${growthInterval}`);
  }
});
