/**
 * Losses of contrastive learning: pure functions of embeddings `[batch, views, features]`, differentiable, that read
 * nothing back.
 *
 * @module
 */
export { decoupledUniformity, type DecoupledUniformityOptions } from "./decoupled_uniformity.ts";
