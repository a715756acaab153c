import { broadcastJson, type Communicator } from "../../distributed/mod.ts";
import { groupOf } from "../../distributed/internal.ts";
import type { Contrastive } from "../../nn/mod.ts";
import type { Tensor } from "../../tensor/mod.ts";
import {
  captureCheckpoint,
  restoreCheckpoint,
  type TrainingPosition,
  WeightsNotFiniteError,
} from "../../checkpoints/mod.ts";
import { type HostPrior, LossNotFiniteError, Pretraining, StepProfile } from "../../train/mod.ts";
import { makeModel, METHODS } from "../../methods/mod.ts";
import { divisionNote } from "../../train/internal.ts";
import { compileAhead } from "../compile_ahead.ts";
import { checkRanks, checkStart } from "../distributed_start.ts";
import { encodeSome, evaluateKnn, isEvaluated, judgedImages } from "./evaluate_knn.ts";
import { batchSizes, imageSource, type ViewSource } from "../../data/mod.ts";
import { chanceOf } from "./chance.ts";
import { dataFacts } from "./data_facts.ts";
import { factsOf } from "./facts.ts";
import { recipeOf, trainingConfig } from "./from_settings.ts";
import type { JobEvent, JobFacts, JobInput } from "./events.ts";
import { type KernelView, viewKernel } from "./kernel_view.ts";
import { priorOf, uploadPrior } from "./prior.ts";
import { profileOf } from "./profile.ts";
import { ReportFile } from "./report_file.ts";
import { knownMicroBatch, learningSettings } from "./settings.ts";
import { startingPoint } from "./starting_point.ts";
import { evaluationMetrics, metricsLine } from "./metrics_line.ts";
import { RunLog } from "./run_log.ts";
import { type FoundCheckpoint, RunFolder } from "./run_folder.ts";
import { UnreadableImages } from "./unreadable.ts";
import { type Provenance, provenance } from "../provenance.ts";
import { writeEncoder } from "./write_encoder.ts";

/**
 * Pre-trains, evaluates, saves and reports; a run that was stopped, at whatever moment, goes on exactly where its last
 * checkpoint was. See {@linkcode RunFolder} for the files.
 *
 * @throws {TypeError} If the settings are not those of the run in the folder, or a checkpoint is of another network.
 * @throws {RangeError} If a held-out image has a class that no training image can have, where evaluations are wanted.
 * @throws {SyntaxError} If no checkpoint of the folder can be read, though there are some.
 * @throws {LossNotFiniteError} If the loss becomes NaN or infinite; the last good state is on disk then.
 */
export async function* pretrainJob(given: JobInput): AsyncGenerator<JobEvent> {
  const { heldOut, notes } = judgedImages(given);
  const group = groupOf(given);
  const input = { ...given, heldOut, group, by: await provenance() };
  const { settings, dataset } = input;
  await checkRanks(group, settings, [dataset, heldOut]);
  using folder = await RunFolder.open(input.saveDir, { writes: group.rank === 0 });
  let found = await startingPoint(folder, input, group);
  const position = found?.checkpoint.position ?? { epoch: settings.start_epoch, step: 0 };
  checkStart(group, position);
  if (found?.path === folder.file("next.safetensors")) found = { ...found, path: await folder.promote() };
  const job = new Job(input, folder, found, position);
  try {
    for (const message of notes) yield { type: "note", message };
    yield* job.events();
  } finally {
    job.dispose();
  }
}

/** Input of a job with its group resolved, and what runs it. */
type GroupInput = JobInput & { readonly group: Communicator; readonly by: Provenance };

class Job {
  #input: JobInput;
  #group: Communicator;
  #folder: RunFolder;
  #found: FoundCheckpoint | null;
  #model: Contrastive;
  #target: Contrastive | undefined;
  #average: Contrastive | undefined;
  #source: ViewSource;
  #prior: Tensor | HostPrior | undefined;
  #training: Pretraining;
  #profile: StepProfile | undefined;
  #position: TrainingPosition;
  #unreadable: UnreadableImages;
  #log: RunLog;
  #kernel: KernelView | null = null;
  #facts: JobFacts;
  #data: Readonly<Record<string, unknown>>;
  #microBatch = Infinity;
  #secondsBefore = 0;
  #saved = performance.now();
  #report: ReportFile;

  constructor(input: GroupInput, folder: RunFolder, found: FoundCheckpoint | null, position: TrainingPosition) {
    const { device, dataset, settings, signal, group, tuning, onCompiling: onProgress } = input;
    this.#input = input;
    this.#group = group;
    this.#unreadable = new UnreadableImages(group);
    [this.#folder, this.#found] = [folder, found];
    this.#position = position;
    this.#profile = settings.profile ? new StepProfile() : undefined;
    const { network, method, stem, seed, resolution, drop_path: dropPath } = settings;
    const make = (follows = false) => makeModel(network, { stem, seed, resolution, dropPath, method, device, follows });
    this.#model = make();
    this.#target = METHODS[method].targets === "momentum" ? make(true) : undefined;
    this.#average = settings.ema === null ? undefined : make(true);
    this.#source = imageSource(device, dataset, recipeOf(dataset, settings), {
      workers: settings.workers,
      cacheBytes: 1e6 * settings.cache_images,
      onUnreadable: (image) => this.#unreadable.add(image),
    });
    const prior = priorOf(dataset, settings);
    this.#prior = prior && uploadPrior(device, prior);
    this.#training = new Pretraining(this.#model, { source: this.#source, prior: this.#prior }, {
      ...trainingConfig(settings),
      target: this.#target,
      average: this.#average,
      start: this.#position,
      signal,
      group,
      tuning,
      beforeFirstStep: onProgress && (() => compileAhead(device, { onProgress })),
      profile: this.#profile,
    });
    if (found) {
      restoreCheckpoint(found.checkpoint, this.#model, this.#training.optimizer, this.#training.scaler);
      this.#training.loadBeside(found.checkpoint.beside);
    }
    this.#facts = factsOf(input, this.#model);
    this.#data = dataFacts(dataset);
    this.#log = new RunLog(folder, { steps: this.#sizes().length, tensorboard: settings.tensorboard });
    this.#report = new ReportFile(folder, this.#isFirst, input.onPage);
  }

  async *events(): AsyncGenerator<JobEvent> {
    const { settings, dataset } = this.#input;
    for (const message of [...this.#found?.notes ?? [], ...dataset.notes]) yield { type: "note", message };
    await this.#prepare();
    const division = this.#division();
    if (division) yield { type: "note", message: division };
    if (this.#kernel?.description.advice) yield { type: "note", message: this.#kernel.description.advice };
    const steps = this.#sizes().length;
    yield { type: "start", steps, position: this.#position, facts: this.#facts };
    const last = this.#folder.file("last.safetensors");
    if (this.#found?.path !== last) yield await this.#save();
    if (this.#found && this.#position.step === 0) yield* this.#finishEpoch(this.#position.epoch, last);
    try {
      yield* this.#train();
    } catch (error) {
      const notFinite = error instanceof LossNotFiniteError || error instanceof WeightsNotFiniteError;
      if (!notFinite) throw error;
      throw new LossNotFiniteError(`${error.message}; ${this.#lastGood()}`);
    }
    const complete = this.#position.epoch >= settings.epochs;
    if (!complete) yield await this.#save();
    yield await this.#saveEncoder();
    yield* this.#draw();
    yield {
      type: "end",
      complete,
      path: this.#folder.file("last.safetensors"),
      profile: profileOf(this.#profile, this.#source),
    };
  }

  dispose(): void {
    this.#training.dispose();
    for (const each of [this.#source, this.#model, this.#target, this.#average, this.#prior]) each?.dispose();
  }

  async #prepare(): Promise<void> {
    const { device, dataset, settings } = this.#input;
    const known = knownMicroBatch(this.#found?.checkpoint.config, this.#group.size);
    this.#microBatch = await this.#training.chooseMicroBatch(known);
    if (settings.kernel !== null && this.#prior) this.#kernel = await viewKernel(device, dataset, settings);
    await this.#folder.writeText("config.json", `${JSON.stringify({ ...settings, ...this.#facts }, null, 2)}\n`);
    this.#secondsBefore = await this.#log.rewind(this.#position);
    if (this.#kernel) this.#log.addKernel(this.#kernel);
  }

  /** Describes how batches are divided into parts; null where they are not. */
  #division(): string | null {
    const { batch_statistics: statistics } = this.#input.settings;
    const batchSize = this.#sizes()[0]!;
    return divisionNote(this.#model, { batchSize, microBatch: this.#microBatch, ranks: this.#group.size, statistics });
  }

  async *#train(): AsyncGenerator<JobEvent> {
    const { settings } = this.#input;
    for await (const report of this.#training.reports()) {
      this.#position = report.next;
      for (const message of this.#unreadable.messages()) yield { type: "note", message };
      this.#log.append(metricsLine(report, this.#secondsBefore, settings.demo));
      yield { type: "step", ...report };
      if (report.epochDone) yield* this.#endEpoch(report.epoch);
      else if (performance.now() - this.#saved > 60_000 * settings.save_minutes) yield await this.#save();
      else if (this.#report.isWatched && this.#report.isDue()) yield* this.#draw();
    }
  }

  async *#endEpoch(epoch: number): AsyncGenerator<JobEvent> {
    const last = epoch === this.#input.settings.epochs;
    yield await this.#save();
    yield* this.#finishEpoch(epoch);
    if (!last && this.#report.isDue()) yield* this.#draw();
    await this.#group.barrier(); // while rank 0 writes and scores, the others sleep
  }

  /** Runs what follows the save after an epoch; a run that was killed in between makes up for it. */
  async *#finishEpoch(epoch: number, late?: string): AsyncGenerator<JobEvent> {
    const { settings } = this.#input;
    const { save_freq, epochs } = settings;
    const isDue = epoch > 0 && (epoch % save_freq === 0 || epoch === epochs);
    if (isDue && !(late && await this.#folder.has(this.#folder.numbered(epoch)))) {
      yield { type: "saved", path: await this.#folder.keepAs(epoch, late), position: this.#position };
    }
    yield* this.#evaluate(epoch);
    if (this.#log.takesFeatures && isEvaluated(epoch, settings)) {
      const { device, dataset, heldOut } = this.#input;
      await this.#log.addFeatures(
        epoch,
        await encodeSome(device, this.#average ?? this.#model, heldOut ?? dataset, settings),
      );
    }
  }

  async #save(): Promise<JobEvent> {
    const { settings } = this.#input;
    const micro_batch = settings.micro_batch ?? (this.#division() === null ? null : this.#microBatch); // as if not stopped
    const path = await this.#folder.saveLast(
      await captureCheckpoint(this.#model, this.#training.optimizer, {
        network: settings.network,
        position: this.#position,
        config: learningSettings({ ...settings, micro_batch }, this.#group.size, this.#data),
        optimizerKind: settings.optimizer,
        scaler: this.#training.scaler,
        beside: await this.#training.readBeside(),
      }),
    );
    this.#saved = performance.now();
    return { type: "saved", path, position: this.#position };
  }

  /** The encoder alone, for other programs. */
  async #saveEncoder(): Promise<JobEvent> {
    if (this.#isFirst) {
      await this.#training.readBeside(); // an average takes over the counts
      const { encoder } = this.#average ?? this.#model;
      await writeEncoder(this.#folder, encoder, this.#input.settings, this.#position.epoch);
    }
    return { type: "saved", path: this.#folder.file("encoder.safetensors"), position: this.#position };
  }

  /** Samples of the steps of an epoch. */
  #sizes(): number[] {
    const { dataset, settings } = this.#input;
    return batchSizes(dataset.length, settings.batch_size, settings.drop_last, this.#group.size);
  }

  /** Whether this rank writes. */
  get #isFirst(): boolean {
    return this.#group.rank === 0;
  }

  /** Evaluates after an epoch where it is due and was not done before; rank 0 knows. */
  async *#evaluate(epoch: number): AsyncGenerator<JobEvent> {
    const { device, dataset, heldOut, settings } = this.#input;
    const known = this.#log.lines.some((line) => Number(line.epoch) === epoch && "queries" in line);
    const wanted = isEvaluated(epoch, settings) && !known && dataset.labels !== null && !this.#input.signal?.aborted;
    if (!broadcastJson(this.#group, wanted)) return;
    const start = performance.now();
    const data = { gallery: dataset, queries: heldOut };
    const scores = await evaluateKnn(device, this.#average ?? this.#model, data, settings, this.#group);
    if (!scores) return;
    const metrics = evaluationMetrics(scores, (performance.now() - start) / 1000);
    const { demo } = settings;
    this.#log.append({ epoch, step: this.#sizes().length, ...metrics, ...demo ? { demo } : {} });
    yield { type: "evaluated", epoch, ...metrics };
  }

  /** Writes report.html; tells what went wrong, if anything. */
  async *#draw(): AsyncGenerator<JobEvent> {
    const message = await this.#report.write({
      settings: this.#input.settings,
      facts: this.#facts,
      position: this.#position,
      lines: this.#log.lines,
      kernel: this.#kernel,
      chance: chanceOf(this.#input.heldOut ?? this.#input.dataset),
      profile: profileOf(this.#profile, this.#source),
    });
    if (message) yield { type: "note", message };
  }

  /** Explains where to resume after a loss or a weight that is not finite, and what to try. */
  #lastGood(): string {
    const last = this.#folder.file("last.safetensors");
    return `the last good state is "${last}": go on from it with --resume "${last}" --lr ${
      Number((this.#input.settings.lr / 10).toPrecision(3))
    }`;
  }
}
