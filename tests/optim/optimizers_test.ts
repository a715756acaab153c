import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Device, key, ones, requireGrad, scope, type Tensor, tensor, uniform } from "../../mod.ts";
import { Adam, AdamW, LARS, type Optimizer, SGD } from "../../src/optim/mod.ts";
import { assertClose } from "../../src/testing/mod.ts";

await Device.open();

type Update = (w: Float64Array, g: Float64Array, v: Float64Array, rank: number, step: number) => void;

/** Sizes that cross a workgroup (1,024), are not multiples of 4, and need several dispatches. */
function parameters(): Tensor[] {
  const shapes = Array.from({ length: 20 }, (_, i) => i % 3 === 0 ? [i * 150 + 1] : [7, i + 1, 13]);
  return shapes.map((shape, i) => requireGrad(uniform(shape, { key: key(i), low: -1 })));
}

async function compare(make: (parameters: Tensor[]) => Optimizer, update: Update): Promise<void> {
  using _ = scope();
  const weights = parameters();
  const expected = await Promise.all(weights.map(async (w) => Float64Array.from(await w.data())));
  const velocities = expected.map((w) => new Float64Array(2 * w.length)); // Adam has two a weight
  const optimizer = make(weights);
  for (let step = 0; step < 3; step++) {
    for (const [i, w] of weights.entries()) {
      const grad = uniform(w.shape, { key: key(step, i), low: -1 });
      const g = Float64Array.from(await grad.data());
      w.grad = grad;
      update(expected[i]!, g, velocities[i]!, w.rank, step);
    }
    optimizer.step();
  }
  for (const [i, w] of weights.entries()) assertClose(await w.data(), expected[i]!, { rtol: 1e-6 });
  optimizer.dispose();
}

function norm(x: Float64Array): number {
  return Math.sqrt(x.reduce((sum, v) => sum + v * v, 0));
}

Deno.test("SGD without momentum follows its formula", async () => {
  await compare((p) => new SGD(p, { lr: 0.1, weightDecay: 0.01 }), (w, g) => {
    for (let i = 0; i < w.length; i++) w[i]! -= 0.1 * (g[i]! + 0.01 * w[i]!);
  });
});

Deno.test("SGD with momentum and Nesterov follows its formula", async () => {
  for (const nesterov of [false, true]) {
    await compare((p) => new SGD(p, { lr: 0.1, momentum: 0.9, weightDecay: 0.01, nesterov }), (w, g, v) => {
      for (let i = 0; i < w.length; i++) {
        const d = g[i]! + 0.01 * w[i]!;
        v[i] = 0.9 * v[i]! + d;
        w[i]! -= 0.1 * (nesterov ? d + 0.9 * v[i]! : v[i]!);
      }
    });
  }
});

Deno.test("LARS adapts matrices and leaves vectors alone, and adapts all when faithful", async () => {
  for (const faithful of [false, true]) {
    await compare((p) => new LARS(p, { lr: 0.5, eta: 0.1, weightDecay: 0.01, faithful }), (w, g, v, rank) => {
      const adapted = faithful || rank > 1;
      const d = g.map((x, i) => x + (adapted ? 0.01 * w[i]! : 0));
      const trust = adapted ? 0.1 * norm(w) / norm(d) : 1;
      for (let i = 0; i < w.length; i++) {
        v[i] = 0.9 * v[i]! + 0.5 * trust * d[i]!;
        w[i]! -= v[i]!;
      }
    });
  }
});

Deno.test("Adam and AdamW follow their formulas", async () => {
  const [lr, beta1, beta2, eps, decay] = [0.05, 0.8, 0.95, 1e-3, 0.1];
  for (const decoupled of [false, true]) {
    const options = { lr, betas: [beta1, beta2], eps, weightDecay: decay } as const;
    await compare((p) => decoupled ? new AdamW(p, options) : new Adam(p, options), (w, g, kept, _rank, step) => {
      const [m, v] = [kept.subarray(0, w.length), kept.subarray(w.length)];
      for (let i = 0; i < w.length; i++) {
        const d = g[i]! + (decoupled ? 0 : decay * w[i]!);
        m[i] = beta1 * m[i]! + (1 - beta1) * d;
        v[i] = beta2 * v[i]! + (1 - beta2) * d ** 2;
        const [c1, c2] = [beta1, beta2].map((beta) => 1 - beta ** (step + 1)) as [number, number];
        w[i] = w[i]! * (decoupled ? 1 - lr * decay : 1) - lr * (m[i]! / c1) / (Math.sqrt(v[i]! / c2) + eps);
      }
    });
  }
});

Deno.test("Adam's bias corrections are right at its defaults, in the first step and after thousands", async () => {
  for (const betas of [[0.9, 0.999], [0.9, 0.9999], [0, 0]] as const) {
    for (const steps of [0, 1, 9, 999, 12_345]) {
      using _ = scope();
      const w = requireGrad(tensor([0]));
      using optimizer = disposable(new Adam([w], { lr: 1, betas }));
      optimizer.loadState({ lr: 1, steps, states: { expAvg: [new Float32Array(1)], expAvgSq: [new Float32Array(1)] } });
      w.grad = tensor([0.5]);
      optimizer.step();
      const [c1, c2] = betas.map((beta) => (1 - beta) / (1 - beta ** (steps + 1))) as [number, number];
      assertClose(await w.data(), [-c1 * 0.5 / (Math.sqrt(c2) * 0.5 + 1e-8)], { rtol: 1e-6 });
      assertEquals((await optimizer.state()).steps, steps + 1);
    }
  }
});

Deno.test("LARS moves a matrix of zeros unless it is faithful", async () => {
  for (const [faithful, expected] of [[false, -1], [true, 0]] as const) {
    using _ = scope();
    const w = requireGrad(tensor([[0, 0]]));
    w.grad = tensor([[1, 1]]);
    using optimizer = disposable(new LARS([w], { lr: 1, faithful }));
    optimizer.step();
    assertEquals([...await w.data()].map((x) => x + 0), [expected, expected]);
  }
});

Deno.test("LARS with a gradient of zeros stays finite, and is NaN when faithful", async () => {
  for (const [faithful, nan] of [[false, false], [true, true]] as const) {
    using _ = scope();
    const w = requireGrad(tensor([[1, 2]]));
    w.grad = tensor([[0, 0]]);
    using optimizer = disposable(new LARS([w], { lr: 1, faithful }));
    optimizer.step();
    assertEquals([...await w.data()].some(Number.isNaN), nan);
  }
});

Deno.test("Optimizer.step() uses gradients up and keeps its own state", async () => {
  using _ = scope();
  const w = requireGrad(tensor([1, 2]));
  const optimizer = new SGD([w], { lr: 1, momentum: 0.5 });
  w.grad = tensor([1, 1]);
  optimizer.step();
  assertEquals(w.grad, null);
  assertThrows(() => optimizer.step(), Error, "no parameter has a gradient");
  const state = await optimizer.state();
  assertEquals(state, { lr: 1, steps: 1, states: { velocity: [new Float32Array([1, 1])] } });
  const other = new SGD([w], { lr: 3, momentum: 0.5 });
  other.loadState(state);
  w.grad = tensor([0, 0]);
  other.step();
  assertEquals(await w.data(), new Float32Array([-0.5, 0.5]));
  assertEquals(other.lr, 1);
  assertThrows(() => other.loadState({ ...state, states: {} }), TypeError, "states must be velocity: got none");
  const expAvg = { expAvg: [], expAvgSq: [] };
  assertThrows(() => other.loadState({ ...state, states: expAvg }), TypeError, "velocity: got expAvg and expAvgSq");
  for (const velocity of [[], [new Float32Array(3)]]) {
    assertThrows(
      () => other.loadState({ ...state, states: { velocity } }),
      TypeError,
      `velocity must have the sizes of 1 parameters: got ${velocity.length} arrays`,
    );
  }
  optimizer.dispose();
  other.dispose();
});

Deno.test("Optimizer.loadState() refuses steps that the device cannot count", async () => {
  using _ = scope();
  for (const optimizer of [new Adam([ones([1])]), new SGD([ones([1])], { lr: 1 })]) {
    const state = await optimizer.state();
    for (const steps of [2 ** 32, -1, 0.5, NaN]) {
      assertThrows(
        () => optimizer.loadState({ ...state, steps }),
        RangeError,
        `Cannot load the optimizer's state as steps must be in [0, 2^32): got ${steps}`,
      );
    }
    optimizer.loadState({ ...state, steps: 2 ** 32 - 1 });
    assertEquals((await optimizer.state()).steps, 2 ** 32 - 1);
  }
});

Deno.test("Optimizer leaves a parameter without gradient as it is", async () => {
  using _ = scope();
  const [a, b] = [requireGrad(tensor([1])), requireGrad(tensor([1]))];
  a.grad = tensor([1]);
  new SGD([a, b], { lr: 1 }).step();
  assertEquals([await a.item(), await b.item()], [0, 1]);
});

Deno.test("Optimizer.step() refuses a rate that was set to what no shader can use", () => {
  using _ = scope();
  for (const make of [SGD, Adam, LARS]) {
    const w = requireGrad(ones([2, 2]));
    const optimizer = new make([w], { lr: 1 });
    for (const lr of [NaN, -1e-9, 1e39, Infinity]) {
      w.grad = ones([2, 2]);
      optimizer.lr = lr;
      assertThrows(
        () => optimizer.step(),
        RangeError,
        `Cannot step() as lr must be >= 0 and finite: current value is ${lr}`,
      );
    }
    optimizer.lr = 1e-300; // the end of a cosine: no step
    optimizer.step();
  }
});

Deno.test("optimizers refuse bad settings", async () => {
  using _ = scope();
  const w = requireGrad(tensor([1]));
  assertThrows(() => new SGD([], { lr: 1 }), TypeError, "without parameters");
  assertThrows(() => new SGD([w], { lr: NaN }), RangeError, "lr must be >= 0 and finite: current value is NaN");
  assertThrows(
    () => new SGD([w], { lr: 1, momentum: -1 }),
    RangeError,
    "momentum must be >= 0 and finite: current value is -1",
  );
  assertThrows(() => new SGD([w], { lr: 1, nesterov: true }), RangeError, "nesterov needs momentum");
  assertThrows(() => new AdamW([w], { weightDecay: -1 }), RangeError, "make AdamW as weightDecay must be >= 0");
  assertThrows(() => new Adam([w], { eps: 0 }), RangeError, "Cannot make Adam as eps must be > 0");
  for (const betas of [[0.9, 1], [-0.1, 0.9], [NaN, 0.9]] as const) {
    assertThrows(
      () => new Adam([w], { betas }),
      RangeError,
      `betas must be two numbers in [0, 1): got ${betas.join(", ")}`,
    );
  }
  assertThrows(() => new LARS([w], { lr: 1, eta: 0 }), RangeError, "eta must be > 0 and finite");
  assertThrows(
    () => new SGD([requireGrad(ones([2])), w, w], { lr: 1 }),
    TypeError,
    "twice: got parameter 2 [1] before",
  );
  assertThrows(() => new SGD([w, requireGrad(w.alias())], { lr: 1 }), TypeError, "twice: got parameter 1 [1] before");
  assertThrows(() => new SGD([tensor(new Uint32Array([1]))], { lr: 1 }), TypeError, "not an f32 leaf");
  await assertRejects(() => tensor([1, 2]).item(), TypeError);
});

function disposable<T extends Optimizer>(optimizer: T): T & Disposable {
  return Object.assign(optimizer, { [Symbol.dispose]: () => optimizer.dispose() });
}
