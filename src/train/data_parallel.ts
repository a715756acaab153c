import { backward } from "../autograd/mod.ts";
import { type Communicator, Exchange, gatherBytes, gatherNumbers, GradientBuckets, means } from "../distributed/mod.ts";
import { type Module, syncBatchNorm } from "../nn/mod.ts";
import type { GradScaler, Optimizer } from "../optim/mod.ts";
import type { Tensor } from "../tensor/mod.ts";
import { gatherRanks } from "./gather_ranks.ts";
import { type EpochPlan, planOfRank } from "../data/views/mod.ts";
import { evenOut } from "./micro_batch.ts";
import { broadcastState, verifyState } from "./rank_state.ts";
import type { LossScope, Ranks, StepAgreement, StepCost } from "./ranks.ts";
import type { StepProfile } from "./step_clock.ts";
import { checkOptions } from "../tensor/internal.ts";

/**
 * Trains one model on several ranks, each with its part of every batch: weights are broadcast at the start, gradients
 * reduced while backward runs, batch normalisation synchronised. The order of samples is that of one process; each rank
 * takes its part of every batch.
 */
export class DataParallel implements Ranks {
  /** The ranks. */
  readonly group: Communicator;
  /** Scope of the loss: whose samples it compares. */
  readonly scope: LossScope;
  /** Whether steps can be replayed: false, as ranks communicate within them. */
  readonly replayable = false;
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
    checkOptions("DataParallel.open()", options, ["scope", "optimizer", "scaler"]);
    const { scope = "local", optimizer, scaler } = options;
    await broadcastState(group, model, optimizer, scaler);
    const exchange = await Exchange.open(group, model.parameters()[0]!.device);
    syncBatchNorm(model, exchange);
    const parallel = new DataParallel(exchange, model, scope);
    await parallel.verify();
    parallel.#mark();
    return parallel;
  }

  /** Takes this rank's part of an epoch. */
  part(plan: EpochPlan): EpochPlan {
    return planOfRank(this.group, plan);
  }

  /**
   * Tells the others how many samples this rank has for a step, and whether it was asked to stop; the step is taken
   * where every rank has `least` samples.
   */
  agree(samples: number, stop: boolean, least = 2): StepAgreement {
    const all = gatherNumbers(this.group, [samples, stop ? 1 : 0]);
    const counts = all.map(([count]) => count!);
    return { counts, trains: counts.every((count) => count >= least), stop: all.some(([, asked]) => asked === 1) };
  }

  /** Divides a batch whose parts could not all be read into as many as the other ranks have. */
  parts(views: readonly Tensor[], count: number): readonly Tensor[] {
    return evenOut(views, count);
  }

  /** Returns the embeddings that the loss compares: this rank's, or those of all ranks. */
  embeddings(z: Tensor, agreed?: StepAgreement): Tensor {
    return this.scope === "global" ? gatherRanks(z, this.#exchange, agreed!.counts) : z;
  }

  /** Returns the rows in the data set of the samples that the loss compares. */
  rows(own: Uint32Array): Uint32Array {
    if (this.scope === "local") return own;
    const parts = gatherBytes(this.group, new Uint8Array(own.buffer as ArrayBuffer, own.byteOffset, own.byteLength));
    return Uint32Array.from(parts.flatMap(({ buffer }) => [...new Uint32Array(buffer)]));
  }

  /** Runs backward and reduces gradients beside it; {@linkcode DataParallel.finish} is to be awaited before they are used. */
  backward(loss: Tensor): void {
    backward(loss, { onGrad: (leaf) => this.#buckets.ready(leaf) });
  }

  /**
   * Waits until all ranks have the same gradients, which the profile counts as communication.
   *
   * @param profile Times the wait.
   * @param complete Parameters whose gradients are complete and have not been sent by {@linkcode DataParallel.backward}.
   */
  async finish(profile?: StepProfile, complete: readonly Tensor[] = []): Promise<void> {
    profile?.begin("communication");
    for (const parameter of complete.toReversed()) this.#buckets.ready(parameter);
    await this.#buckets.finish();
    await profile?.end(this.#model.parameters()[0]!.device);
    this.#steps++;
  }

  /** Averages values over all ranks. */
  means(values: readonly number[]): number[] {
    return means(this.group, values);
  }

  /** Checks that all ranks have the same weights, bit for bit. */
  async verify(): Promise<string> {
    return await verifyState(this.group, this.#model);
  }

  /** Returns what communication cost per step since the last call. */
  cost(): StepCost {
    const { bytes, milliseconds } = this.#before;
    const steps = Math.max(1, this.#steps);
    this.#mark();
    return {
      sent_bytes: (this.#before.bytes - bytes) / steps,
      communication_ms: (this.#before.milliseconds - milliseconds) / steps,
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
