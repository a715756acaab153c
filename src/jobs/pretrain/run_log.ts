import type { EventValue } from "../../formats/internal.ts";
import type { TrainingPosition } from "../../checkpoints/mod.ts";
import type { RunFolder } from "./run_folder.ts";
import { EventLog } from "../tensorboard/event_log.ts";
import { histogramOf } from "../tensorboard/histogram_of.ts";
import { type ProjectedImages, writeProjector } from "../tensorboard/projector.ts";
import type { KernelView } from "./kernel_view.ts";
import { type MetricsLine, secondsOf } from "./metrics_line.ts";

/** Entries of a line that say when, and not what was measured. */
const WHEN = new Set(["epoch", "step", "steps", "seconds", "demo"]);

/** Options of {@linkcode RunLog}. */
export interface RunLogOptions {
  /** Steps of an epoch. */
  readonly steps: number;
  /** Whether TensorBoard's files are written beside `metrics.jsonl`. */
  readonly tensorboard: boolean;
}

/** Measurements of a run: the lines of `metrics.jsonl` and, where they are asked for, TensorBoard's events. */
export class RunLog {
  readonly #folder: RunFolder;
  readonly #options: RunLogOptions;
  #events: EventLog | null = null;
  #lines: MetricsLine[] = [];

  /** Prepares the log of a folder. */
  constructor(folder: RunFolder, options: RunLogOptions) {
    this.#folder = folder;
    this.#options = options;
  }

  /** Measurements so far. */
  get lines(): readonly MetricsLine[] {
    return this.#lines;
  }

  /** Goes back to a position: later measurements are about to be made again. Returns the seconds until then. */
  async rewind(to: TrainingPosition): Promise<number> {
    this.#lines = await this.#folder.rewindMetrics(to);
    const { output } = this.#folder;
    if (output && this.#options.tensorboard) {
      this.#events = await EventLog.open(output, to.epoch * this.#options.steps + to.step);
      for (const line of this.#lines) this.#events.add(this.#stepOf(line), valuesOf(line));
    }
    return secondsOf(this.#lines);
  }

  /** Adds a line. */
  append(line: MetricsLine): void {
    this.#lines.push(line);
    this.#folder.appendMetrics(line);
    this.#events?.add(this.#stepOf(line), valuesOf(line));
  }

  /** Adds the histogram of the kernel between different images. */
  addKernel({ gram, size }: KernelView): void {
    this.#addHistogram(0, "kernel", gram.filter((_, i) => i % (size + 1) !== 0));
  }

  /** Whether {@linkcode RunLog.addFeatures} writes anything. */
  get takesFeatures(): boolean {
    return this.#events !== null;
  }

  /** Adds the histogram of features after an epoch, and writes them for the projector. */
  async addFeatures(epoch: number, images: ProjectedImages): Promise<void> {
    this.#addHistogram(epoch * this.#options.steps, "features", images.features.data);
    if (this.#folder.output) await writeProjector(this.#folder.output, images);
  }

  #addHistogram(step: number, tag: string, values: ArrayLike<number>): void {
    const histogram = histogramOf(values);
    if (histogram) this.#events?.add(step, { [tag]: histogram });
  }

  /** Steps since the start of the run. */
  #stepOf({ epoch, step }: MetricsLine): number {
    return (Number(epoch) - 1) * this.#options.steps + Number(step);
  }
}

function valuesOf(line: MetricsLine): Record<string, EventValue> {
  return Object.fromEntries(
    Object.entries(line).flatMap(([name, value]) =>
      typeof value === "number" && !WHEN.has(name) ? [[name, value]] : []
    ),
  );
}
