import type { Device } from "../../../mod.ts";
import { key } from "../../../mod.ts";
import type { ImageDataset } from "../../../src/data/mod.ts";
import { type JobEvent, type JobInput, type JobSettings, pretrainJob } from "../../../src/jobs/mod.ts";
import { uniformNumbers } from "../../../src/tensor/internal.ts";
import { SETTINGS, smallDataset } from "../../train/_small.ts";

/** Makes what runs a job on small images to its end, with changed settings or more input, and gives its events. */
export function runner(device: Device) {
  return async (
    saveDir: string,
    changes: Partial<JobSettings> = {},
    more: Partial<JobInput> = {},
  ): Promise<JobEvent[]> => {
    const settings = { ...SETTINGS, ...changes };
    const events: JobEvent[] = [];
    const input = { device, dataset: smallDataset(20), heldOut: smallDataset(9), settings, saveDir, ...more };
    for await (const event of pretrainJob(input)) events.push(event);
    return events;
  };
}

/** The data set with a prior of random numbers. */
export function withPrior(dataset: ImageDataset, dim: number): ImageDataset {
  return { ...dataset, prior: { data: uniformNumbers(dataset.length * dim, key(8)), dim } };
}

/** Types of events, in order. */
export function types(events: readonly JobEvent[]): string {
  return events.map(({ type }) => type).join(" ");
}
