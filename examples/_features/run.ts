import { checkDatasetFlags, ProgressDisplay, StopSignals, UsageError } from "../../src/cli/mod.ts";
import { type ImageDataset, takeFirst, writeDemo } from "../../src/data/mod.ts";
import { parseDecimal } from "../../src/formats/internal.ts";
import { firstBeforeOthers, openCommunicator } from "../../src/distributed/mod.ts";
import type { ImageEncoder } from "../../src/encoders/mod.ts";
import { makeFeatures, type MakeFeaturesOptions } from "../../src/jobs/mod.ts";
import { DATASETS, loadByName } from "./datasets.ts";

/** Values of the shared flags. */
export interface FeatureFlags {
  readonly db: string;
  readonly root: string | undefined;
  readonly split: string;
  readonly demo: boolean;
  readonly limit: number | undefined;
  readonly out: string | undefined;
  readonly batch_size: number;
  readonly workers: number;
  readonly distributed: boolean;
}

/**
 * Encodes a data set and shows how it goes; Ctrl-C keeps what is done. Ranks of an MPI launcher share the images, and the
 * first one writes and shows.
 */
export async function runFeatures(flags: FeatureFlags, open: () => Promise<ImageEncoder>): Promise<void> {
  const { db, demo, workers, batch_size: batchSize } = flags;
  const root = flags.root ?? `data/${demo ? "demo/" : ""}${db}`;
  const file = flags.out ?? `${root}/${db}_${flags.split === "train" ? "" : "test_"}prior.npz`;
  const group = openCommunicator({ required: flags.distributed });
  const display = group.rank === 0 ? new ProgressDisplay() : null;
  const dataset = await firstBeforeOthers(group, () => load(flags, root));
  for (const note of dataset.notes) display?.print(note);
  const encoder = await open();
  using stop = new StopSignals({ silent: display === null });
  const onProgress = display ? progressOn(display, dataset.name) : undefined;
  const options = { batchSize, workers, onProgress, signal: stop.signal, group };
  const made = await makeFeatures(encoder, dataset, file, options);
  await group.barrier();
  group.close();
  if (made.complete) display?.print(`Wrote "${file}": prior [${made.done}, ${made.dim}]`);
  else {
    display?.print(`Stopped after ${made.done} of ${dataset.length} images: the same command goes on from there`);
    Deno.exit(stop.status);
  }
}

async function load(flags: FeatureFlags, root: string): Promise<ImageDataset> {
  const { db, demo, limit, split } = flags;
  checkDatasetFlags(db, { ...flags });
  const part = split === "train" ? "train" : "test";
  if (demo) await writeDemo(DATASETS.find((name) => name === db) ?? "custom", root, { train: 36, test: 18 });
  const all = await loadByName(db, root, part, { ...flags });
  return limit === undefined ? all : takeFirst(all, limit);
}

function progressOn(display: ProgressDisplay, label: string): MakeFeaturesOptions["onProgress"] {
  let started = false;
  return ({ done, total, resumed }) => {
    if (!started && resumed > 0) display.print(`${resumed} of ${total} images were done by an earlier run`);
    if (!started) display.restart(resumed / total);
    started = true;
    display.update({ label, done: done / total, values: [["images", `${done}/${total}`]] });
  };
}

/** A flag that has no default. */
export function required(name: string, value: string | undefined): string {
  if (value !== undefined) return value;
  throw new UsageError(`Cannot run without --${name}: give a file (--help tells which)`);
}

/** Refuses flags that say nothing of an encoder. */
export function refuse(values: Readonly<Record<string, unknown>>, names: readonly string[], encoder: string): void {
  const given = names.find((name) => values[name] !== undefined);
  if (given === undefined) return;
  const is = encoder.endsWith(".onnx") ? "weights, and a .onnx file is a graph" : "a graph, a .onnx file";
  throw new UsageError(`Cannot use --${given} with "${encoder}" as it is of ${is}`);
}

/** Three numbers of a flag such as `0.5,0.5,0.5`. */
export function channels(name: string, text: string | undefined): [number, number, number] | undefined {
  if (text === undefined) return undefined;
  const values = text.split(",").map((value) => parseDecimal(value) ?? NaN);
  const isRight = (value: number) => Number.isFinite(Math.fround(value)) && (name !== "std" || Math.fround(value) > 0);
  if (values.length === 3 && values.every(isRight)) return values as [number, number, number];
  const kind = name === "std" ? "numbers > 0" : "numbers";
  throw new UsageError(`Cannot read --${name} as it must be three ${kind} with commas: got "${text}"`);
}
