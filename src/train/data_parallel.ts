import { backward } from "../autograd/mod.ts";
import { type Communicator, Exchange, gatherBytes, gatherNumbers, GradientBuckets, means } from "../distributed/mod.ts";
import { type Module, syncBatchNorm } from "../nn/mod.ts";
import type { GradScaler, Optimizer } from "../optim/mod.ts";
import type { Tensor } from "../tensor/mod.ts";
import { gatherRanks } from "./gather_ranks.ts";
import { type EpochPlan, planOfRank } from "../data/mod.ts";
import { broadcastState, verifyState } from "./rank_state.ts";

/** Whose samples a loss compares: `"local"`, those of each rank, as the original; `"global"`, those of all ranks. */
export type LossScope = "local" | "global";

/** What ranks agreed on for a step. */
export interface StepAgreement {
  /** Samples of each rank. */
  readonly counts: readonly number[];
  /** True when every rank has samples to compare. */
  readonly trains: boolean;
  /** True when some rank was asked to stop. */
  readonly stop: boolean;
}

/** What communication costs, per step since it was last asked for. */
export interface StepCost {
  /** Bytes that this rank sent. */
  readonly sentBytes: number;
  /** Time in which this rank waited for others, ms; what backward hid is not in it. */
  readonly communicationMs: number;
}

/**
 * Trains one model on several ranks, each with its part of every batch: weights are broadcast at the start, gradients
 * reduced while backward runs, batch normalisation synchronised. The order of samples is that of one process; each rank
 * takes its part of every batch.
 */
export class DataParallel {
  /** The ranks. */
  readonly group: Communicator;
  /** Whose samples the loss compares. */
  readonly scope: LossScope;
  #model: Module;
  #exchange: Exchange;
  #buckets: GradientBuckets;
  #steps = 0;
  #before = { bytes: 0, milliseconds: 0 };

  private constructor(exchange: Exchange, model: Module, scope: LossScope) {
    this.group = exchange.group;
    this.scope = scope;
    this.#model = model;
    this.#exchange = exchange;
    const reduction = scope === "global" ? "sum" : "mean";
    this.#buckets = new GradientBuckets(this.group, exchange.reader, model.parameters(), { reduction });
  }

  /** Gives all ranks the state of rank 0, and synchronises the model's batch normalisation. */
  static async open(
    group: Communicator,
    model: Module,
    options: { scope?: LossScope; optimizer?: Optimizer; scaler?: GradScaler | null } = {},
  ): Promise<DataParallel> {
    const { scope = "local", optimizer, scaler } = options;
    await broadcastState(group, model, optimizer, scaler);
    const exchange = await Exchange.open(group, model.parameters()[0]!.device);
    syncBatchNorm(model, exchange);
    const parallel = new DataParallel(exchange, model, scope);
    await parallel.verify();
    parallel.#mark();
    return parallel;
  }

  /** This rank's part of an epoch. */
  part(plan: EpochPlan): EpochPlan {
    return planOfRank(this.group, plan);
  }

  /**
   * Tells the others how many samples this rank has for a step, and whether it was asked to stop; the step is taken where
   * every rank has `least` samples.
   */
  agree(samples: number, stop: boolean, least = 2): StepAgreement {
    const all = gatherNumbers(this.group, [samples, stop ? 1 : 0]);
    const counts = all.map(([count]) => count!);
    return { counts, trains: counts.every((count) => count >= least), stop: all.some(([, asked]) => asked === 1) };
  }

  /** The embeddings that the loss compares: this rank's, or those of all ranks. */
  embeddings(z: Tensor, { counts }: StepAgreement): Tensor {
    return this.scope === "global" ? gatherRanks(z, this.#exchange, counts) : z;
  }

  /** Rows in the data set of the samples that the loss compares. */
  rows(own: Uint32Array): Uint32Array {
    if (this.scope === "local") return own;
    const parts = gatherBytes(this.group, new Uint8Array(own.buffer as ArrayBuffer, own.byteOffset, own.byteLength));
    return Uint32Array.from(parts.flatMap(({ buffer }) => [...new Uint32Array(buffer)]));
  }

  /** Runs backward and reduces gradients beside it; {@linkcode DataParallel.finish} is to be awaited before they are used. */
  backward(loss: Tensor): void {
    backward(loss, { onGrad: (leaf) => this.#buckets.ready(leaf) });
  }

  /** Reduces gradients that are complete already; {@linkcode DataParallel.finish} is to be awaited before they are used. */
  reduce(parameters: readonly Tensor[]): void {
    for (const parameter of parameters.toReversed()) this.#buckets.ready(parameter);
  }

  /** Waits until all ranks have the same gradients. */
  async finish(): Promise<void> {
    await this.#buckets.finish();
    this.#steps++;
  }

  /** Means over all ranks. */
  means(values: readonly number[]): number[] {
    return means(this.group, values);
  }

  /** Checks that all ranks have the same weights, bit for bit. */
  async verify(): Promise<string> {
    return await verifyState(this.group, this.#model);
  }

  /** What communication cost per step since the last call. */
  cost(): StepCost {
    const { bytes, milliseconds } = this.#before;
    const steps = Math.max(1, this.#steps);
    this.#mark();
    return {
      sentBytes: (this.#before.bytes - bytes) / steps,
      communicationMs: (this.#before.milliseconds - milliseconds) / steps,
    };
  }

  /** Leaves the model to this rank alone. */
  dispose(): void {
    syncBatchNorm(this.#model, null);
    this.#exchange.dispose();
  }

  #mark(): void {
    const { bytes, milliseconds } = this.group.traffic;
    this.#before = { bytes, milliseconds: milliseconds + this.#buckets.exposedMilliseconds };
    this.#steps = 0;
  }
}
