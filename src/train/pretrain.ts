import { autocast, backward, noGrad } from "../autograd/mod.ts";
import { compile, type Compiled } from "../compile/mod.ts";
import { centroidWeights } from "../kernels/mod.ts";
import { decoupledUniformityMetrics } from "../losses/mod.ts";
import type { Contrastive } from "../nn/mod.ts";
import { cast } from "../ops/mod.ts";
import { type CosineAnnealingLR, GradScaler, type Optimizer } from "../optim/mod.ts";
import { key, scope, shuffled, type Tensor } from "../tensor/mod.ts";
import { DataParallel, type StepAgreement } from "./data_parallel.ts";
import { priorRows } from "./host_prior.ts";
import { MetricRing } from "./metric_ring.ts";
import { batchSizes, countOf, type ViewBatch } from "../data/mod.ts";
import { checkPretrain, LossNotFiniteError, makeOptimizer } from "./pretrain_parts.ts";
import { Clock, Throttle } from "./step_clock.ts";
import { tuneFor } from "./pretrain_tuning.ts";
import type { PretrainConfig, PretrainData, PretrainReport } from "./config.ts";

/**
 * Trains an encoder and its head with the decoupled uniformity loss, and reports as it goes. Nothing is read back
 * between reports. Leaving the loop early leaves the model as it is.
 *
 * @param model Trained in place.
 * @param data Samples, and their prior when `config.kernel` is set.
 * @throws {TypeError} If a kernel is set without a prior or a prior without a kernel, or their rows differ.
 * @throws {RangeError} If there are too few samples, a setting is out of range, or the loss is not finite.
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

/** A run of {@linkcode pretrain} with its optimizer at hand, for whoever saves and restores states. */
export class Pretraining {
  /** What changes the model. */
  readonly optimizer: Optimizer;
  /** What scales the loss in mixed precision; null in full precision. */
  readonly scaler: GradScaler | null;
  #model: Contrastive;
  #data: PretrainData;
  #config: PretrainConfig;
  #schedule: CosineAnnealingLR;
  #metrics: MetricRing;
  #sizes: readonly number[];
  #parallel: DataParallel | null = null;
  #compiled: Compiled<[Tensor, Tensor | null], void>;
  #tuned = false;

  /** Checks everything and makes the optimizer. */
  constructor(model: Contrastive, data: PretrainData, config: PretrainConfig) {
    checkPretrain(data, config);
    const { batchSize = 256, dropLast = false, printEvery = 10, group } = config;
    const { optimizer, schedule } = makeOptimizer(model.parameters(), config);
    this.optimizer = optimizer;
    this.#schedule = schedule;
    this.#model = model;
    this.#data = data;
    this.#config = config;
    this.#sizes = batchSizes(data.source.length, batchSize, dropLast, group?.size);
    const { device } = model.parameters()[0]!;
    this.scaler = config.precision === "mixed" ? new GradScaler({ device }) : null;
    this.#metrics = new MetricRing(device, ["loss", "align"], printEvery);
    this.#compiled = compile((views, prior) => {
      for (const _ of this.#phases(views, prior));
    }, { device });
  }

  /** Steps so far that were replayed instead of made anew. */
  get replays(): number {
    return this.#compiled.replays;
  }

  /** Trains from `config.start` to the end, or until the signal. */
  async *reports(): AsyncGenerator<PretrainReport> {
    const { epochs, start = { epoch: 0, step: 0 }, group, lossScope: scope } = this.#config;
    if (group && group.size > 1) {
      const { optimizer, scaler } = this;
      this.#parallel = await DataParallel.open(group, this.#model, { scope, optimizer, scaler });
    }
    const clock = new Clock();
    this.#model.train();
    for (let epoch = start.epoch; epoch < epochs && !this.#agree(0).stop; epoch++) {
      this.#schedule.epoch = epoch;
      yield* this.#epoch(epoch, epoch === start.epoch ? start.step : 0, clock);
    }
  }

  /** Frees the optimizer's state. */
  dispose(): void {
    this.#parallel?.dispose();
    this.#compiled.dispose();
    this.#metrics.dispose();
    this.scaler?.dispose();
    this.optimizer.dispose();
  }

  async *#epoch(epoch: number, done: number, clock: Clock): AsyncGenerator<PretrainReport> {
    const { views = 2, seed = 0, printEvery = 10, profile } = this.#config;
    const { source } = this.#data;
    const steps = this.#sizes.length;
    const order = shuffled(source.length, key(seed, 0, epoch)).subarray(countOf(this.#sizes.slice(0, done)));
    const throttle = new Throttle(this.#metrics.device);
    let step = done;
    profile?.begin("views");
    const whole = { order, sizes: this.#sizes.slice(done), epoch, seed, views };
    for await (const batch of source.batches(this.#parallel?.part(whole) ?? whole)) {
      const agreed = this.#agree(batch.rows.length);
      await this.#tune(batch, agreed);
      await this.#step(batch, agreed);
      clock.count(countOf(agreed.counts));
      await throttle.stepped();
      const epochDone = ++step === steps;
      const stopped = agreed.stop;
      if (this.#metrics.pending >= printEvery || epochDone || stopped) {
        const { loss, align } = this.#averages(await this.#metrics.read(), epoch, step);
        throttle.waited();
        if (epochDone || stopped) await this.#parallel?.verify();
        const next = epochDone ? { epoch: epoch + 1, step: 0 } : { epoch, step };
        const cost = this.#parallel?.cost();
        yield { epoch, step, steps, loss, align, lr: this.optimizer.lr, epochDone, next, ...clock.read(), ...cost };
      }
      if (stopped) return;
      profile?.begin("views");
    }
  }

  /** How many samples the ranks have for a step, and whether to stop after it. */
  #agree(samples: number): StepAgreement {
    const stop = this.#config.signal?.aborted ?? false;
    return this.#parallel?.agree(samples, stop) ?? { counts: [samples], trains: samples >= 2, stop };
  }

  /** Tunes before the step of the first full batch. */
  async #tune(batch: ViewBatch, agreed: StepAgreement): Promise<void> {
    const { tuning, batchSize = 256 } = this.#config;
    if (!tuning || this.#tuned || countOf(agreed.counts) !== batchSize) return;
    this.#tuned = true;
    const loss = () => this.#losses(batch.views!, this.#prior(batch), agreed).loss;
    const name = `pretrain ${batch.views!.shape} ${this.#data.prior?.shape[1] ?? 0} ${this.scaler ? "mixed" : "f32"}`;
    await tuneFor(loss, this.#model, this.optimizer, { ...tuning, device: this.#metrics.device, name });
    this.#config.profile?.begin("views");
  }

  /** One step: nothing when a batch has no pair of samples that could be read. */
  async #step(batch: ViewBatch, agreed: StepAgreement): Promise<void> {
    const { profile, compile = true } = this.#config;
    if (!agreed.trains) return;
    const { device } = this.#metrics;
    await profile?.end(device);
    using _ = scope();
    const prior = this.#prior(batch);
    if (compile && !profile && !this.#parallel) return this.#compiled(batch.views!, prior);
    for (const phase of this.#phases(batch.views!, prior, agreed)) {
      await profile?.end(device);
      if (phase === "optimiser" && this.#parallel) {
        profile?.begin("communication");
        await this.#parallel.finish();
        await profile?.end(device);
      }
      if (!profile) continue;
      if (phase) profile.begin(phase);
    }
  }

  /** The parts of a step; what is yielded names the part that comes next. */
  *#phases(views: Tensor, prior: Tensor | null, agreed?: StepAgreement): Generator<string | null> {
    this.#config.profile?.begin("forward");
    const { loss, alignment } = this.#losses(views, prior, agreed);
    yield "backward";
    (this.#parallel ?? { backward }).backward(this.scaler?.scale(loss) ?? loss);
    this.#metrics.push([loss, alignment]);
    yield "optimiser";
    this.optimizer.step(this.scaler ?? undefined);
    yield null;
  }

  #losses(views: Tensor, prior: Tensor | null, agreed?: StepAgreement): { loss: Tensor; alignment: Tensor } {
    const { kernel, ridge = 0.01, t = 2 } = this.#config;
    const weights = prior && kernel ? noGrad(() => centroidWeights(prior, { kernel, ridge })) : undefined;
    const embed = () => this.#model.forward(views);
    const own = this.scaler ? cast(autocast(embed, { device: views.device }), "f32") : embed();
    const z = this.#parallel?.embeddings(own, agreed!) ?? own;
    return decoupledUniformityMetrics(z, { weights, t });
  }

  /** The prior of the samples that the loss compares. */
  #prior({ rows, indices }: ViewBatch): Tensor | null {
    const { prior } = this.#data;
    if (!prior) return null;
    const all = this.#parallel?.rows(rows) ?? rows;
    return priorRows(prior, all, all === rows ? indices : null);
  }

  /** Means of what the steps since the last report measured, over all ranks. */
  #averages(rows: readonly Record<string, number>[], epoch: number, step: number): { loss: number; align: number } {
    if (rows.length === 0) return { loss: NaN, align: NaN }; // no batch since the last report could be read
    const average = (name: string) => rows.reduce((sum, row) => sum + row[name]!, 0) / rows.length;
    const own = [average("loss"), average("align")];
    const [loss, align] = (this.#parallel?.means(own) ?? own) as [number, number];
    if (Number.isFinite(loss)) return { loss, align };
    throw new LossNotFiniteError(
      `Cannot go on as the loss is not finite in epoch ${epoch}, steps ${step - rows.length + 1} to ${step}: ` +
        `got ${rows.map((row) => row.loss).join(", ")}; try a smaller lr, or a larger ridge if a prior is used`,
    );
  }
}
