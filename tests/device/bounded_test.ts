import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { compile } from "../../src/compile/mod.ts";
import { defineProgram, Device, DeviceError } from "../../src/device/mod.ts";
import { add, matmul, mul, sum } from "../../src/ops/mod.ts";
import { ones, scope, type Tensor, tensor, zeros } from "../../src/tensor/mod.ts";
import { openLimited } from "./_limited.ts";

const SET = defineProgram({
  name: "set",
  code: [
    {
      code: "@group(0) @binding(1) var<storage, read_write> y: array<f32>; override VALUE: f32 = 1.0;",
      params: {},
      access: { 1: "read_write" },
    },
    "@compute @workgroup_size(1) fn main() { y[0] = VALUE; }",
  ],
  entryPoint: "main",
});

Deno.test("Bind groups are kept by latest use: those of long ago are made again", async () => {
  await using device = await Device.open();
  const { storage } = ones([70_000 * 64]);
  const set = (i: number) => {
    const window = { storage, offset: i * 256, size: 256 };
    device.dispatch(SET, { buffers: { 1: window }, workgroups: [1, 1, 1] });
  };
  const made = (i: number) => {
    const before = device.counters.bindGroups;
    set(i);
    return device.counters.bindGroups - before;
  };
  for (let i = 0; i < 3000; i++) set(i);
  assertEquals([made(0), made(2999)], [0, 0]);
  for (let i = 3000; i < 12_000; i++) set(i);
  assertEquals([made(0), made(11_999), made(9000)], [1, 0, 0]);
  await device.done();
});

Deno.test("Pipelines are kept by latest use, and one that is compiled again is no other command", async () => {
  await using device = await Device.open();
  const x = ones([4]);
  const set = (VALUE: number) => {
    device.dispatch(SET, { buffers: { 1: x.storage }, workgroups: [1, 1, 1], constants: { VALUE } });
  };
  set(0);
  const before = device.counters.pipelines;
  for (let i = 1; i <= 1100; i++) set(i);
  assertEquals(device.counters.pipelines, before + 1100);
  set(1100);
  assertEquals(device.counters.pipelines, before + 1100);
  set(0);
  assertEquals(device.counters.pipelines, before + 1101);
  assertEquals((await x.data())[0], 0);
});

Deno.test("A step whose shapes change holds memory in proportion to its peak", async () => {
  await using device = await Device.open();
  for (let i = 0; i < 400; i++) {
    using _ = scope();
    const x = ones([1000 + 997 * i % 3001, 64]);
    sum(mul(add(x, 1), add(x, 2)));
    if (i % 7 === 0) await device.done();
    const { live, pooled, peak } = device.memory;
    assert(live + pooled <= 3 * peak + 2 ** 24, `${live + pooled} beside ${peak}`);
  }
});

Deno.test("What many results are read through at once does not stay", async () => {
  await using device = await Device.open();
  const x = ones([2 ** 20]); // 4 MiB
  const readAll = async () => {
    const before = device.counters.buffers;
    const results = await Promise.all(Array.from({ length: 12 }, () => x.data()));
    assertEquals(results.map((values) => values[2 ** 20 - 1]), new Array(12).fill(1));
    return device.counters.buffers - before;
  };
  assertEquals(await readAll(), 12);
  assertEquals(await readAll(), 4); // 32 MiB were kept
});

Deno.test("compile() gives back the memory of recordings that it gives up", async () => {
  await using device = await Device.open();
  using step = compile((x: Tensor) => sum(mul(add(x, 1), x)), { recordings: 2, check: "never" });
  const call = async (rows: number) => {
    using _ = scope();
    return await step(ones([rows, 1000])).item();
  };
  let most = 0;
  for (let rows = 400; rows > 40; rows -= 60) {
    for (let i = 0; i < 5; i++) assertEquals(await call(rows), 2000 * rows);
    most = Math.max(most, device.memory.reserved);
    assert(device.memory.reserved <= 6 * 4000 * (rows + 60), `${device.memory.reserved} for ${rows} rows`);
  }
  assert(device.memory.reserved < most / 2);
  assertEquals(step.replays, 6 * 2);
});

Deno.test("Device.rehearse() tells whether shapes fit and what memory they take, without the GPU", async () => {
  await using device = await openLimited({ maxStorageBufferBindingSize: 2 ** 20 });
  assertEquals(device.limits.maxStorageBufferBindingSize, 2 ** 20);
  const product = (n: number) => {
    using _ = scope();
    matmul(tensor(new Float32Array(64 * n), { shape: [n, 64] }), zeros([64, n]));
  };
  const before = [device.counters, device.memory];
  const { live, peak } = device.rehearse(() => product(512));
  assertEquals([live, peak], [0, 2 * 512 * 64 * 4 + 512 * 512 * 4]);
  assertThrows(() => device.rehearse(() => product(600)), DeviceError, "binds at most 1048576 bytes at once");
  assertEquals([device.counters, device.memory], before);
  assertEquals(await sum(ones([3])).item(), 3); // and work goes on
});

Deno.test("Memory that ran out gives back what is free before it is reported, and is not used again", async () => {
  const gpu = await memoryOf(3 * 2 ** 20);
  await using device = await Device.open({ gpu });
  ones([2 ** 19]).dispose(); // 2 MiB wait for reuse
  await device.done();
  const x = ones([2 ** 19 + 2 ** 18]); // 3 MiB do not fit beside them
  const error = await assertRejects(() => x.data(), DeviceError, "as the device is out of memory");
  assertStringIncludes(error.message, `${2 ** 21} bytes that were free are given back by now: try again`);
  assertEquals(device.memory.pooled, 0);
  x.dispose();
  assertEquals(await sum(ones([2 ** 19 + 2 ** 18])).item(), 2 ** 19 + 2 ** 18);
});

/** A WebGPU whose devices have so many bytes for storage: beyond them, buffers are larger than any that it makes. */
async function memoryOf(bytes: number): Promise<GPU> {
  const adapter = (await navigator.gpu.requestAdapter())!;
  const { requestDevice } = adapter;
  const patched = async (descriptor: GPUDeviceDescriptor) => {
    const device = await requestDevice.call(adapter, descriptor);
    const { createBuffer } = device;
    let used = 0;
    device.createBuffer = (options) => {
      if (!(options.usage & 0x80) || options.size < 2 ** 20) return createBuffer.call(device, options);
      if (used + options.size > bytes) return lost(device, createBuffer);
      used += options.size;
      const buffer = createBuffer.call(device, options);
      const { destroy } = buffer;
      buffer.destroy = () => {
        used -= options.size;
        destroy.call(buffer);
      };
      return buffer;
    };
    return device;
  };
  adapter.requestDevice = patched as typeof adapter.requestDevice;
  return { requestAdapter: () => Promise.resolve(adapter) } as unknown as GPU;
}

/** A buffer that is none, as of a device without memory. */
function lost(device: GPUDevice, createBuffer: GPUDevice["createBuffer"]): GPUBuffer {
  const { popErrorScope } = device;
  device.popErrorScope = () => {
    device.popErrorScope = popErrorScope;
    popErrorScope.call(device);
    return Promise.resolve({ message: "no memory" } as GPUError);
  };
  device.pushErrorScope("validation");
  const buffer = createBuffer.call(device, { size: 2 ** 40, usage: 0x80 });
  popErrorScope.call(device);
  return buffer;
}
