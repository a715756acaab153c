import type { Contrastive } from "../../nn/mod.ts";
import type { JobInput } from "./events.ts";

/** What is known of a job before it starts. */
export interface JobFacts {
  /** Adapter. */
  readonly device: string;
  /** Training images. */
  readonly images: number;
  /** Held-out images. */
  readonly held_out: number;
  /** Classes, or labels an image. */
  readonly classes: number;
  /** Columns of the prior; 0 without one. */
  readonly prior_columns: number;
  /** Parameters of encoder and head. */
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
