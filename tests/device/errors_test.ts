import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { defineProgram, Device, DeviceError } from "../../src/device/mod.ts";
import { compile } from "../../src/compile/mod.ts";
import { backward, requireGrad } from "../../src/autograd/mod.ts";
import { add, exp, mul, sum } from "../../src/ops/mod.ts";
import { SGD } from "../../src/optim/mod.ts";
import { fill, full, ones, Tensor } from "../../src/tensor/mod.ts";
import { accumulate } from "../../src/tensor/internal.ts";
import { runChild } from "./_child.ts";

const WRONG = defineProgram({
  name: "wrong",
  code: [
    { code: "@group(0) @binding(1) var<storage, read_write> y: array<f32>;", params: {}, access: { 1: "read_write" } },
    "@compute @workgroup_size(1)",
    "fn main() { y[0] = undefined_name; }",
  ],
  entryPoint: "main",
});
const RIGHT = { ...WRONG, name: "right", code: [...WRONG.code.slice(0, 2), "fn main() { y[0] = 1.0; }"] };

Deno.test("DeviceError ends with what is known of the op", () => {
  const cause = new Error("below");
  const error = new DeviceError("Cannot run", { op: "add", shapes: [[2, 3], []], shader: "add.forward", cause });
  assertEquals(error.message, "Cannot run (op add, shapes [2,3] [], shader add.forward)");
  assertEquals([error.name, error.op, error.shader, error.cause], ["DeviceError", "add", "add.forward", cause]);
  assertEquals(new DeviceError("Cannot run").message, "Cannot run");
});

Deno.test("A shader that does not compile is a DeviceError that names program, line and what is wrong, every time", async () => {
  await using device = await Device.open();
  const y = ones([4]);
  for (const op of ["bad", "again", "equal", "last"]) {
    const program = op === "equal" ? { ...WRONG } : WRONG;
    device.run(op, [[4]], () => device.dispatch(program, { buffers: { 1: y.storage }, workgroups: [1, 1, 1] }));
    const error = await assertRejects(() => y.data(), DeviceError, "Cannot compile a shader: line 3");
    assertStringIncludes(error.message, "undefined_name");
    assertStringIncludes(error.message, `(op ${op}, shapes [4], shader wrong.main)`);
  }
});

Deno.test("A compiled step whose shader does not compile names the line in every call", async () => {
  await using device = await Device.open();
  using step = compile((x: Tensor) => {
    const y = add(x, 1);
    device.run("bad", [[4]], () => device.dispatch(WRONG, { buffers: { 1: y.storage }, workgroups: [1, 1, 1] }));
    return y;
  }, { check: "never" });
  for (let round = 0; round < 5; round++) {
    const error = await assertRejects(() => step(ones([4])).data(), DeviceError, "Cannot compile a shader: line 3");
    assertStringIncludes(error.message, "(op bad, shapes [4], shader wrong.main)");
  }
  assertEquals(step.replays, 0);
});

Deno.test("A device goes on after an error was thrown", async () => {
  await using device = await Device.open();
  const y = ones([4]);
  device.dispatch(WRONG, { buffers: { 1: y.storage }, workgroups: [1, 1, 1] });
  await assertRejects(() => device.done(), DeviceError, "wrong.main");
  device.dispatch(RIGHT, { buffers: { 1: y.storage }, workgroups: [1, 1, 1] });
  await device.done();
  assertEquals(await ones([2]).data(), new Float32Array([1, 1]));
});

Deno.test("Every read after a failed submit fails, of whatever it may have written", async () => {
  await using device = await Device.open();
  const known = ones([2]);
  await known.data();
  for (let round = 0; round < 3; round++) {
    const [a, b] = [full([4], 1), full([4], 2)];
    device.dispatch(WRONG, { buffers: { 1: b.storage }, workgroups: [1, 1, 1] });
    const c = add(b, 1);
    const reads = await Promise.allSettled([a, b, c, known].map((each) => each.data()));
    assertEquals(reads.map(({ status }) => status), ["rejected", "rejected", "rejected", "rejected"]);
    for (const each of [a, b, c]) await assertRejects(() => each.data(), DeviceError, "wrong");
    await assertRejects(() => add(add(c, a), 1).data(), DeviceError, "wrong"); // computed from it afterwards
    assertEquals(await known.data(), new Float32Array([1, 1])); // written before, and known to be
    fill(b, 5);
    assertEquals(await add(b, 1).data(), new Float32Array(4).fill(6)); // written anew
    a.write(new Float32Array(4));
    assertEquals(await a.data(), new Float32Array(4));
  }
});

Deno.test("A failed submit puts what was trained with it in doubt, and nothing of another device", async () => {
  await using device = await Device.open();
  await using other = await Device.open();
  const apart = full([4], 2, { device: other });
  const w = requireGrad(full([4], 2, { device }));
  const x = full([1024], 3, { device });
  device.dispatch(WRONG, { buffers: { 1: x.storage }, workgroups: [1, 1, 1] });
  backward(sum(mul(w, sum(x))));
  const grad = w.grad!.data();
  new SGD([w], { lr: 0.1 }).step();
  const reads = await Promise.allSettled([grad, w.data(), ...Array.from({ length: 100 }, () => add(x, 1).data())]);
  assertEquals(new Set(reads.map(({ status }) => status)), new Set(["rejected"]));
  device.write(x.storage, new Float32Array(4)); // a part of it
  await assertRejects(() => x.data(), DeviceError, "wrong");
  await assertRejects(() => w.data(), DeviceError, "wrong");
  assertEquals(await apart.data(), new Float32Array(4).fill(2));
  assertEquals(await full([1024], 7, { device }).data(), new Float32Array(1024).fill(7));
});

Deno.test("Every done() that a failed submit came before fails, and a later one does not", async () => {
  await using device = await Device.open();
  const y = ones([4]);
  device.dispatch(WRONG, { buffers: { 1: y.storage }, workgroups: [1, 1, 1] });
  const both = await Promise.allSettled([device.done(), device.done()]);
  assertEquals(both.map(({ status }) => status), ["rejected", "rejected"]);
  await device.done();
});

Deno.test("A compiled step is recorded anew after a failure, and doubts what it lost", async () => {
  await using device = await Device.open();
  const state = ones([4]);
  using step = compile((x: Tensor) => {
    accumulate(state, x);
    return add(x, 1);
  }, { check: "never" });
  const run = async () => Array.from(await step(ones([4])).data());
  for (let i = 0; i < 4; i++) await run();
  assertEquals(step.replays, 1);
  const lost = full([4], 1);
  device.dispatch(WRONG, { buffers: { 1: lost.storage }, workgroups: [1, 1, 1] });
  const result = step(ones([4])); // replayed, and dropped with the rest
  await assertRejects(() => result.data(), DeviceError, "wrong");
  for (let i = 0; i < 5; i++) assertEquals(await run(), [2, 2, 2, 2]);
  assertEquals(step.replays, 4);
  await assertRejects(() => state.data(), DeviceError, "wrong");
});

Deno.test("A dispatch refuses workgroups that are no positive integers, unless what it writes is empty", async () => {
  await using device = await Device.open();
  const stale = ones([8]);
  await stale.data();
  stale.dispose();
  const [y, empty] = [new Tensor(device, [8]), new Tensor(device, [0, 4])];
  assertThrows(
    () => device.dispatch(RIGHT, { buffers: { 1: y.storage }, workgroups: null as never }),
    TypeError,
    "Cannot dispatch right.main as workgroups must be [x, y, z]: got null",
  );
  assertThrows(
    () => device.dispatch(RIGHT, { buffers: { 1: y.storage }, workgroups: [1, 1, 1, 2] as never }),
    TypeError,
    "Cannot dispatch right.main as workgroups must be [x, y, z]: got 1,1,1,2",
  );
  for (const count of [0, 0.5, 1.5, -1, NaN, Infinity]) {
    const dispatch = (storage: Tensor["storage"]) => () =>
      device.dispatch(RIGHT, { buffers: { 1: storage }, workgroups: [1, count, 1] });
    assertThrows(
      dispatch(y.storage),
      RangeError,
      `Cannot dispatch right.main as workgroups must be positive integers unless what it writes is empty: got [1,${count},1]`,
    );
    if (count === 0) dispatch(empty.storage)();
    else assertThrows(dispatch(empty.storage), RangeError, "workgroups must be positive integers");
    const plain = {
      name: "plain",
      code: ["@group(0) @binding(1) var<storage, read_write> y: array<f32>;"],
      entryPoint: "main",
    }; // of JavaScript, or without its interface
    for (const program of [plain, defineProgram(plain)] as unknown as (typeof RIGHT)[]) {
      const run = () => device.dispatch(program, { buffers: { 1: y.storage }, workgroups: [count, 1, 1] });
      assertThrows(run, RangeError, "Cannot dispatch plain.main as workgroups must be positive integers");
    }
  }
});

Deno.test("An unknown constant is a DeviceError that names it", async () => {
  await using device = await Device.open();
  const y = ones([4]);
  for (let round = 0; round < 3; round++) {
    device.dispatch(RIGHT, { buffers: { 1: y.storage }, workgroups: [1, 1, 1], constants: { TILE: 8 } });
    await assertRejects(() => device.done(), DeviceError, "Cannot compile a shader with TILE = 8");
  }
});

Deno.test("Too many workgroups are refused with op, shapes and shader", async () => {
  await using device = await Device.open();
  const y = ones([4]);
  const limit = device.limits.maxComputeWorkgroupsPerDimension;
  const dispatch = () => device.dispatch(RIGHT, { buffers: { 1: y.storage }, workgroups: [limit + 1, 1, 1] });
  const error = assertThrows(() => device.run("tooMany", [[4]], dispatch), DeviceError);
  assertEquals(
    error.message,
    `Cannot dispatch as workgroups must be <= ${limit} along each dimension: got [${limit + 1},1,1] ` +
      "(op tooMany, shapes [4], shader right.main)",
  );
});

Deno.test("A buffer that is written and bound twice is refused", async () => {
  await using device = await Device.open();
  const { storage } = ones([4]);
  const program = defineProgram({
    name: "both",
    code: [
      {
        code: `@group(0) @binding(1) var<storage, read> x: array<f32>;
          @group(0) @binding(2) var<storage, read_write> y: array<f32>;`,
        params: {},
        access: { 1: "read", 2: "read_write" },
      },
      "@compute @workgroup_size(1) fn main() { y[0] = x[0]; }",
    ],
    entryPoint: "main",
  });
  assertThrows(
    () => device.dispatch(program, { buffers: { 1: storage, 2: storage }, workgroups: [1, 1, 1] }),
    TypeError,
    "Cannot dispatch both.main as a buffer that is written must be bound once: got it at 1 and 2",
  );
});

Deno.test("A binding that the GPU refuses is a DeviceError with op, shapes and shader", async () => {
  await using device = await Device.open();
  const { storage } = ones([64]);
  const window = { storage, offset: 4, size: 16 }; // not a multiple of 256
  const dispatch = () => device.dispatch(RIGHT, { buffers: { 1: window }, workgroups: [1, 1, 1] });
  for (let round = 0; round < 3; round++) {
    device.run("odd", [[64]], dispatch);
    const error = await assertRejects(() => device.done(), DeviceError, "Cannot bind the buffers of a dispatch");
    assertStringIncludes(error.message, "(op odd, shapes [64], shader right.main)");
  }
  assertEquals(await ones([2]).data(), new Float32Array([1, 1]));
});

Deno.test("A binding that is missing is a DeviceError with op, shapes and shader", async () => {
  await using device = await Device.open();
  for (let round = 0; round < 3; round++) {
    device.run("none", [[3, 1]], () => device.dispatch(RIGHT, { buffers: {}, workgroups: [1, 1, 1] }));
    const error = await assertRejects(() => device.done(), DeviceError, "Cannot compile a shader");
    assertStringIncludes(error.message, "(op none, shapes [3,1], shader right.main)");
  }
});

Deno.test("A binding that the source does not declare is a TypeError", async () => {
  await using device = await Device.open();
  const { storage } = ones([4]);
  assertThrows(
    // @ts-expect-error: a type error too
    () => device.dispatch(RIGHT, { buffers: { 1: storage, 5: storage }, workgroups: [1, 1, 1] }),
    TypeError,
    "Cannot dispatch right as its source declares no storage binding 5",
  );
});

Deno.test("A tensor that is too large is refused with the limit and the rows that fit", async () => {
  await using device = await Device.open();
  const limit = device.limits.maxStorageBufferBindingSize;
  const rows = Math.floor(limit / (34 * 34 * 64 * 4));
  const error = assertThrows(() => new Tensor(device, [rows + 1, 34, 34, 64]), DeviceError);
  assertStringIncludes(error.message, `Cannot allocate a tensor f32 [${rows + 1},34,34,64] of`);
  assertStringIncludes(
    error.message,
    `binds at most ${limit} bytes at once: at most ${rows} of its ${rows + 1} rows fit`,
  );
  assertStringIncludes(error.message, "rows fit: take fewer at once, as of a smaller batch");
  for (const shape of [[1, limit], [limit]]) {
    assertThrows(() => new Tensor(device, shape), DeviceError, "use a smaller shape");
  }
  assertThrows(() => device.allocate(limit + 16), DeviceError, `binds at most ${limit} bytes at once`);
});

Deno.test("A closed device says so", async () => {
  const device = await Device.open();
  const x = ones([4], { device });
  device.close();
  device.close();
  assert(device.closed);
  assertThrows(() => exp(x), DeviceError, "Cannot use a closed device");
  assertThrows(() => device.flush(), DeviceError, "Cannot use a closed device");
  await assertRejects(() => x.data(), DeviceError, "Cannot use a closed device");
  await assertRejects(() => device.done(), DeviceError, "Cannot use a closed device");
  x.dispose(); // and freeing is no error
});

Deno.test("Device.open() without an adapter says what to install", async () => {
  const script = `try {
      await uniformity.Device.open();
      console.log("opened");
    } catch (error) {
      console.log(error.name, error.message);
    }`;
  const { stdout, stderr } = await runChild(script, {
    VK_DRIVER_FILES: "/dev/null",
    VK_ICD_FILENAMES: "/dev/null",
    DENO_WEBGPU_BACKEND: "vulkan",
  });
  assertStringIncludes(stdout, "DeviceError Cannot open a device as no WebGPU adapter answers", stderr);
  assertStringIncludes(stdout, "mesa-vulkan-drivers");
});

Deno.test("Device.open() without navigator.gpu names the runtimes that have it", async () => {
  const script = `Object.defineProperty(globalThis, "navigator", { value: {} });
    await uniformity.Device.open().catch((error) => console.log(error.name, error.message));`;
  const { stdout } = await runChild(script, {});
  assertStringIncludes(stdout, "DeviceError Cannot open a device as this runtime has no navigator.gpu");
});
