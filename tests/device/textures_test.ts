import { assertEquals, assertRejects } from "@std/assert";
import { compile } from "../../src/compile/mod.ts";
import { READ_TEXTURES } from "../../src/device/internal.ts";
import { defineProgram, Device, DeviceError } from "../../src/device/mod.ts";
import { add } from "../../src/ops/mod.ts";
import { scope, Tensor, tensor } from "../../src/tensor/mod.ts";
import { testWith } from "./_features.ts";

const probe = await Device.open();
probe.close();
const test = (name: string, run: () => Promise<void>) => testWith(probe, READ_TEXTURES, name, run);

const READ = defineProgram({
  name: "read",
  code: [
    {
      code: `struct Params { size: u32 }
      @group(0) @binding(0) var<uniform> params: Params;
      @group(0) @binding(1) var x: texture_storage_2d<rgba32float, read>;
      @group(0) @binding(2) var<storage, read_write> y: array<vec4f>;
      @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
        if (id.x < params.size) { y[id.x] = textureLoad(x, vec2u(id.x & 4095u, id.x >> 12u)); }
      }`,
      params: { size: "u32" },
      access: { 1: "texture", 2: "read_write" },
    },
  ],
  entryPoint: "main",
});

/** x as a shader finds it in a texture, from an element on. */
function read(x: Tensor, from = 0): Tensor {
  const y = new Tensor(x.device, [x.size - from]);
  const size = y.size / 4;
  const bound = from === 0 ? x.storage : { storage: x.storage, offset: 4 * from, size: 4 * y.size };
  x.device.dispatch(READ, {
    params: { size },
    buffers: { 1: bound, 2: y.storage },
    workgroups: x.device.groups(size, 64),
  });
  return y;
}

function counted(length: number, first = 0): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length }, (_, i) => first + i);
}

test("Device.dispatch() copies what is bound to a texture, as it is right then", async () => {
  await using _ = await Device.open();
  using _scope = scope();
  for (const size of [4, 4 * 4096, 4 * (3 * 4096 + 5)]) {
    assertEquals(await read(tensor(counted(size))).data(), counted(size));
  }
  const large = tensor(counted(4 * 5000));
  assertEquals(await read(large, 64).data(), counted(4 * 5000 - 64, 64));
  const [a, b] = [read(tensor(counted(8))), read(tensor(counted(8, 100)))]; // one texture for both
  assertEquals([await a.data(), await b.data()], [counted(8), counted(8, 100)]);
});

test("compile() replays what is read through a texture, of what the step made and was given", async () => {
  await using _ = await Device.open();
  using _scope = scope();
  using step = compile((x: Tensor) => add(read(add(x, 1)), read(x)), { check: "never" });
  for (let i = 0; i < 6; i++) {
    const want = counted(16, i).map((v) => 2 * v + 1);
    assertEquals(await step(tensor(counted(16, i))).data(), want);
  }
  assertEquals(step.replays > 0, true);
});

test("A texture that there is no memory for is a DeviceError", async () => {
  const adapter = (await navigator.gpu.requestAdapter())!;
  const { requestDevice } = adapter;
  adapter.requestDevice = async (descriptor) => {
    const device = await requestDevice.call(adapter, descriptor);
    const { createTexture } = device;
    device.createTexture = (options) => {
      const { popErrorScope } = device;
      device.popErrorScope = () => {
        device.popErrorScope = popErrorScope;
        popErrorScope.call(device);
        return Promise.resolve({ message: "no memory" } as GPUError);
      };
      return createTexture.call(device, options);
    };
    return device;
  };
  const gpu = { requestAdapter: () => Promise.resolve(adapter), wgslLanguageFeatures: new Set([READ_TEXTURES]) };
  await using _ = await Device.open({ gpu: gpu as unknown as GPU });
  const y = read(tensor(counted(4)));
  await assertRejects(() => y.data(), DeviceError, "Cannot make a texture as the device is out of memory");
});
