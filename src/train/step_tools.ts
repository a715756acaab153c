import type { Optimizer } from "../optim/mod.ts";
import type { Tensor } from "../tensor/mod.ts";
import type { MetricRing } from "./metric_ring.ts";
import type { Objective } from "./objective.ts";
import type { StepAgreement } from "./ranks.ts";
import type { StepProfile } from "./step_clock.ts";

/** The batch of a step. */
export interface StepBatch {
  /** Views `[n, views, h, w, c]` of its parts. */
  readonly parts: readonly Tensor[];
  /** Prior `[batch, d]` of the samples that the loss compares. */
  readonly prior: Tensor | null;
  /** Agreement of the ranks on this step. */
  readonly agreed: StepAgreement;
}

/** Tools of a step. */
export interface StepTools {
  /** Objective that is minimised. */
  readonly objective: Objective;
  /** Optimizer of the weights. */
  readonly optimizer: Optimizer;
  /** Ring that takes the loss and alignment of every step. */
  readonly metrics: MetricRing;
  /** Times the parts of steps. */
  readonly profile?: StepProfile;
  /** Whether steps are replayed. */
  readonly compile: boolean;
  /** Callback, awaited when the first step, or the first of its parts, is recorded and before it runs. */
  readonly beforeFirstStep?: () => Promise<unknown>;
  /** Whether the parts of a batch are normalised together; if not, they are encoded one after the other. */
  readonly joint: boolean;
}
