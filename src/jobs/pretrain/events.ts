import type { ImageDataset } from "../../data/mod.ts";
import type { Device } from "../../device/mod.ts";
import type { Communicator } from "../../distributed/mod.ts";
import type { TuneOptions } from "../../tune/mod.ts";
import type { PretrainReport } from "../../train/mod.ts";
import type { TrainingPosition } from "../../checkpoints/mod.ts";
import type { StepTimes } from "./profile.ts";
import type { Provenance } from "../provenance.ts";
import type { JobSettings } from "./settings.ts";

/** Facts about a job that are known before it starts; its date is that of the last start. */
export interface JobFacts extends Provenance {
  /** Description of the adapter. */
  readonly device: string;
  /** Number of training images. */
  readonly images: number;
  /** Number of held-out images. */
  readonly held_out: number;
  /** Number of classes, or of labels an image. */
  readonly classes: number;
  /** Columns of the prior; 0 without one. */
  readonly prior_columns: number;
  /** Number of parameters of encoder and head. */
  readonly parameters: number;
  /** Version of Deno. */
  readonly deno: string;
}

/** Input of {@linkcode pretrainJob}. */
export interface JobInput {
  /** Device that trains. */
  readonly device: Device;
  /** Images to learn from, with their prior when a kernel is set. */
  readonly dataset: ImageDataset;
  /** Held-out images for evaluation; null: none, the training images are then judged by each other. */
  readonly heldOut: ImageDataset | null;
  /** Settings. */
  readonly settings: JobSettings;
  /** Folder of the run. */
  readonly saveDir: string;
  /** Checkpoint to go on from; by default the last one in `saveDir`, if there is one. */
  readonly resume?: string;
  /** Stops after the step that is under way and saves. */
  readonly signal?: AbortSignal;
  /** Options of tuning for the adapter at the first step; no tuning by default. */
  readonly tuning?: TuneOptions;
  /**
   * Takes how many of a step's shaders are compiled, where a software adapter must compile them before the first step;
   * Workers then do so side by side. By default they are compiled where they are run first.
   */
  readonly onCompiling?: (done: number, total: number) => void;
  /** Takes `report.html` each time that it is drawn; it is drawn within epochs then too, for a twentieth of the time. */
  readonly onPage?: (page: string) => void;
  /** The processes that train together; only the first one writes. This one alone by default. */
  readonly group?: Communicator;
}

/** Scores of classification by neighbours: shares where an image has one class, an area where it has several labels. */
export type KnnMetrics =
  | { readonly knn_top1: number; readonly knn_top5: number }
  | { readonly knn_mean_auroc: number };

/** Metrics of an evaluation, as `metrics.jsonl` has them. */
export type EvaluationMetrics = KnnMetrics & {
  /** Images that were classified. */
  readonly queries: number;
  /** Seconds that the evaluation took. */
  readonly evaluation_seconds: number;
};

/** Events of a job as it goes. */
export type JobEvent =
  | { readonly type: "note"; readonly message: string }
  | { readonly type: "start"; readonly steps: number; readonly position: TrainingPosition; readonly facts: JobFacts }
  | ({ readonly type: "step" } & PretrainReport)
  | { readonly type: "saved"; readonly path: string; readonly position: TrainingPosition }
  | ({ readonly type: "evaluated"; readonly epoch: number } & EvaluationMetrics)
  | { readonly type: "end"; readonly complete: boolean; readonly path: string; readonly profile: StepTimes | null };
