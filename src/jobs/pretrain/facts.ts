import type { Contrastive } from "../../nn/mod.ts";
import type { JobFacts, JobInput } from "./events.ts";

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
