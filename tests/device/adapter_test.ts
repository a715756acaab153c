import { assertEquals, assertRejects } from "@std/assert";
import { requestDevice } from "../../src/device/adapter.ts";
import { Device, DeviceError } from "../../src/device/mod.ts";

/** Facts of a pretended implementation of WebGPU. */
interface Pretended {
  readonly info?: Record<string, unknown>;
  /** Whether it has subgroups. */
  readonly subgroups?: boolean;
  /** Whether its shaders may say `enable subgroups;`. */
  readonly enables?: boolean;
}

/** A pretended implementation of WebGPU, as far as opening a device goes. */
function pretend({ info = {}, subgroups = false, enables = false }: Pretended): GPU {
  let refused = false;
  const device = {
    features: new Set(subgroups ? ["subgroups"] : []),
    pushErrorScope() {},
    createShaderModule: ({ code }: { code: string }) => void (refused = !enables && code.includes("enable")),
    popErrorScope: () => Promise.resolve(refused ? { message: "unknown" } : null),
  };
  const adapter = {
    limits: {},
    features: new Set(),
    info: { vendor: "", architecture: "", device: "", description: "", ...info },
    requestDevice({ requiredFeatures }: { requiredFeatures: string[] }) {
      if (!subgroups && requiredFeatures.includes("subgroups")) return Promise.reject(new TypeError("unknown feature"));
      return Promise.resolve(device);
    },
  };
  return { requestAdapter: () => Promise.resolve(adapter) } as unknown as GPU;
}

Deno.test("requestDevice() asks the implementation that it is given", async () => {
  const { info } = await requestDevice({ gpu: pretend({ info: { vendor: "maker", description: "chip 7" } }) });
  assertEquals(info, { vendor: "maker", description: "chip 7", family: "gpu", subgroupSize: 0 });
});

Deno.test("Device.open() works on an implementation that it is given", async () => {
  await using device = await Device.open({ gpu: navigator.gpu });
  assertEquals(Device.current, device);
});

Deno.test("requestDevice() knows software adapters by name, and by isFallbackAdapter", async () => {
  const family = async (info: Record<string, unknown>) => (await requestDevice({ gpu: pretend({ info }) })).info.family;
  assertEquals(await family({ description: "llvmpipe (LLVM 19)" }), "cpu");
  assertEquals(await family({ vendor: "google", architecture: "swiftshader" }), "cpu");
  assertEquals(await family({ vendor: "google", isFallbackAdapter: true }), "cpu");
  assertEquals(await family({ vendor: "nvidia", architecture: "hopper", isFallbackAdapter: false }), "gpu");
});

Deno.test("requestDevice() names subgroups in shaders where the implementation knows the name", async () => {
  const directives = async (pretended: Pretended) => (await requestDevice({ gpu: pretend(pretended) })).directives;
  assertEquals(await directives({ subgroups: true, enables: true }), "enable subgroups; ");
  assertEquals(await directives({ subgroups: true, enables: false }), "");
  assertEquals(await directives({ subgroups: false, enables: true }), "");
});

Deno.test("requestDevice() takes subgroups whose size varies for none", async () => {
  const size = async (info: Record<string, unknown>) =>
    (await requestDevice({ gpu: pretend({ subgroups: true, info }) })).info.subgroupSize;
  assertEquals(await size({ subgroupMinSize: 32, subgroupMaxSize: 32 }), 32);
  assertEquals(await size({ subgroupMinSize: 8, subgroupMaxSize: 32 }), 0);
  assertEquals(await size({}), 0);
});

Deno.test("requestDevice() throws where there is no implementation or no adapter", async () => {
  const gpu = { requestAdapter: () => Promise.resolve(null) } as unknown as GPU;
  await assertRejects(() => requestDevice({ gpu }), DeviceError, "Cannot open a device as no WebGPU adapter answers");
  const own = Object.getOwnPropertyDescriptor(globalThis, "navigator")!;
  try {
    Object.defineProperty(globalThis, "navigator", { value: {}, configurable: true });
    await assertRejects(
      () => requestDevice(),
      DeviceError,
      "Cannot open a device as this runtime has no navigator.gpu",
    );
  } finally {
    Object.defineProperty(globalThis, "navigator", own);
  }
});
