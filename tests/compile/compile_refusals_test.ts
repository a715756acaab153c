import { assert, assertEquals, assertThrows } from "@std/assert";
import { autocast, backward, requireGrad } from "../../src/autograd/mod.ts";
import { compile } from "../../src/compile/mod.ts";
import { Device, DeviceError } from "../../src/device/mod.ts";
import { add, matmul, mean, mul, sum } from "../../src/ops/mod.ts";
import { SGD } from "../../src/optim/mod.ts";
import { fill, keep, ones, scope, type Tensor, tensor } from "../../src/tensor/mod.ts";
import { testWith } from "../device/_features.ts";

const device = await Device.open();

Deno.test("compile() finds a number, a tensor or a course that changes", () => {
  const x = keep(ones([4]));
  const held = [keep(ones([4])), keep(ones([4]))];
  let calls = 0;
  const cases: [string, () => void][] = [
    ["got b 5 and later 6 of mul (mul", () => mul(x, calls)],
    ["got another tensor from outside in add (add", () => add(x, held[calls % 2]!)],
    [
      "got add (add full full.forward) and later nothing as command 2",
      () => (calls % 2 && calls > 1 ? add(mul(x, x), x) : mul(x, x)),
    ],
    ["got sum (sum row.reduce) and later mul", () => (calls % 2 ? sum(x) : mul(x, x))],
  ];
  for (const [message, body] of cases) {
    calls = 0;
    using step = compile(() => {
      calls++;
      body();
    });
    const error = assertThrows(() => {
      for (let i = 0; i < 300; i++) step();
    }, Error);
    assert(error.message.startsWith("Cannot replay a compiled step as its commands must be the same"), error.message);
    assert(error.message.includes(message), `${error.message} for ${message}`);
  }
  for (const each of [x, ...held]) each.dispose();
});

Deno.test("compile() compares the commands again later, and finds a number that changed meanwhile", () => {
  const x = keep(ones([4]));
  let factor = 2;
  const { reserved } = device.memory;
  using step = compile(() => void mul(x, factor));
  const run = () => {
    for (let i = 0; i < 300; i++) step();
  };
  run();
  factor = 3;
  assertThrows(run, Error, "got b 2 and later 3 of mul (mul full number.forward), perhaps since");
  assertEquals(device.memory.reserved, reserved, "the recording is gone");
  step();
  x.dispose();
});

Deno.test("compile() refuses what cannot be replayed", async () => {
  const x = keep(ones([4]));
  const w = requireGrad(keep(ones([4])));
  const reader = await device.openSyncReader(16);
  const parts = [{ storage: x.storage, bytes: 16 }];
  const cases: [string, () => unknown][] = [
    ["must not read back: run steps that exchange", () => reader.read(parts, new Uint8Array(16))],
    ["must not write: write before it", () => tensor([1, 2])],
    ["must not write: write before it", () => x.write(new Float32Array(4).fill(1))],
    ["only what it returns may outlive it: got 256 bytes left behind", () => keep(add(x, 1))],
    ["left behind (gradients that no optimizer used", () => backward(sum(mul(w, x)))],
    ["it must return tensors or nothing, at once: got a promise", () => Promise.resolve()],
    ["it must return tensors or nothing, at once: got number", () => 3],
    ['it must return tensors: got number for "loss"', () => ({ loss: 3 })],
  ];
  for (const [message, body] of cases) {
    const step = compile(body as () => void);
    assertThrows(
      () => {
        for (let i = 0; i < 4; i++) step();
      },
      Error,
      message,
    );
    step.dispose();
    w.grad?.dispose();
    w.grad = null;
  }
  assertThrows(() => compile((y: Tensor) => add(y, 1))(w), TypeError, "outside the graph: got argument 0 [4]");
  assertThrows(() => compile((_: never) => {})({} as never), TypeError, "got argument 0 of type object");
  assertEquals(await add(x, 1).data(), new Float32Array([2, 2, 2, 2]));
  for (const each of [x, w, reader]) each.dispose();
});

Deno.test("compile() refuses a step that gives up what it was given", () => {
  const x = keep(ones([4]));
  let given = keep(ones([4]));
  let calls = 0;
  using step = compile(() => {
    add(x, given);
    if (++calls > 1) given.dispose();
  });
  step();
  assertThrows(
    () => step(),
    Error,
    "what it was given must outlive it: got a tensor of 16 bytes of add that is disposed",
  );
  given = x;
  x.dispose();
});

testWith(device, "shader-f16", "compile() belongs outside autocast(), which may be inside the step", async () => {
  const [x, w] = [keep(ones([2, 2])), requireGrad(keep(ones([2, 2])))];
  const optimizer = new SGD([w], { lr: 0.5 });
  using step = compile(() => {
    const loss = mean(autocast(() => matmul(x, w)));
    backward(loss);
    optimizer.step();
    return loss;
  }, { check: "never" });
  const losses = [];
  for (let i = 0; i < 6; i++) {
    using _ = scope();
    losses.push(await step().item());
  }
  assertEquals(losses, [2, 1.5, 1, 0.5, 0, -0.5]); // each step takes 0.25 off every weight
  assertEquals(step.replays, 3);
  assertThrows(() => autocast(() => step()), Error, "Cannot run a compiled step inside autocast()");
  for (const each of [optimizer, x, w]) each.dispose();
});

Deno.test("compile() refuses a step that changes its arguments", () => {
  const x = keep(ones([4]));
  using step = compile((y: Tensor) => fill(y, 3));
  step(x);
  assertThrows(
    () => step(x),
    Error,
    "must not change its arguments: got a tensor of 16 bytes of fill, hold it outside",
  );
  x.dispose();
});

Deno.test("compile() refuses a step on another device, and a device that is closed", async () => {
  const other = await Device.open();
  const [here, there] = [ones([4], { device }), ones([4], { device: other })];
  using step = compile(() => void add(here, 1), { device: other });
  step();
  assertThrows(() => step(), Error, "must stay on one device: got a dispatch on another");
  const right = compile(() => void add(there, 1), { device: other, check: "never" });
  for (let i = 0; i < 4; i++) right();
  assertEquals(right.replays, 1);
  other.close();
  assertThrows(() => right(), DeviceError, "Cannot use a closed device");
});
