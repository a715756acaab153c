import { batchSizes, countOf, type ViewBatch } from "../data/views/mod.ts";
import { split } from "../data/internal.ts";
import type { Contrastive } from "../nn/mod.ts";
import { type CosineAnnealingLR, GradScaler, type Optimizer } from "../optim/mod.ts";
import { keep, key, scope, shuffled, type Tensor } from "../tensor/mod.ts";
import { type BatchPart, partsOfBatches } from "./batch_parts.ts";
import { checkPretrain } from "./check_pretrain.ts";
import { checkModel } from "./check_method.ts";
import { DataParallel } from "./data_parallel.ts";
import { withoutDraws } from "../weights/internal.ts";
import { priorRows } from "./host_prior.ts";
import { MetricRing } from "./metric_ring.ts";
import { microBatchOf, partCount } from "./micro_batch.ts";
import { LossNotFiniteError, Objective } from "./objective.ts";
import { makeOptimizer } from "./optimizers.ts";
import { tuneFor } from "./pretrain_tuning.ts";
import type { PretrainData, PretrainReport } from "./pretrain_types.ts";
import type { Ranks, StepAgreement } from "./ranks.ts";
import { resolveConfig, type ResolvedConfig } from "./resolve.ts";
import { sizesOf } from "./view_sizes.ts";
import type { PretrainConfig } from "./settings.ts";
import type { StateDict } from "../weights/mod.ts";
import { Clock, Throttle } from "./step_clock.ts";
import { TrainingSteps } from "./training_step.ts";

/**
 * Trains an encoder and its head by a method, decoupled uniformity by default, and reports as it goes. Nothing is read back
 * between reports. Leaving the loop early leaves the model as it is.
 *
 * @param model Trained in place.
 * @param data Samples, and their prior when `config.kernel` is set.
 * @throws {TypeError} If a kernel is set without a prior or a prior without a kernel, their rows differ, or the method
 *   takes no prior or needs one, or a model of another form.
 * @throws {RangeError} If there are too few samples, a setting is out of range, or the loss is not finite.
 *
 * @example Usage
 * ```ts
 * import { Device } from "@decoupled/uniformity";
 * import { naturalRecipe, ResidentImages } from "@decoupled/uniformity/data";
 * import { makeModel, pretrain } from "@decoupled/uniformity/train";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const pixels = { data: new Uint8Array(8 * 16 * 16 * 3).map((_, i) => i % 251), height: 16, width: 16 };
 * const recipe = naturalRecipe({ size: 16, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] });
 * const source = new ResidentImages(_device, pixels, recipe);
 * const model = makeModel("tiny", { stem: "cifar" });
 * let epochs = 0;
 * for await (const { epochDone, loss } of pretrain(model, { source }, { epochs: 2, batchSize: 4 })) {
 *   if (epochDone) epochs++;
 *   if (loss > 0) throw new Error("decoupled uniformity is at most 0");
 * }
 * assertEquals(epochs, 2);
 * ```
 *
 * @see Dufumier et al., "Integrating Prior Knowledge in Contrastive Learning with Kernel", arXiv:2206.01646.
 */
export async function* pretrain(
  model: Contrastive,
  data: PretrainData,
  config: PretrainConfig,
): AsyncGenerator<PretrainReport> {
  const run = new Pretraining(model, data, config);
  try {
    yield* run.reports();
  } finally {
    run.dispose();
  }
}

/** The parts of a batch: what is held of each until the step. */
type Samples = readonly BatchPart<{ readonly views: Tensor; readonly indices: Tensor }>[];

/** A run of {@linkcode pretrain} with its optimizer at hand, for whoever saves and restores states. */
export class Pretraining {
  /** Optimizer of the model. */
  readonly optimizer: Optimizer;
  /** Gradient scaler of mixed precision; null in full precision. */
  readonly scaler: GradScaler | null;
  #data: PretrainData;
  #config: ResolvedConfig;
  #schedule: CosineAnnealingLR;
  #metrics: MetricRing;
  #sizes: readonly number[];
  #objective: Objective;
  #steps: TrainingSteps;
  #microBatch: number | null;
  #tuned = false;

  /** Checks everything and makes the optimizer. */
  constructor(model: Contrastive, data: PretrainData, settings: PretrainConfig) {
    const config = resolveConfig(settings);
    checkPretrain(data, config);
    checkModel(model, config);
    const { batchSize, dropLast, printEvery, group, profile, compile, beforeFirstStep } = config;
    const { optimizer, schedule } = makeOptimizer(model.parameters(), config);
    this.optimizer = optimizer;
    this.#schedule = schedule;
    this.#data = data;
    this.#config = config;
    this.#sizes = batchSizes(data.source.length, batchSize, dropLast, group.size);
    const { device } = model.parameters()[0]!;
    this.scaler = config.precision !== "full" ? new GradScaler({ device }) : null;
    const waiting = Math.min(printEvery, Math.max(1, this.#sizes.length)); // they are read at the end of an epoch too
    const metrics = this.#metrics = new MetricRing(device, ["loss", "centroid_square"], waiting);
    const objective = this.#objective = new Objective(model, config, this.scaler, sizesOf(data.source, config.views));
    this.#microBatch = config.microBatch ?? null;
    const joint = config.batchStatistics === "batch";
    this.#steps = new TrainingSteps({ objective, optimizer, metrics, profile, compile, joint, beforeFirstStep });
  }

  /** Steps so far that were replayed instead of made anew. */
  get replays(): number {
    return this.#steps.replays;
  }

  /** Trains from `config.start` to the end, or until the signal. */
  async *reports(): AsyncGenerator<PretrainReport> {
    const { epochs, start, group, lossScope: scope } = this.#config;
    const { model } = this.#objective;
    model.train();
    await this.chooseMicroBatch();
    if (group.size > 1) {
      const { optimizer, scaler } = this;
      this.#objective.join(await DataParallel.open(group, model, { scope, optimizer, scaler }));
    }
    const clock = new Clock();
    for (let epoch = start.epoch; epoch < epochs && !this.#agree(0).stop; epoch++) {
      this.#schedule.epoch = epoch;
      yield* this.#epoch(epoch, epoch === start.epoch ? start.step : 0, clock);
    }
  }

  /** Reads back what the method keeps beside the weights, for a checkpoint: nothing for most. */
  readBeside(): Promise<StateDict> {
    return this.#objective.state.read();
  }

  /**
   * Restores what a checkpoint has beside the weights.
   *
   * @throws {TypeError} If it lacks what the method needs.
   */
  loadBeside(beside?: StateDict): void {
    this.#objective.state.load(beside);
  }

  /** Frees the optimizer's state, and the queue of the method. */
  dispose(): void {
    this.#objective.state.dispose();
    this.#ranks.dispose();
    this.#steps.dispose();
    this.#metrics.dispose();
    this.scaler?.dispose();
    this.optimizer.dispose();
  }

  get #ranks(): Ranks {
    return this.#objective.ranks;
  }

  /**
   * Samples that a rank encodes at once: those of `config.microBatch`, or as many as the adapters of all ranks take and
   * at most `most`. Called by {@linkcode Pretraining.reports}; before it where the number matters.
   */
  async chooseMicroBatch(most = Infinity): Promise<number> {
    const { batchSize, views, group } = this.#config;
    const { size, local } = this.#data.source;
    if (this.#microBatch === null && size !== undefined) {
      const shape = { batchSize: this.#sizes[0]!, views, size, local, mixed: this.scaler !== null };
      const model = this.#objective.model.train();
      this.#microBatch = Math.min(most, await withoutDraws(model, () => microBatchOf(model, shape, group)));
    }
    return this.#microBatch ??= batchSize;
  }

  async *#epoch(epoch: number, done: number, clock: Clock): AsyncGenerator<PretrainReport> {
    const { printEvery, profile } = this.#config;
    const steps = this.#sizes.length;
    const throttle = new Throttle(this.#metrics.device);
    let step = done;
    profile?.begin("views");
    for await (const { samples, planned } of this.#batches(epoch, done)) {
      const agreed = this.#agree(countOf(samples.map(({ rows }) => rows.length)), planned);
      await this.#tune(samples, agreed);
      this.#objective.state.progress((epoch + step / steps) / this.#config.epochs);
      await this.#step(samples, planned, agreed);
      for (const { made } of samples) for (const each of Object.values(made)) each.dispose();
      clock.count(countOf(agreed.counts));
      await throttle.stepped();
      const epochDone = ++step === steps;
      const stopped = agreed.stop;
      if (this.#metrics.pending >= printEvery || epochDone || stopped) {
        const { loss, centroid_square } = this.#averages(await this.#metrics.read(), epoch + 1, step);
        throttle.waited();
        if (epochDone || stopped) await this.#ranks.verify();
        const next = epochDone ? { epoch: epoch + 1, step: 0 } : { epoch, step };
        const cost = this.#ranks.cost();
        yield {
          epoch: epoch + 1,
          step,
          steps,
          loss,
          centroid_square,
          lr: this.optimizer.lr,
          epochDone,
          next,
          ...clock.read(),
          ...cost,
        };
      }
      if (stopped) return;
      profile?.begin("views");
    }
  }

  /** The batches of an epoch from a step on, in parts of this rank's, and how many these were to be. */
  async *#batches(epoch: number, done: number): AsyncGenerator<{ samples: Samples; planned: number }> {
    const { views, seed, group } = this.#config;
    const { source } = this.#data;
    const sizes = this.#sizes.slice(done);
    const order = shuffled(source.length, key(seed, 0, epoch)).subarray(countOf(this.#sizes.slice(0, done)));
    const whole = { order, sizes, epoch, seed, views };
    const plan = this.#ranks.part(whole);
    const counts = sizes.map((size) => partCount(size, group.size, this.#microBatch!));
    const parts = plan.sizes.map((size, i) => split(size, counts[i]!));
    const held = (views: Tensor, { indices }: ViewBatch) => ({
      views: keep(views.alias()),
      indices: keep(indices!.alias()),
    });
    let i = 0;
    for await (const samples of partsOfBatches(source, plan, parts, held)) yield { samples, planned: counts[i++]! };
  }

  /** One step: nothing when a batch has no pair of samples that could be read. */
  async #step(samples: Samples, planned: number, agreed: StepAgreement): Promise<void> {
    if (!agreed.trains) return;
    using _ = scope();
    const parts = this.#ranks.parts(samples.map(({ made }) => made.views), planned);
    await this.#steps.run({ parts, prior: this.#prior(samples), agreed });
  }

  /** Agrees with the other ranks on the samples of a step, and whether to stop after it. */
  #agree(samples: number, parts = 1): StepAgreement {
    const stop = this.#config.signal?.aborted ?? false;
    return this.#ranks.agree(samples, stop, Math.max(2, parts));
  }

  /** Tunes before the step of the first full batch. */
  async #tune(samples: Samples, agreed: StepAgreement): Promise<void> {
    const { tuning, batchSize, profile } = this.#config;
    if (!tuning || this.#tuned || countOf(agreed.counts) !== batchSize) return;
    this.#tuned = true;
    const { views } = samples[0]!.made;
    const objective = this.#objective;
    const loss = () =>
      samples.length > 1
        ? objective.lossOfPart(views)
        : objective.losses(objective.embed([views]), this.#prior(samples), agreed).loss;
    const name = `pretrain ${views.shape} ${this.#data.prior?.shape[1] ?? 0} ${
      this.scaler ? this.#config.precision : "f32"
    }`;
    await tuneFor(loss, objective.model, this.optimizer, { ...tuning, device: this.#metrics.device, name });
    profile?.begin("views");
  }

  /** The prior of the samples that the loss compares. */
  #prior(samples: Samples): Tensor | null {
    const { prior } = this.#data;
    if (!prior) return null;
    const own = samples.length === 1 ? samples[0]!.rows : Uint32Array.from(samples.flatMap(({ rows }) => [...rows]));
    const all = this.#ranks.rows(own);
    return priorRows(prior, all, all === samples[0]!.rows ? samples[0]!.made.indices : null);
  }

  /** Means of what the steps since the last report measured, over all ranks. */
  #averages(
    rows: readonly Record<string, number>[],
    epoch: number,
    step: number,
  ): { loss: number; centroid_square: number } {
    if (rows.length === 0) return { loss: NaN, centroid_square: NaN }; // no batch since the last report could be read
    const average = (name: string) => rows.reduce((sum, row) => sum + row[name]!, 0) / rows.length;
    const own = [average("loss"), average("centroid_square")];
    const [loss, centroid_square] = this.#ranks.means(own) as [number, number];
    if (Number.isFinite(loss)) return { loss, centroid_square };
    throw new LossNotFiniteError(
      `Cannot go on as the loss is not finite in epoch ${epoch}, steps ${step - rows.length + 1} to ${step}: ` +
        `got ${
          rows.map((row) => row.loss).join(", ")
        }; try a smaller --lr (lr), or a larger --lambda (ridge) if a prior is used`,
    );
  }
}
