import type { Device } from "../../device/mod.ts";
import { type ImageDataset, joinClasses } from "../../data/mod.ts";
import type { Communicator } from "../../distributed/mod.ts";
import type { Contrastive } from "../../nn/mod.ts";
import type { TuneOptions } from "../../tune/mod.ts";
import type { JobFacts } from "./job_report.ts";
import type { Checkpoint, PretrainConfig } from "../../train/mod.ts";
import { differences, initialLr, type JobSettings, kernelOf } from "./job_settings.ts";
import { findCheckpoint, type FoundCheckpoint, type RunFiles } from "../run_folder.ts";

/** What a job needs. */
export interface JobInput {
  /** Where it runs. */
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
  /** Tunes for the adapter at the first step; not by default. */
  readonly tuning?: TuneOptions;
  /** The processes that train together; only the first one writes. This one alone by default. */
  readonly group?: Communicator;
}

/**
 * The checkpoint that a job goes on from; null for a new run. A run that was stopped before its first step has learnt
 * nothing: other settings, such as a smaller batch, begin it anew.
 *
 * @throws {TypeError} If the checkpoint is of another network or of weights only, or of other settings and not asked for.
 */
export async function startingPoint(
  folder: Pick<RunFiles, "path" | "latest">,
  { resume, settings, group }: JobInput,
): Promise<FoundCheckpoint | null> {
  const found = resume === undefined ? await folder.latest() : await findCheckpoint(resume);
  if (!found) return null;
  const { checkpoint: { network, config, position }, path } = found;
  const changed = differences(config, settings, group?.size ?? 1);
  if (resume === undefined && changed.length > 0 && hasLearntNothing(found.checkpoint)) return null;
  if (network !== null && network !== settings.network) {
    throw new TypeError(
      `Cannot resume from "${path}" as it is of --network ${network}: got --network ${settings.network}`,
    );
  }
  if (position === null) {
    throw new TypeError(`Cannot resume from "${path}" as it holds weights only: it does not say which epoch is next`);
  }
  if (changed.length === 0) return found;
  if (resume !== undefined) return { ...found, notes: [...found.notes, `Settings changed: ${changed.join(", ")}`] };
  throw new TypeError(
    `Cannot go on with the run in "${folder.path}" as its settings were others: ${changed.join(", ")}; give another ` +
      `--save_dir for a new run, or --resume "${path}" to go on with new settings`,
  );
}

/** Whether a checkpoint is that of before the first step. */
function hasLearntNothing({ position, optimizer }: Checkpoint): boolean {
  return position?.epoch === 0 && position.step === 0 && optimizer?.steps === 0;
}

/** Held-out images with the classes of the training images, and what to tell of them; null where they cannot be judged. */
export function judgedImages(
  { dataset, heldOut, settings }: Pick<JobInput, "dataset" | "heldOut" | "settings">,
): { heldOut: ImageDataset | null; notes: readonly string[] } {
  if (heldOut === null || dataset.labels === null || settings.eval_every === 0) return { heldOut, notes: [] };
  if (heldOut.labels === null) {
    return {
      heldOut: null,
      notes: [
        `"${heldOut.name}" (${heldOut.split}) has no labels: evaluations judge the training images by each other`,
      ],
    };
  }
  try {
    const joined = joinClasses(heldOut, dataset.classes);
    return { heldOut: joined, notes: joined.notes };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new RangeError(`${error.message} (--eval_every 0 trains without evaluations)`, { cause: error });
  }
}

/** What the training loop is told. */
export function trainingConfig(settings: JobSettings): PretrainConfig {
  return {
    epochs: settings.epochs,
    batchSize: settings.batch_size,
    views: settings.n_views,
    optimizer: settings.optimizer,
    faithfulLars: settings.lars === "faithful",
    lr: initialLr(settings),
    momentum: settings.momentum,
    weightDecay: settings.wd,
    kernel: kernelOf(settings),
    ridge: settings.lambda,
    t: settings.t,
    precision: settings.precision,
    seed: settings.seed,
    dropLast: settings.drop_last,
    printEvery: settings.print_freq,
    lossScope: settings.loss_scope ?? "local",
    microBatch: settings.micro_batch ?? undefined,
    batchStatistics: settings.batch_statistics,
  };
}

/** What is known of a job before it starts. */
export function factsOf({ device, dataset, heldOut }: JobInput, model: Contrastive): JobFacts {
  return {
    device: device.info.description,
    images: dataset.length,
    held_out: heldOut?.length ?? 0,
    classes: dataset.classes.length,
    prior_columns: dataset.prior?.dim ?? 0,
    parameters: model.parameters().reduce((sum, { size }) => sum + size, 0),
    deno: Deno.version.deno,
  };
}
