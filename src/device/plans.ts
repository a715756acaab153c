import type { Bindings } from "./dispatch.ts";
import type { PipelineCache, PipelinePlan } from "./pipelines.ts";
import { PARAMS_SLOT, sourceOf } from "./program.ts";
import { Textures } from "./textures.ts";
import { USAGE } from "./usage.ts";

// Apart from the pipelines, since pages that only compute do not need it.

/** Usage of a buffer that is bound as anything. */
const ANY = USAGE.UNIFORM | USAGE.STORAGE;

/** Plans of the pipelines that were made and are kept, the shortest source first. */
export function plansOf(pipelines: PipelineCache): PipelinePlan[] {
  const plans = pipelines.made.map(({ program, bound, constants }) => ({ program, bound, constants }));
  const length = new Map(plans.map((plan) => [plan, sourceOf(plan.program).length]));
  return plans.sort((a, b) => length.get(a)! - length.get(b)!);
}

/**
 * Has pipelines compiled, and waits for it: makes them, and runs no workgroup of each, since some drivers (Mesa's llvmpipe)
 * compile a shader where it is run first. What other devices compiled before is taken from the driver's cache.
 */
export async function compilePlans(pipelines: PipelineCache, plans: readonly PipelinePlan[]): Promise<void> {
  const { gpu } = pipelines;
  const buffers: GPUBuffer[] = [];
  const images = new Textures((texture) => gpu.createTexture(texture));
  const encoder = gpu.createCommandEncoder({ label: "compile" });
  const pass = encoder.beginComputePass();
  for (const { program, bound, constants } of plans) {
    const given = Object.fromEntries(bound.map((binding) => [binding, true])) as unknown as Bindings; // which, not what
    const { pipeline, layout, hasParams, textures } = pipelines.get(program, given, constants);
    const bindings = hasParams ? [0, ...bound] : bound;
    while (buffers.length < bindings.length) buffers.push(gpu.createBuffer({ size: PARAMS_SLOT, usage: ANY }));
    const entries = bindings.map((binding, i) => {
      const isTexture = textures.includes(binding);
      const resource = isTexture ? images.of(binding, 0).createView() : { buffer: buffers[i]!, size: PARAMS_SLOT };
      return { binding, resource };
    });
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, gpu.createBindGroup({ layout, entries }), hasParams ? [0] : []);
    pass.dispatchWorkgroups(0);
  }
  pass.end();
  gpu.queue.submit([encoder.finish()]);
  await gpu.queue.onSubmittedWorkDone();
  for (const each of [...buffers, images]) each.destroy();
}
