import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { add, Device, DeviceError, scope, type Tensor, tensor } from "../../mod.ts";
import { Baton } from "../../src/device/baton.ts";
import { defineProgram, SyncReader } from "../../src/device/mod.ts";
import { testInDeno } from "./_features.ts";

const device = await Device.open();

Deno.test("SyncReader reads what was recorded, part after part, also through a small buffer", async () => {
  using _ = scope();
  const reader = await device.openSyncReader(20);
  for (let round = 0; round < 3; round++) {
    const x = add(tensor([1, 2, 3]), round);
    const y = add(tensor(Float32Array.from({ length: 13 }, (_, i) => i)), 10 * round);
    const target = new Float32Array(16);
    reader.read([x, y], new Uint8Array(target.buffer));
    const expected = [1, 2, 3].map((v) => v + round).concat(Array.from({ length: 13 }, (_, i) => i + 10 * round));
    assertEquals([...target], expected);
  }
  reader.dispose();
});

Deno.test("SyncReader refuses what a failed submit may have written", async () => {
  await using device = await Device.open();
  const reader = await device.openSyncReader(64);
  const code = [
    {
      code: "@group(0) @binding(1) var<storage, read_write> y: array<f32>;",
      params: {},
      access: { 1: "read_write" },
    },
    "@compute @workgroup_size(1)",
    "fn main() {",
  ] as const;
  const y = tensor([1, 2], { device });
  const wrong = defineProgram({ name: "wrong", code, entryPoint: "main" });
  device.dispatch(wrong, { buffers: { 1: y.storage }, workgroups: [1, 1, 1] });
  await assertRejects(() => device.done(), DeviceError, "wrong.main");
  assertThrows(() => reader.read([y], new Uint8Array(8)), DeviceError, "wrong.main");
  reader.dispose();
});

Deno.test("SyncReader refuses what a submit of the same task left out, and reads again once the error is known", async () => {
  await using device = await Device.open();
  const reader = await device.openSyncReader(64);
  const whole = new Float32Array(2);
  const read = (x: Tensor) => (reader.read([x], new Uint8Array(whole.buffer)), [...whole]);
  for (let round = 0; round < 3; round++) {
    const sound = add(tensor([1, 2], { device }), round);
    assertEquals(read(sound), [1 + round, 2 + round]);
    device.dispatch(writer(`undefined_${round}`), { buffers: { 1: sound.storage }, workgroups: [1, 1, 1] });
    if (round === 1) device.flush(); // the submit that fails, and one behind it
    const behind = add(sound, 1);
    for (const x of [behind, sound, behind]) assertThrows(() => read(x), DeviceError, "an operation before it failed");
    await assertRejects(() => device.done(), DeviceError);
    for (const x of [behind, sound]) assertThrows(() => read(x), DeviceError, "writer.main");
  }
  reader.dispose();
});

Deno.test("SyncReader reads what a sound program of the same task wrote", async () => {
  await using device = await Device.open();
  const reader = await device.openSyncReader(64);
  const x = tensor([1, 2], { device });
  device.dispatch(writer("7.0"), { buffers: { 1: x.storage }, workgroups: [1, 1, 1] });
  const target = new Float32Array(2);
  reader.read([x], new Uint8Array(target.buffer));
  assertEquals([...target], [7, 2]);
  reader.dispose();
});

testInDeno(
  "A small result is there, and work is done, without the promise that the runtime settles 10 ms later",
  async () => {
    await using device = await Device.open();
    const { mapAsync } = GPUBuffer.prototype;
    const { onSubmittedWorkDone } = GPUQueue.prototype;
    const never = new Promise<undefined>(() => {});
    GPUBuffer.prototype.mapAsync = function (...range) {
      mapAsync.apply(this, range).catch(() => {});
      return never;
    };
    GPUQueue.prototype.onSubmittedWorkDone = () => never;
    try {
      using _ = scope();
      const { reads } = device.counters;
      const x = add(tensor([1, 2, 3], { device }), 1);
      const early = x.data();
      device.write(x.storage, new Float32Array([9, 9, 9]));
      await device.done();
      assertEquals([[...await early], [...await x.data()]], [[2, 3, 4], [9, 9, 9]]);
      assertEquals(device.counters.reads, reads + 2);
    } finally {
      Object.assign(GPUBuffer.prototype, { mapAsync });
      Object.assign(GPUQueue.prototype, { onSubmittedWorkDone });
    }
  },
);

/** A program that writes a value, which may be no WGSL. */
function writer(value: string) {
  const code = "@group(0) @binding(1) var<storage, read_write> y: array<f32>;";
  const main = `@compute @workgroup_size(1)\nfn main() { y[0] = ${value}; }`;
  return defineProgram({
    name: "writer",
    code: [{ code, params: {}, access: { 1: "read_write" } }, main],
    entryPoint: "main",
  });
}

Deno.test("SyncReader throws when the parts do not fill the target", async () => {
  using _ = scope();
  const reader = await device.openSyncReader(64);
  assertThrows(
    () => reader.read([tensor([1, 2])], new Uint8Array(12)),
    RangeError,
    "Cannot read() as the parts must fill the target: got 8 for 12 bytes",
  );
  reader.dispose();
});

/** A pretended GPUDevice whose buffers are mapped as often at once as `atOnce` says, later from then on. */
function pretend(atOnce: number) {
  const calls: string[] = [];
  const staging = {
    size: 64,
    mapAsync: () => (calls.push("mapAsync"), Promise.resolve()),
    unmap: () => void calls.push("unmap"),
    destroy: () => void calls.push("destroy"),
    getMappedRange() {
      if (atOnce-- > 0) return new ArrayBuffer(64);
      throw new DOMException("the buffer is not mapped", "OperationError");
    },
  };
  const gpu = {
    createBuffer: () => staging,
    createCommandEncoder: () => ({ copyBufferToBuffer() {}, finish: () => null }),
    queue: { submit() {}, writeBuffer() {} },
  } as unknown as GPUDevice;
  return { gpu, calls };
}

Deno.test("SyncReader is refused where the runtime maps buffers only between tasks, and leaves nothing behind", () => {
  const { gpu, calls } = pretend(0);
  assertThrows(
    () => SyncReader.open(gpu, 64, new Baton(gpu), () => {}),
    DeviceError,
    "Cannot open a reader that does not wait as this runtime maps buffers only between tasks",
  );
  assertEquals(calls, ["unmap", "mapAsync", "destroy"]);
});

Deno.test("SyncReader throws when a mapping fails", () => {
  const { gpu } = pretend(1);
  const reader = SyncReader.open(gpu, 64, new Baton(gpu), () => {});
  using _ = scope();
  assertThrows(
    () => reader.read([tensor([1])], new Uint8Array(4)),
    DeviceError,
    "Cannot read a result back as an operation before it failed",
  );
});
