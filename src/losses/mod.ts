/**
 * Losses of contrastive learning: pure functions of embeddings `[batch, views, features]`, differentiable, that read
 * nothing back.
 *
 * @module
 */
export { alignUniform, type AlignUniformOptions } from "./align_uniform.ts";
export { barlowTwins, type BarlowTwinsOptions } from "./barlow_twins.ts";
export { cclK } from "./ccl_k.ts";
export { clInfoNCE } from "./cl_info_nce.ts";
export {
  decoupledUniformity,
  type DecoupledUniformityMetrics,
  decoupledUniformityMetrics,
  type DecoupledUniformityOptions,
} from "./decoupled_uniformity.ts";
export { infoNCE, supCon, type TemperatureOptions } from "./info_nce.ts";
export { moCo } from "./mo_co.ts";
export { byol, negativeCosine } from "./negative_cosine.ts";
export { vicReg, type VICRegOptions } from "./vic_reg.ts";
export { yAware } from "./y_aware.ts";
