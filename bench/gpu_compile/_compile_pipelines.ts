// Compiles pipelines, runs none: deno run -A bench/gpu_compile/_compile_pipelines.ts PIPELINES.json MEMORY FRONT. Prints what the
// device refuses. Mesa writes the SPIR-V into MESA_SPIRV_DUMP_PATH, where that is set.
import type { Pipeline } from "../../tests/portability/_null_gpu.ts";
import { type Front, openGpu } from "./_front.ts";

const [file, memory, front] = Deno.args as [string, string, Front];
const pipelines: Pipeline[] = JSON.parse(await Deno.readTextFile(file));
const adapter = (await (await openGpu(front)).requestAdapter())!;
const { maxStorageBuffersPerShaderStage, maxStorageBufferBindingSize, maxBufferSize } = adapter.limits;
const features = ["subgroups", "shader-f16"] as GPUFeatureName[];
const device = await adapter.requestDevice({
  requiredFeatures: features.filter((name) => name === "subgroups" || adapter.features.has(name)),
  requiredLimits: {
    maxStorageBuffersPerShaderStage,
    maxStorageBufferBindingSize,
    maxBufferSize,
    maxComputeWorkgroupStorageSize: Number(memory),
  },
});
for (const { label, code, entryPoint, constants, entries } of pipelines) {
  device.pushErrorScope("validation");
  const module = device.createShaderModule({ code: front === "tint" ? code : code.replace("enable subgroups; ", "") });
  const layout = device.createBindGroupLayout({ entries: [...entries] });
  const compute = { module, entryPoint, constants };
  device.createComputePipeline({ layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }), compute });
  const error = await device.popErrorScope();
  if (error) console.log(`${label} ${JSON.stringify(constants)}: ${error.message}`);
}
Deno.exit(0);
