import { answerNames } from "../checks/internal.ts";
import type { Tensor } from "../tensor/mod.ts";
import type { Linear } from "./linear.ts";
import { Module } from "./module.ts";

/** A network that encodes images: features of each image, and a last linear layer on them. */
export abstract class Backbone extends Module {
  static {
    answerNames(this.prototype, "a network", { "head classifier": "model.fc" });
  }

  /** Last layer: pooled features to the outputs. */
  abstract readonly fc: Linear;

  /** Features of the pooled output, before `fc`. */
  get pooledFeatures(): number {
    return this.fc.weight.shape[0]!;
  }

  /** Pooled features: `[n, h, w, c]` to `[n, pooledFeatures]`. */
  abstract pooled(x: Tensor): Tensor<"f32">;

  /** Outputs: `[n, h, w, c]` to `[n, outputs of fc]`. */
  abstract override forward(x: Tensor): Tensor<"f32">;

  /** Outputs of a batch in parts. */
  override forwardParts(parts: readonly Tensor[]): Tensor<"f32">[] {
    return super.forwardParts(parts) as Tensor<"f32">[];
  }
}
