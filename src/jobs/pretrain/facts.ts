import type { Contrastive } from "../../nn/mod.ts";
import type { Provenance } from "../provenance.ts";
import type { JobFacts, JobInput } from "./events.ts";

/** Counts of a job and what made it, for its files. */
export function factsOf(
  { device, dataset, heldOut, by }: JobInput & { readonly by: Provenance },
  model: Contrastive,
): JobFacts {
  return {
    device: device.info.description,
    images: dataset.length,
    held_out: heldOut?.length ?? 0,
    classes: dataset.classes.length,
    prior_columns: dataset.prior?.dim ?? 0,
    parameters: model.parameters().reduce((sum, { size }) => sum + size, 0),
    deno: Deno.version.deno,
    ...by,
  };
}
