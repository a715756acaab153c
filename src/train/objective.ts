import { autocast, noGrad } from "../autograd/mod.ts";
import { centroidWeights } from "../kernels/mod.ts";
import { decoupledUniformityMetrics } from "../losses/mod.ts";
import type { Contrastive } from "../nn/mod.ts";
import { cast } from "../ops/mod.ts";
import type { GradScaler } from "../optim/mod.ts";
import type { Tensor } from "../tensor/mod.ts";
import { joinRows } from "./batch_parts.ts";
import { OneRank, type Ranks, type StepAgreement } from "./ranks.ts";
import type { ResolvedConfig } from "./resolve.ts";

/** The loss of a run became NaN or infinite. */
export class LossNotFiniteError extends RangeError {
  /** `LossNotFiniteError`. */
  override name = "LossNotFiniteError";
}

/** Objective that pre-training minimises. */
export class Objective {
  /** Model that is trained. */
  readonly model: Contrastive;
  /** Gradient scaler of mixed precision; null in full precision. */
  readonly scaler: GradScaler | null;
  /** The ranks that train together; this one alone until they have joined. */
  ranks: Ranks = new OneRank();
  #config: ResolvedConfig;

  /** The decoupled uniformity of a model's embeddings. */
  constructor(model: Contrastive, config: ResolvedConfig, scaler: GradScaler | null) {
    this.model = model;
    this.scaler = scaler;
    this.#config = config;
  }

  /** Embeddings `[batch, views, features]` in f32 of a batch whose parts are normalised together. */
  embed(parts: readonly Tensor[]): Tensor {
    const { model, scaler } = this;
    const embed = () => parts.length === 1 ? [model.forward(parts[0]!)] : model.forwardParts(parts);
    const z = scaler ? autocast(embed, { device: parts[0]!.device }).map((part) => cast(part, "f32")) : embed();
    return parts.length === 1 ? z[0]! : joinRows(z);
  }

  /** The loss and the alignment of this rank's embeddings, with the prior of all samples that are compared. */
  losses(own: Tensor, prior: Tensor | null, agreed?: StepAgreement): { loss: Tensor; alignment: Tensor } {
    const { kernel, ridge, t } = this.#config;
    const weights = prior && kernel ? noGrad(() => centroidWeights(prior, { kernel, ridge })) : undefined;
    return decoupledUniformityMetrics(this.ranks.embeddings(own, agreed), { weights, t });
  }

  /** The loss of some samples by themselves, without a prior: it has the ops of a step, for tuning. */
  lossOfPart(views: Tensor): Tensor {
    return decoupledUniformityMetrics(this.embed([views]), { t: this.#config.t }).loss;
  }
}
