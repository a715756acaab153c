import type { Contrastive } from "../../nn/mod.ts";
import type { JobInput } from "./events.ts";

/** Facts about a job that are known before it starts. */
export interface JobFacts {
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

/** Counts and versions of a job, for its report. */
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
