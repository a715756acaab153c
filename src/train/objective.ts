import { autocast, noGrad } from "../autograd/mod.ts";
import { decoupledUniformityMetrics } from "../losses/mod.ts";
import type { Contrastive } from "../nn/mod.ts";
import { cast, concat, div, square, sum, viewCentroids } from "../ops/mod.ts";
import { clipGradNorm, type GradScaler, type Optimizer } from "../optim/mod.ts";
import { type Tensor, tidy } from "../tensor/mod.ts";
import { joinRows } from "./batch_parts.ts";
import { halvesOf, MethodState } from "../methods/internal.ts";
import { OneRank, type Ranks, type StepAgreement } from "./ranks.ts";
import type { ResolvedConfig } from "./resolve.ts";
import { embedViews, type ViewSizes } from "./view_sizes.ts";

/** The loss of a run became NaN or infinite. */
export class LossNotFiniteError extends RangeError {
  /** Name of the class, which errors are printed with. */
  override name = "LossNotFiniteError";
}

/** Objective that pre-training minimises. */
export class Objective {
  /** Model that is trained. */
  readonly model: Contrastive;
  /** Gradient scaler of mixed precision; null in full precision. */
  readonly scaler: GradScaler | null;
  /** State that the method keeps from step to step. */
  readonly state: MethodState;
  #ranks: Ranks = new OneRank();
  #config: ResolvedConfig;
  #sizes: ViewSizes | null;
  #keys: Tensor | null = null;

  /** The loss of a method on a model's embeddings. */
  constructor(model: Contrastive, config: ResolvedConfig, scaler: GradScaler | null, sizes: ViewSizes | null = null) {
    this.#sizes = sizes;
    this.model = model;
    this.scaler = scaler;
    this.state = new MethodState(model, config);
    this.#config = config;
  }

  /** The ranks that train together; this one alone until they have joined. */
  get ranks(): Ranks {
    return this.#ranks;
  }

  /** Trains together with other ranks from now on. */
  join(ranks: Ranks): void {
    this.#ranks = ranks;
  }

  /**
   * Embeds a batch whose parts are normalised together: embeddings
   * `[batch, views, features]`; of a method that aims at targets `[batch, views, 2 features]`, which they follow.
   */
  embed(parts: readonly Tensor[]): Tensor {
    const { model, scaler, state: { method, target } } = this;
    const embedBy = (network: Contrastive) => embedViews(network, parts, this.#sizes);
    const embed = () => {
      const z = embedBy(model);
      if (!method.targets) return z;
      const aims = target ? noGrad(() => embedBy(target.model)) : z;
      const learnt = method.predictor ? model.predictParts(z) : z;
      return learnt.map((each, i) => concat([each, aims[i]!], 2));
    };
    const options = { device: parts[0]!.device, sums: this.#config.precision === "mixed-f16" ? "f16" : "f32" } as const;
    const z = scaler ? autocast(embed, options).map((part) => cast(part, "f32")) : embed();
    return parts.length === 1 ? z[0]! : joinRows(z);
  }

  /** The loss and the mean squared length of centroids of this rank's embeddings, with the prior of all samples that are compared. */
  losses(own: Tensor, prior: Tensor | null, agreed?: StepAgreement): { loss: Tensor; centroid_square: Tensor } {
    const { method, queue } = this.state;
    const embedded = this.#ranks.embeddings(own, agreed);
    const [z, targets] = method.targets ? halvesOf(embedded) : [embedded, null];
    if (queue) this.#keys = targets;
    const { kernel, ridge, t, temperature = 1 } = this.#config;
    const input = { z, targets, queue: queue?.keys ?? null, prior, kernel, ridge, t, temperature };
    const made = method.loss(input);
    if ("loss" in made) return made;
    const meanSquare = () => div(sum(square(viewCentroids(z))), z.shape[0]!);
    return { loss: made, centroid_square: noGrad(() => tidy(meanSquare)) };
  }

  /** A loss of some samples by themselves: it has the products and convolutions of a step, for tuning. */
  lossOfPart(views: Tensor): Tensor {
    return decoupledUniformityMetrics(this.embed([views]), { t: this.#config.t }).loss;
  }

  /** Puts the keys of the last loss into the queue; called after its gradient is computed. */
  remember(): void {
    if (this.#keys) this.state.queue!.push(this.#keys);
    this.#keys = null;
  }

  /** Moves the weights by their gradients, clipped where that is asked for, and all that follows them. */
  update(optimizer: Optimizer): void {
    const { scaler } = this;
    const { clipGradNorm: most } = this.#config;
    if (most !== undefined) clipGradNorm(optimizer.parameters, most, { scaler }).dispose();
    optimizer.step(scaler ?? undefined);
    this.state.follow();
  }
}
