import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { backward, noGrad, requireGrad } from "../../src/autograd/mod.ts";
import { compile } from "../../src/compile/mod.ts";
import { Device } from "../../src/device/mod.ts";
import { BatchNorm2d } from "../../src/nn/mod.ts";
import { add, matmul, mul, square, sub, sum } from "../../src/ops/mod.ts";
import { LARS, type Optimizer, SGD } from "../../src/optim/mod.ts";
import { copyInto, keep, key, normal, ones, scope, type Tensor, uniform, zeros } from "../../src/tensor/mod.ts";
import { runChild } from "../device/_child.ts";

const device = await Device.open();

/** Weights after steps whose targets, batch and learning rate change, and their losses. */
async function train(
  make: (p: Tensor[]) => Optimizer,
  compiled: boolean,
): Promise<{ weight: number[]; losses: number[]; replays: number }> {
  const weight = requireGrad(keep(normal([6, 3], { key: key(1) })));
  const optimizer = make([weight]);
  const plain = (x: Tensor, target: Tensor) => {
    const loss = sum(square(sub(matmul(x, weight), target)));
    backward(loss);
    optimizer.step();
    return loss;
  };
  using step = compile(plain, { check: "never" });
  const losses = [];
  for (let i = 0; i < 16; i++) {
    using _ = scope();
    optimizer.lr = 0.01 / (1 + (i >> 2));
    const batch = i % 4 === 3 ? 2 : 5;
    const [x, target] = [normal([batch, 6], { key: key(2, i) }), normal([batch, 3], { key: key(3, i) })];
    losses.push(await (compiled ? step(x, target) : plain(x, target)).item());
  }
  const result = { weight: [...await weight.data()], losses, replays: step.replays };
  for (const each of [weight, optimizer]) each.dispose();
  return result;
}

for (
  const [name, make] of [
    ["SGD", (p: Tensor[]) => new SGD(p, { lr: 0.01 })],
    [
      "Nesterov's momentum and weight decay",
      (p: Tensor[]) => new SGD(p, { lr: 0.01, momentum: 0.9, weightDecay: 0.01, nesterov: true }),
    ],
    ["LARS", (p: Tensor[]) => new LARS(p, { lr: 0.01, weightDecay: 0.01 })],
  ] as [string, (p: Tensor[]) => Optimizer][]
) {
  Deno.test(`compile() gives the same bits with ${name}, two batch sizes and a changing learning rate`, async () => {
    const [eager, compiled] = [await train(make, false), await train(make, true)];
    assertEquals(compiled.replays, 9 + 1); // 12 calls of one size, 4 of another, less three each
    assertEquals(compiled.losses, eager.losses);
    assertEquals(compiled.weight, eager.weight);
  });
}

Deno.test("compile() makes a replayed step create nothing, submit once, read nothing and hold the same memory", () => {
  const weight = requireGrad(keep(normal([8, 8], { key: key(1) })));
  const optimizer = new SGD([weight], { lr: 1e-3, momentum: 0.9 });
  const step = compile((x: Tensor) => {
    const loss = sum(square(matmul(x, weight)));
    backward(loss);
    optimizer.step();
    return loss;
  }, { check: "never" });
  const before = device.memory;
  const run = (i: number) => {
    using _ = scope();
    step(uniform([4, 8], { key: key(i) }));
  };
  for (let i = 0; i < 4; i++) run(i);
  const [counters, memory] = [device.counters, device.memory];
  run(4);
  const perStep = device.counters.dispatches - counters.dispatches;
  for (let i = 5; i < 204; i++) run(i);
  assertEquals(device.counters, {
    ...counters,
    submits: counters.submits + 200,
    dispatches: counters.dispatches + 200 * perStep,
  });
  assertEquals(device.memory, memory);
  assert(memory.reserved > 0);
  step.dispose();
  assertEquals(device.memory.live, before.live);
  assertEquals(device.memory.reserved, 0);
  assertEquals(optimizer.steps, 204);
  run(204); // records anew
  assertEquals(optimizer.steps, 205);
  for (const each of [step, optimizer, weight]) each.dispose();
});

Deno.test("compile() keeps its memory apart from what runs between", async () => {
  const square2 = (x: Tensor) => ({ y: mul(add(mul(x, x), x), 2), z: add(x, 1) });
  using step = compile(square2, { check: "never" });
  for (let i = 0; i < 8; i++) {
    using _ = scope();
    const x = uniform([1000], { key: key(i) });
    const { y, z } = step(x);
    if (i === 6) device.trim(); // destroys what is free
    const others = Array.from({ length: 5 }, (_, k) => add(x, k)); // would take any block that is free
    const expected = square2(x);
    assertEquals(await y.data(), await expected.y.data());
    assertEquals(await z.data(), await expected.z.data());
    assertEquals(await others[4]!.data(), await add(x, 4).data());
  }
  assertEquals(step.replays, 5);
});

Deno.test("compile() repeats what modules do on the host, and follows their mode", async () => {
  const norm = new BatchNorm2d({ numFeatures: 4 });
  using step = compile((x: Tensor) => noGrad(() => norm.forward(x)), { check: "never" });
  const x = keep(normal([6, 4], { key: key(1) }));
  const run = async () => {
    using _ = scope();
    return await step(x).data();
  };
  for (let i = 0; i < 6; i++) await run();
  assertEquals([norm.numBatchesTracked.value, step.replays], [6, 3]);
  norm.eval();
  const evaluated = await run();
  assertEquals([norm.numBatchesTracked.value, step.replays], [6, 3]);
  assertEquals(evaluated, await noGrad(() => norm.forward(x)).data());
  norm.train();
  assertNotEquals(await run(), evaluated);
  for (const each of [norm, x]) each.dispose();
});

Deno.test("compile() records anew when a parameter is frozen, or has a gradient from outside", async () => {
  const [a, b] = [requireGrad(keep(ones([2]))), requireGrad(keep(ones([2])))];
  const optimizer = new SGD([a, b], { lr: 0.5 });
  using step = compile((x: Tensor) => {
    backward(sum(mul(x, add(a, b))));
    optimizer.step();
  }, { check: "never" });
  const x = keep(ones([2]));
  const expected = [1, 1];
  for (let i = 0; i < 12; i++) {
    using _ = scope();
    b.requiresGrad = i < 5;
    if (i === 9) backward(sum(mul(a, 4)));
    step(x);
    expected[0]! -= 0.5 * (i === 9 ? 5 : 1);
    if (i < 5) expected[1]! -= 0.5;
    assertEquals([(await a.data())[0], (await b.data())[0]], expected, `call ${i}`);
  }
  assertEquals(step.replays, 2 + 1);
  for (const each of [a, b, x, optimizer]) each.dispose();
});

Deno.test("compile() records other values of an argument apart", async () => {
  using step = compile((x: Tensor, factor: number, negative?: boolean) => mul(x, negative ? -factor : factor), {
    check: "never",
  });
  const x = keep(ones([1]));
  for (let i = 0; i < 20; i++) {
    using _ = scope();
    const [factor, negative] = [1 + i % 2, i % 4 > 1 || undefined];
    assertEquals(await step(x, factor, negative).item(), negative ? -factor : factor);
  }
  assertEquals(step.replays, 4 * 2);
  x.dispose();
});

Deno.test("compile() keeps a bounded number of recordings", () => {
  using step = compile((x: Tensor) => add(x, 1), { recordings: 2, check: "never" });
  const call = (size: number) => {
    using _ = scope();
    step(zeros([size]));
  };
  for (let i = 0; i < 4; i++) for (const size of [1, 2, 3]) call(size);
  assertEquals(step.replays, 0, "three sizes do not fit into two");
  const { live, reserved } = device.memory;
  for (let i = 0; i < 4; i++) for (const size of [1, 2]) call(size);
  assertEquals(step.replays, 2);
  for (let i = 0; i < 8; i++) for (const size of [1, 2, 3]) call(size);
  assert(device.memory.live <= live + 4096 && device.memory.reserved <= reserved + 4096);
});

Deno.test("compile() runs plainly within another compiled step and while a profile is taken", async () => {
  using inner = compile((x: Tensor) => mul(x, 3));
  using outer = compile((x: Tensor) => add(inner(x), 1), { check: "never" });
  const x = keep(ones([1]));
  for (let i = 0; i < 6; i++) {
    using _ = scope();
    if (device.features.has("timestamp-query") && i === 5) device.startProfile();
    assertEquals(await outer(x).item(), 4);
  }
  if (device.features.has("timestamp-query")) {
    const rows = await device.stopProfile();
    assertEquals(rows.length, 2, "two ops, timed apart");
    assertEquals(outer.replays, 2);
  }
  x.dispose();
});

Deno.test("A function among params is asked again at every replay, in order with other effects", async () => {
  const rows = keep(zeros([6]));
  const x = keep(ones([1]));
  let at = -1;
  using step = compile(() => {
    for (let i = 0; i < 2; i++) {
      device.recordings.repeat(() => at++);
      copyInto(rows, x, () => at);
    }
  }, { check: "never" });
  for (let i = 0; i < 3; i++) step();
  at = -1;
  copyInto(rows, keep(zeros([6])));
  for (let i = 0; i < 3; i++) step();
  assertEquals(step.replays, 3);
  assertEquals(await rows.data(), new Float32Array(6).fill(1));
  for (const each of [rows, x]) each.dispose();
});

Deno.test("A compiled step that was forgotten is freed by the garbage collector", async () => {
  const script = `const { Device, ones, compile, add, scope } = uniformity;
    await using device = await Device.open();
    (function forget() {
      const step = compile((x) => add(add(x, 1), 1), { check: "never" });
      for (let i = 0; i < 5; i++) {
        using _ = scope();
        step(ones([1000]));
      }
    })();
    const before = device.memory;
    for (let i = 0; i < 100 && device.memory.live > 0; i++) {
      gc();
      await new Promise((done) => setTimeout(done, 10));
    }
    console.log(before.live, before.reserved > 0, device.memory.live, device.memory.reserved);`;
  const { stdout, stderr } = await runChild(script, {}, ["--v8-flags=--expose-gc"]);
  assertEquals(stdout.trim(), "8192 true 0 0", stderr);
});

Deno.test("COMPILE=0 makes every call of a compiled step an ordinary one", async () => {
  const script = `await using device = await uniformity.Device.open();
    const step = uniformity.compile((x) => uniformity.exp(x), { check: "never" });
    for (let i = 0; i < 6; i++) step(uniformity.tensor([1]));
    console.log(step.replays);`;
  const replays = async (env: Record<string, string>) => Number((await runChild(script, env)).stdout);
  assertEquals(await replays({ COMPILE: "0" }), 0);
  assertEquals(await replays({}), 3);
});
