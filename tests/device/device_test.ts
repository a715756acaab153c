import { assert, assertEquals, assertMatch, assertStrictEquals, assertThrows } from "@std/assert";
import { defineProgram, Device, DeviceError } from "../../src/device/mod.ts";
import { lib_flat } from "../../src/shaders/lib.ts";
import { full, ones, scope, tensor } from "../../src/tensor/mod.ts";
import { add, exp, mul, sum } from "../../src/ops/mod.ts";
import { runChild } from "./_child.ts";
import { testWith } from "./_features.ts";

const probe = await Device.open();
probe.close();

const DOUBLE = defineProgram({
  name: "double",
  code: [
    lib_flat,
    {
      code: `struct Params { size: u32 }
    @group(0) @binding(0) var<uniform> params: Params;
    @group(0) @binding(1) var<storage, read> x: array<f32>;
    @group(0) @binding(2) var<storage, read_write> y: array<f32>;
    override FACTOR: f32 = 2.0;
    @compute @workgroup_size(1)
    fn double(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u) {
      let i = flat_id(group, groups, 0u, 1u);
      if (i < params.size) { y[i] = FACTOR * x[i]; }
    }`,
      params: { size: "u32" },
      access: { 1: "read", 2: "read_write" },
    },
  ],
  entryPoint: "double",
});

Deno.test("Device.open() makes the default device, and the one before it again when it closes", async () => {
  await using first = await Device.open();
  {
    await using second = await Device.open();
    assertStrictEquals(Device.current, second);
  }
  assertStrictEquals(Device.current, first);
  const second = await Device.open();
  first.close();
  assertStrictEquals(Device.current, second);
  second.close();
  assertThrows(() => Device.current, DeviceError, "Cannot use the default device as none is open: await Device.open()");
});

Deno.test("Device.info tells the family, and the limits are the adapter's", async () => {
  await using device = await Device.open();
  const adapter = await navigator.gpu.requestAdapter();
  assertEquals(device.limits.maxStorageBufferBindingSize, adapter!.limits.maxStorageBufferBindingSize);
  assertEquals(device.info.family, /llvmpipe|swiftshader/i.test(device.info.description) ? "cpu" : "gpu");
  assert(device.info.description.length > 0);
});

Deno.test("Device.dispatch() binds storages, windows, parameters and constants", async () => {
  await using device = await Device.open();
  const x = tensor(Float32Array.from({ length: 100 }, (_, i) => i));
  const y = ones([100]);
  const buffers = { 1: x.storage, 2: y.storage };
  device.dispatch(DOUBLE, { params: { size: 3 }, buffers, workgroups: [3, 1, 1] });
  assertEquals((await y.data()).subarray(0, 5), new Float32Array([0, 2, 4, 1, 1]));
  const window = { storage: x.storage, offset: 256, size: 128 };
  device.dispatch(DOUBLE, {
    params: { size: 2 },
    buffers: { 1: window, 2: y.storage },
    workgroups: [2, 1, 1],
    constants: { FACTOR: -1 },
  });
  assertEquals((await y.data()).subarray(0, 3), new Float32Array([-64, -65, 4]));
});

Deno.test("Device.dispatch() folds flat work into two dimensions past 65,535 workgroups", async () => {
  await using device = await Device.open();
  const size = 65_535 * 2 + 7;
  const x = full([size], 3);
  const y = full([size], 0);
  const limit = device.limits.maxComputeWorkgroupsPerDimension;
  const workgroups = device.groups(size, 1);
  assert(workgroups[0] <= limit && workgroups[0] * workgroups[1] >= size, `${workgroups}`);
  device.dispatch(DOUBLE, { params: { size }, buffers: { 1: x.storage, 2: y.storage }, workgroups });
  assertEquals(await sum(y).item(), 6 * size);
  assertEquals((await y.data()).at(-1), 6);
  assertEquals(device.groups(0, 64), [0, 1, 1]);
  assertEquals(device.groups(limit * 64, 64), [limit, 1, 1]);
});

Deno.test("Device.dispatch() of no workgroups does nothing", async () => {
  await using device = await Device.open();
  const before = device.counters;
  device.dispatch(DOUBLE, { params: { size: 0 }, buffers: {}, workgroups: [0, 1, 1] });
  assertEquals(device.counters, before);
});

Deno.test("A repeated step makes no buffer, pipeline or bind group, and one submit", async () => {
  await using device = await Device.open();
  const x = ones([33, 7]);
  const step = async () => {
    {
      using _ = scope();
      sum(mul(exp(add(x, 1)), x), { dim: 0 });
    }
    await device.done();
  };
  await step();
  await step();
  const before = device.counters;
  const live = device.memory.live;
  for (let i = 0; i < 20; i++) await step();
  const after = device.counters;
  assertEquals(
    [after.buffers, after.pipelines, after.bindGroups, after.reads],
    [before.buffers, before.pipelines, before.bindGroups, before.reads],
  );
  assertEquals(after.submits - before.submits, 20);
  assert(after.dispatches - before.dispatches >= 80);
  assertEquals(device.memory.live, live);
});

Deno.test("Device.write() submits first what was recorded with the old bytes", async () => {
  await using device = await Device.open();
  const x = tensor([1, 2, 3, 4]);
  const before = device.counters.submits;
  const y = mul(x, 10);
  x.write(new Float32Array([5, 6, 7, 8]));
  assertEquals(device.counters.submits, before + 1);
  const z = mul(x, 10);
  assertEquals(await y.data(), new Float32Array([10, 20, 30, 40]));
  assertEquals(await z.data(), new Float32Array([50, 60, 70, 80]));
  const idle = device.counters.submits;
  x.write(new Float32Array(4)); // nothing waits: nothing to submit
  assertEquals(device.counters.submits, idle);
});

Deno.test("Device.read() reads bytes that are not a multiple of four, and several at once", async () => {
  await using device = await Device.open();
  const bytes = tensor(new Uint8Array([1, 2, 3, 4, 5, 6, 7]));
  const [a, b] = await Promise.all([bytes.data(), ones([3]).data()]);
  assertEquals(a, new Uint8Array([1, 2, 3, 4, 5, 6, 7]));
  assertEquals(b, new Float32Array([1, 1, 1]));
  assertEquals(device.counters.reads, 2);
});

Deno.test("Device.read() of many at once takes one submit, and gives what each held when it was asked for", async () => {
  await using device = await Device.open();
  const many = Array.from({ length: 300 }, (_, i) => tensor([i, i]));
  const [free, changed] = [tensor([1, 2]), tensor([3, 4])];
  const before = device.counters.submits;
  const reads = [...many, free].map((each) => each.data());
  assertEquals(await Promise.all(reads), [...many.map((_, i) => Float32Array.of(i, i)), Float32Array.of(1, 2)]);
  assertEquals(device.counters.submits, before + 1);
  const old = [changed.data(), free.data()];
  changed.write(Float32Array.of(5, 6));
  free.dispose();
  device.trim();
  const next = tensor([7, 8]);
  assertEquals(
    await Promise.all([...old, next.data()]),
    [[3, 4], [1, 2], [7, 8]].map((each) => Float32Array.from(each)),
  );
  assertEquals(await changed.data(), Float32Array.of(5, 6));
});

Deno.test("Device.flush() submits once, and nothing when nothing waits", async () => {
  await using device = await Device.open();
  ones([4]);
  const before = device.counters.submits;
  device.flush();
  device.flush();
  assertEquals(device.counters.submits, before + 1);
});

Deno.test("A thousand dispatches more than the arena of parameters holds are submitted in parts, and right", async () => {
  await using device = await Device.open();
  using _ = scope();
  let x = ones([4]);
  const before = device.counters.submits;
  for (let i = 0; i < 5096; i++) {
    const next = add(x, 1);
    x.dispose();
    x = next as typeof x;
  }
  assertEquals(await x.data(), new Float32Array(4).fill(5097));
  assert(device.counters.submits - before >= 2);
});

Deno.test("Device.trim() destroys free buffers; what lives goes on", async () => {
  await using device = await Device.open();
  const x = ones([1000]);
  add(x, 1).dispose();
  assert(device.memory.pooled > 0);
  device.trim();
  assertEquals(device.memory.pooled, 0);
  assertEquals(await sum(add(x, 1)).item(), 2000);
});

testWith(probe, "timestamp-query", "Device.startProfile() times every dispatch by op and shader", async () => {
  await using device = await Device.open();
  const x = ones([64, 64]);
  device.startProfile();
  for (let i = 0; i < 3; i++) exp(x);
  sum(x);
  const rows = await device.stopProfile();
  const row = rows.find(({ name }) => name.startsWith("exp "));
  assertEquals([row?.name, row?.count], ["exp exp.forward", 3]);
  assert(rows.some(({ name }) => name.startsWith("sum ")));
  for (const { milliseconds } of rows) assert(milliseconds >= 0 && milliseconds < 10_000);
  assertEquals(rows.map(({ milliseconds }) => milliseconds), rows.map((r) => r.milliseconds).sort((a, b) => b - a));
  const dispatches = device.counters.dispatches;
  assertEquals(await add(x, 1).data(), new Float32Array(4096).fill(2)); // and off again
  assertEquals(device.counters.dispatches, dispatches + 1);
});

testWith(probe, "timestamp-query", "Device.startProfile() goes on past the slots of a query set", async () => {
  await using device = await Device.open();
  using _ = scope();
  const x = ones([4]);
  device.startProfile();
  for (let i = 0; i < 1100; i++) exp(x).dispose();
  const rows = await device.stopProfile();
  assertEquals(rows[0]?.count, 1100);
});

testWith(probe, "timestamp-query", "Device.startTrace() keeps when each dispatch ran, in their order", async () => {
  await using device = await Device.open();
  const x = ones([64, 64]);
  device.startTrace();
  sum(exp(x));
  const { traceEvents } = await device.stopTrace();
  assertEquals(traceEvents[0]?.name, "exp [64,64] exp.forward");
  assertEquals(traceEvents[0]?.ts, 0);
  traceEvents.forEach(({ name, ph, ts, dur }, i) => {
    assertEquals([ph, name.length > 0, dur >= 0], ["X", true, true]);
    if (i > 0) assert(ts >= traceEvents[i - 1]!.ts);
  });
});

Deno.test("DEBUG prints each kind of dispatch once, every one, or with its values", async () => {
  const script = `await using device = await uniformity.Device.open();
    const x = uniformity.tensor([1, 2, 3]);
    for (let i = 0; i < 2; i++) uniformity.exp(x);
    await device.done();`;
  const lines = async (level: string) => {
    const { code, stderr } = await runChild(script, { DEBUG: level });
    assertEquals(code, 0, stderr);
    return stderr.split("\n").filter((line) => line.includes("exp"));
  };
  assertEquals(await lines("1"), ["1 exp [3]: exp.forward, 1 x 1 x 1 workgroups"]);
  assertEquals((await lines("2")).length, 2);
  assertMatch((await lines("3"))[0]!, /^1 exp \[3\]: exp\.forward, 1 x 1 x 1 workgroups, size = 1/);
  assertEquals(await lines("0"), []);
});

Deno.test("DUMP_SHADERS prints the joined source of the programs that it names", async () => {
  const script = `await using device = await uniformity.Device.open();
    await uniformity.exp(uniformity.ones([4])).data();`;
  const { code, stderr } = await runChild(script, { DUMP_SHADERS: "exp" });
  assertEquals(code, 0, stderr);
  assert(stderr.includes("// ---- exp.forward {}"), stderr);
  assert(stderr.includes("fn value(x: F) -> F { return exp_or_nan(x); }"));
  assert(!stderr.includes("fill.fill"));
  const all = await runChild(script, { DUMP_SHADERS: "1" });
  assert(all.stderr.includes("// ---- fill.fill {}"));
});
