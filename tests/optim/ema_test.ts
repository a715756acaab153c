import { assertEquals, assertThrows } from "@std/assert";
import {
  backward,
  compile,
  Device,
  key,
  mul,
  normal,
  requireGrad,
  scope,
  sum,
  type Tensor,
  tensor,
  zeros,
} from "../../mod.ts";
import { Linear } from "../../src/nn/mod.ts";
import { Adam, clipGradNorm, EMA } from "../../src/optim/mod.ts";
import { assertClose } from "../../src/testing/mod.ts";

const device = await Device.open();

Deno.test("EMA follows its formula while its decay changes, and a tensor that comes twice moves once", async () => {
  using _ = scope();
  const sources = [normal([33, 35], { key: key(1) }), tensor([1, 2, 3])];
  const targets = sources.map(({ shape }) => zeros(shape));
  const ema = new EMA([...targets, targets[0]!], [...sources, sources[0]!], { decay: 0.9 });
  const expected = await Promise.all(sources.map(async (each) => Float64Array.from(await each.data())));
  for (const decay of [0.9, 0.5, 1, 0]) {
    ema.decay = decay;
    for (const [i, source] of sources.entries()) {
      source.write((await source.data() as Float32Array).map((value) => 0.5 - value));
      const values = await source.data();
      expected[i] = expected[i]!.map((value, j) => decay * value + (1 - decay) * values[j]!);
    }
    ema.update();
    for (const [i, target] of targets.entries()) assertClose(await target.data(), expected[i]!, { rtol: 1e-6 });
  }
});

Deno.test("EMA leaves equal tensors as they are, where its decay rounds to 1 too", async () => {
  using _ = scope();
  const [target, source] = [tensor([0]), tensor([3])];
  const ema = new EMA([target], [source], { decay: 1 - 1e-7 }); // as f32 1 - 1.2e-7
  for (const [decay, steps] of [[1 - 1e-7, 50], [1 - 1e-9, 50]] as const) {
    ema.decay = decay;
    for (let i = 0; i < steps; i++) ema.update();
    assertEquals(await target.item(), 3);
  }
  ema.decay = NaN;
  assertThrows(() => ema.update(), RangeError, "Cannot update() an EMA as decay must be in [0, 1]: got NaN");
});

Deno.test("EMA refuses tensors that do not pair up, and a decay out of range", () => {
  using _ = scope();
  const [a, b, c] = [tensor([1]), tensor([1]), tensor([1, 2])];
  const make = (to: Tensor[], from: Tensor[], decay = 0.5) => () => new EMA(to, from, { decay });
  assertThrows(make([], []), TypeError, "as many as sources, at least one, of the same shapes: got 0 and 0");
  assertThrows(make([a], [b, c]), TypeError, "got 1 and 2");
  assertThrows(make([a], [c]), TypeError, "got 1 and 1, [1] for [2] at 0");
  assertThrows(make([a], [a.alias()]), TypeError, "must be other tensors than the sources: got [1] at 0 twice");
  const words = tensor(new Uint32Array(1));
  assertThrows(make([a], [words]), TypeError, "must be f32: got u32 [1]");
  const model = new Linear({ inFeatures: 1, outFeatures: 1 }) as unknown as Tensor[];
  assertThrows(
    make(model, [a]),
    TypeError,
    "Cannot make an EMA as targets must be a list of tensors, as parameters() of a network gives: got Linear",
  );
  assertThrows(make([a], a as unknown as Tensor[]), TypeError, "sources must be a list of tensors");
  assertThrows(make([a], [1] as unknown as Tensor[]), TypeError, "gives: got a list with 1");
  for (const decay of [-0.1, 1.1, NaN]) assertThrows(make([a], [b], decay), RangeError, `in [0, 1]: got ${decay}`);
});

/** Steps of Adam with clipping and an average of the weights, replayed or not, with a rate and a decay that change. */
async function trained(replayed: boolean): Promise<{ values: unknown[]; replays: number; growth: number[] }> {
  const weights = [[7], [5, 3]].map((shape, i) => requireGrad(normal(shape, { key: key(1, i) })));
  const averages = weights.map(({ shape }) => zeros(shape));
  const optimizer = new Adam(weights, { lr: 0.1 });
  const ema = new EMA(averages, weights, { decay: 0.5 });
  const step = (x: Tensor) => {
    using _ = scope();
    for (const weight of weights) backward(sum(mul(mul(weight, weight), x)));
    clipGradNorm(weights, 1);
    optimizer.step();
    ema.update();
  };
  const compiled = compile(step, { device, check: "never" });
  const growth: number[] = [];
  for (let i = 0; i < 8; i++) {
    optimizer.lr = 0.1 / (i + 1);
    ema.decay = i / 10;
    using x = tensor([i + 0.5]);
    const { buffers, reads, bindGroups } = device.counters;
    (replayed ? compiled : step)(x);
    const now = device.counters;
    growth.push(now.buffers - buffers, now.reads - reads, now.bindGroups - bindGroups);
  }
  const values = await Promise.all([...weights, ...averages].map((each) => each.data()));
  const { replays } = compiled;
  const { steps } = await optimizer.state();
  for (const each of [compiled, optimizer, ...weights, ...averages]) each.dispose();
  return { values: [...values, steps], replays, growth };
}

Deno.test("Adam, clipGradNorm() and EMA are replayed, with the rate and the decay of each step", async () => {
  const [plain, replayed] = [await trained(false), await trained(true)];
  assertEquals(replayed.values, plain.values);
  assertEquals([plain.replays, replayed.replays > 4], [0, true]);
  assertEquals(plain.values.at(-1), 8);
  assertEquals(replayed.growth.slice(-6), [0, 0, 0, 0, 0, 0]);
});
