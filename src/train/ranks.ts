import { backward } from "../autograd/mod.ts";
import type { EpochPlan } from "../data/views/mod.ts";
import type { Tensor } from "../tensor/mod.ts";
import type { StepProfile } from "./step_clock.ts";

/**
 * Scope of the loss, whose samples it compares: `"local"`, those of each rank, as the original; `"global"`, those of
 * all ranks.
 */
export type LossScope = "local" | "global";

/** Agreement of ranks on a step. */
export interface StepAgreement {
  /** Samples of each rank. */
  readonly counts: readonly number[];
  /** Whether every rank has samples to compare. */
  readonly trains: boolean;
  /** Whether some rank was asked to stop. */
  readonly stop: boolean;
}

/** Cost of communication, per step since it was last asked for. */
export interface StepCost {
  /** Bytes that this rank sent. */
  readonly sent_bytes: number;
  /** Time in which this rank waited for others, ms; what backward hid is not in it. */
  readonly communication_ms: number;
}

/** Ranks that take steps together: one alone ({@linkcode OneRank}), or several ({@linkcode DataParallel}). */
export interface Ranks {
  /** Whether a step can be recorded and replayed, which communication within it prevents. */
  readonly replayable: boolean;
  /** Takes this rank's part of an epoch. */
  part(plan: EpochPlan): EpochPlan;
  /** Agrees on the samples of a step, and whether to stop after it; it is taken where every rank has `least` samples. */
  agree(samples: number, stop: boolean, least?: number): StepAgreement;
  /** Divides a batch into as many parts as the other ranks have, where some could not be read. */
  parts(views: readonly Tensor[], count: number): readonly Tensor[];
  /** Returns the embeddings that the loss compares. */
  embeddings(z: Tensor, agreed?: StepAgreement): Tensor;
  /** Returns the rows in the data set of the samples that the loss compares. */
  rows(own: Uint32Array): Uint32Array;
  /** Runs backward; gradients are those of all ranks after {@linkcode Ranks.finish}. */
  backward(loss: Tensor): void;
  /** Waits until all ranks have the same gradients: those of `backward`, and of parameters whose gradient is complete. */
  finish(profile?: StepProfile, complete?: readonly Tensor[]): Promise<void>;
  /** Averages values over all ranks. */
  means(values: readonly number[]): readonly number[];
  /** Checks that all ranks have the same weights, bit for bit. */
  verify(): Promise<unknown>;
  /** Returns what communication cost per step since the last call; nothing for one rank. */
  cost(): Partial<StepCost>;
  /** Leaves the model to this rank alone. */
  dispose(): void;
}

/** One process: a group of one rank, whose part is the whole and which waits for nobody. */
export class OneRank implements Ranks {
  /** Whether steps can be replayed: true. */
  readonly replayable = true;

  /** Returns the whole epoch. */
  part(plan: EpochPlan): EpochPlan {
    return plan;
  }

  /** Takes a step where there are two samples to compare, however many parts they come in. */
  agree(samples: number, stop: boolean): StepAgreement {
    return { counts: [samples], trains: samples >= 2, stop };
  }

  /** Returns the parts as they are. */
  parts(views: readonly Tensor[]): readonly Tensor[] {
    return views;
  }

  /** Returns the embeddings as they are. */
  embeddings(z: Tensor): Tensor {
    return z;
  }

  /** Returns the rows as they are. */
  rows(own: Uint32Array): Uint32Array {
    return own;
  }

  /** Runs backward. */
  backward(loss: Tensor): void {
    backward(loss);
  }

  /** Waits for nobody. */
  async finish(): Promise<void> {}

  /** Returns the values as they are. */
  means(values: readonly number[]): readonly number[] {
    return values;
  }

  /** Checks nothing. */
  async verify(): Promise<void> {}

  /** Returns nothing. */
  cost(): Partial<StepCost> {
    return {};
  }

  /** Frees nothing. */
  dispose(): void {}
}
