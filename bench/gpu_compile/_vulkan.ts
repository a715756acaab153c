// The few calls of Vulkan that compile a compute shader and ask the driver what became of it.
import { addressOf, array, cString, type Field, struct, textOf } from "./_memory.ts";
import { type Bound, readSpirv } from "./_spirv_module.ts";

const MAKE = { parameters: ["pointer", "buffer", "pointer", "buffer"], result: "i32" } as const;
const SYMBOLS = {
  vkCreateInstance: { parameters: ["buffer", "pointer", "buffer"], result: "i32" },
  vkEnumeratePhysicalDevices: { parameters: ["pointer", "buffer", "buffer"], result: "i32" },
  vkGetPhysicalDeviceFeatures2: { parameters: ["pointer", "buffer"], result: "void" },
  vkGetPhysicalDeviceProperties: { parameters: ["pointer", "buffer"], result: "void" },
  vkCreateDevice: MAKE,
  vkGetDeviceProcAddr: { parameters: ["pointer", "buffer"], result: "pointer" },
  vkCreateDescriptorSetLayout: MAKE,
  vkCreatePipelineLayout: MAKE,
  vkCreateShaderModule: MAKE,
  vkCreateComputePipelines: {
    parameters: ["pointer", "u64", "u32", "buffer", "pointer", "buffer"],
    result: "i32",
  },
} as const;
const QUERY = { parameters: ["pointer", "buffer", "buffer", "buffer"], result: "i32" } as const;

/** Values of `VkStructureType`. */
const TYPE = {
  applicationInfo: 0,
  instance: 1,
  queue: 2,
  device: 3,
  shaderModule: 16,
  stage: 18,
  computePipeline: 29,
  pipelineLayout: 30,
  descriptorSetLayout: 32,
  features11: 49,
  features12: 51,
  features13: 53,
  features2: 1000059000,
  executableFeatures: 1000269000,
  executable: 1000269003,
  statistic: 1000269004,
  representation: 1000269005,
} as const;
const COMPUTE_STAGE = 0x20;
const CAPTURE = 0x40 | 0x80; // statistics and internal representations
const DESCRIPTOR: Readonly<Record<Bound["kind"], number>> = { uniform: 6, storage: 7 };
const API_VERSION = 1 << 22 | 3 << 12;

/** Facts that a driver tells of a compiled shader. */
export interface Compiled {
  /** Invocations of a workgroup. */
  readonly invocations: number;
  /** The driver's statistics, by its own names. */
  readonly statistics: Readonly<Record<string, number>>;
  /** The assembly. */
  readonly assembly: string;
}

const u32 = (value: number): Field => ({ u32: value });
const to = (bytes: Uint8Array<ArrayBuffer> | null): Field => ({ to: bytes });
const none = to(null);
const handle = (out: Uint8Array<ArrayBuffer>) => new DataView(out.buffer).getBigUint64(0, true);
const empty = () => new Uint8Array(8);

function check(what: string, result: number): void {
  if (result !== 0) throw new Error(`Cannot compile with Vulkan as ${what} must succeed: got VkResult ${result}`);
}

/** A device of the first driver that the loader finds; it need not be one that can run anything. */
export class Compiler {
  #vk: Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];
  #device: Deno.PointerValue;
  #statistics: Deno.UnsafeFnPointer<typeof QUERY>;
  #representations: Deno.UnsafeFnPointer<typeof QUERY>;
  /** The driver's name for the device. */
  readonly name: string;

  /** Opens `libvulkan.so.1` and a device; the loader chooses the driver by `VK_DRIVER_FILES`. */
  constructor() {
    const vk = this.#vk = Deno.dlopen("libvulkan.so.1", SYMBOLS).symbols;
    const application = struct(u32(TYPE.applicationInfo), none, none, u32(0), none, u32(0), u32(API_VERSION));
    const instance = empty();
    const nothing = [u32(0), none] as const;
    check(
      "vkCreateInstance",
      vk.vkCreateInstance(
        struct(u32(TYPE.instance), none, u32(0), to(application), ...nothing, ...nothing),
        null,
        instance,
      ),
    );
    const [count, physical] = [new Uint8Array(new Uint32Array([1]).buffer), empty()];
    const instanceAt = Deno.UnsafePointer.create(handle(instance));
    vk.vkEnumeratePhysicalDevices(instanceAt, count, physical); // VK_INCOMPLETE where there are more
    const physicalAt = Deno.UnsafePointer.create(handle(physical));
    if (!physicalAt) throw new Error("Cannot compile with Vulkan as a driver must offer a device: got none");
    const properties = new Uint8Array(2048);
    vk.vkGetPhysicalDeviceProperties(physicalAt, properties);
    this.name = textOf(properties.subarray(20, 276));
    this.#device = this.#open(physicalAt);
    this.#statistics = this.#query("vkGetPipelineExecutableStatisticsKHR");
    this.#representations = this.#query("vkGetPipelineExecutableInternalRepresentationsKHR");
  }

  #open(physical: Deno.PointerValue): Deno.PointerValue {
    const features = (type: number, flags: number, next: Uint8Array<ArrayBuffer> | null) =>
      struct(u32(type), to(next), ...Array.from({ length: flags }, () => u32(0)));
    let chain: Uint8Array<ArrayBuffer> | null = null;
    for (
      const [type, flags] of [
        [TYPE.executableFeatures, 1],
        [TYPE.features13, 15],
        [TYPE.features12, 47],
        [TYPE.features11, 12],
        [TYPE.features2, 55],
      ] as const
    ) chain = features(type, flags, chain);
    this.#vk.vkGetPhysicalDeviceFeatures2(physical, chain!);
    const priority = struct({ f32: 1 });
    const queue = struct(u32(TYPE.queue), none, u32(0), u32(0), u32(1), to(priority));
    const extension = struct(to(cString("VK_KHR_pipeline_executable_properties")));
    const device = empty();
    const info = struct(
      ...[u32(TYPE.device), to(chain), u32(0), u32(1), to(queue), u32(0), none, u32(1), to(extension), none],
    );
    check("vkCreateDevice", this.#vk.vkCreateDevice(physical, info, null, device));
    return Deno.UnsafePointer.create(handle(device));
  }

  #query(name: string): Deno.UnsafeFnPointer<typeof QUERY> {
    const address = this.#vk.vkGetDeviceProcAddr(this.#device, cString(name));
    if (!address) throw new Error(`Cannot compile with Vulkan as the driver must have ${name}: got none`);
    return new Deno.UnsafeFnPointer(address as Deno.PointerObject<typeof QUERY>, QUERY);
  }

  /** Compiles a module; null where it is no compute shader. */
  compile(spirv: Uint8Array<ArrayBuffer>): Compiled | null {
    const module = readSpirv(new Uint32Array(spirv.buffer, spirv.byteOffset, spirv.length / 4));
    if (!module) return null;
    const executable = struct(
      u32(TYPE.executable),
      none,
      { u64: this.#pipeline(spirv, module.entryPoint, this.#layout(module.bound)) },
      u32(0),
    );
    return {
      invocations: module.invocations,
      statistics: Object.fromEntries(
        this.#records(this.#statistics, executable, TYPE.statistic, 544).map((each) => {
          return [
            textOf(each.subarray(16, 272)),
            Number(new DataView(each.buffer, each.byteOffset).getBigUint64(536, true)),
          ];
        }),
      ),
      assembly: this.#assembly(executable),
    };
  }

  #make(name: "vkCreateDescriptorSetLayout" | "vkCreatePipelineLayout" | "vkCreateShaderModule", ...info: Field[]) {
    const out = empty();
    check(name, this.#vk[name](this.#device, struct(...info), null, out));
    return { u64: handle(out) };
  }

  #layout(bound: readonly Bound[]): Field {
    const sets = Array.from({ length: Math.max(0, ...bound.map(({ set }) => set + 1)) }, (_, i) => {
      const own = bound.filter(({ set }) => set === i);
      const list = array(
        own.map(({ binding, kind }) => struct(u32(binding), u32(DESCRIPTOR[kind]), u32(1), u32(COMPUTE_STAGE), none)),
      );
      return this.#make(
        "vkCreateDescriptorSetLayout",
        ...[u32(TYPE.descriptorSetLayout), none, u32(0), u32(own.length), to(list)],
      );
    });
    const constants = struct(u32(COMPUTE_STAGE), u32(0), u32(128));
    return this.#make(
      "vkCreatePipelineLayout",
      ...[u32(TYPE.pipelineLayout), none, u32(0), u32(sets.length), to(struct(...sets)), u32(1), to(constants)],
    );
  }

  #pipeline(spirv: Uint8Array<ArrayBuffer>, entryPoint: string, layout: Field): bigint {
    const module = this.#make(
      "vkCreateShaderModule",
      ...[u32(TYPE.shaderModule), none, u32(0), { u64: BigInt(spirv.length) }, to(spirv)],
    );
    const name = cString(entryPoint);
    // The stage lies in the pipeline's structure, its type in the 64 bits that its alignment leaves.
    const stage = [{ u64: BigInt(TYPE.stage) }, none, u32(0), u32(COMPUTE_STAGE), module, to(name), none];
    const info = struct(u32(TYPE.computePipeline), none, u32(CAPTURE), ...stage, layout, { u64: 0n }, u32(0));
    const out = empty();
    check("vkCreateComputePipelines", this.#vk.vkCreateComputePipelines(this.#device, 0n, 1, info, null, out));
    return handle(out);
  }

  /** The structures of `size` bytes that a query gives. */
  #records(
    query: Deno.UnsafeFnPointer<typeof QUERY>,
    executable: Uint8Array<ArrayBuffer>,
    type: number,
    size: number,
  ): Uint8Array<ArrayBuffer>[] {
    const count = new Uint32Array(1);
    const counted = new Uint8Array(count.buffer);
    check("a query", query.call(this.#device, executable, counted, null));
    const all = new Uint8Array(size * count[0]!);
    for (let i = 0; i < count[0]!; i++) new DataView(all.buffer).setUint32(i * size, type, true);
    check("a query", query.call(this.#device, executable, counted, all));
    return Array.from({ length: count[0]! }, (_, i) => all.subarray(i * size, (i + 1) * size));
  }

  #assembly(executable: Uint8Array<ArrayBuffer>): string {
    const size = 552;
    const sizes = this.#records(this.#representations, executable, TYPE.representation, size);
    const texts = sizes.map((each) => {
      return new Uint8Array(Number(new DataView(each.buffer, each.byteOffset).getBigUint64(536, true)) + 1);
    });
    const all = array(sizes);
    texts.forEach((text, i) => new DataView(all.buffer).setBigUint64(i * size + 544, addressOf(text), true));
    const count = new Uint8Array(new Uint32Array([sizes.length]).buffer);
    check("a query", this.#representations.call(this.#device, executable, count, all));
    const named = sizes.map((each, i) => [textOf(each.subarray(16, 272)), textOf(texts[i]!)] as const);
    const found = named.find(([name]) => /assembly/i.test(name));
    if (!found) {
      throw new Error(`Cannot read the assembly as the driver must give it: got ${named.map(([name]) => name)}`);
    }
    return found[1];
  }
}
