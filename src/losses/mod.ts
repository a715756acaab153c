/**
 * Losses of contrastive learning: pure functions of embeddings `[batch, views, features]`, differentiable, that read
 * nothing back.
 *
 * @module
 */
export { alignUniform, type AlignUniformOptions } from "./align_uniform.ts";
export {
  decoupledUniformity,
  type DecoupledUniformityMetrics,
  decoupledUniformityMetrics,
  type DecoupledUniformityOptions,
} from "./decoupled_uniformity.ts";
export { infoNCE, supCon, type TemperatureOptions } from "./info_nce.ts";
