import { ProgressDisplay, UsageError } from "../../src/cli/mod.ts";
import { takeFirst, writeDemo } from "../../src/data/mod.ts";
import { type ImageEncoder, makeFeatures } from "../../src/train/mod.ts";
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
}

/** Encodes a data set and shows how it goes; Ctrl-C keeps what is done. */
export async function runFeatures(flags: FeatureFlags, open: () => Promise<ImageEncoder>): Promise<void> {
  const { db, demo, limit, workers, batch_size: batchSize } = flags;
  const root = flags.root ?? `data/${demo ? "demo/" : ""}${db}`;
  const part = flags.split === "train" ? "train" : "test";
  const file = flags.out ?? `${root}/${db}_${part === "train" ? "" : "test_"}prior.npz`;
  if (demo) await writeDemo(DATASETS.find((name) => name === db) ?? "custom", root, { train: 36, test: 18 });
  const all = await loadByName(db, demo && db === "custom" ? `${root}/${part}` : root, part);
  const dataset = limit === undefined ? all : takeFirst(all, limit);
  for (const note of dataset.notes) console.error(note);
  const encoder = await open();
  const stop = new AbortController();
  const listener = () => stop.abort();
  Deno.addSignalListener("SIGINT", listener);
  const display = new ProgressDisplay();
  let started = false;
  const onProgress = ({ done, total, resumed }: { done: number; total: number; resumed: number }) => {
    if (!started && resumed > 0) display.print(`${resumed} of ${total} images were done by an earlier run`);
    if (!started) display.restart(resumed / total);
    started = true;
    display.update({ label: dataset.name, done: done / total, values: [["images", `${done}/${total}`]] });
  };
  const made = await makeFeatures(encoder, dataset, file, { batchSize, workers, onProgress, signal: stop.signal });
  Deno.removeSignalListener("SIGINT", listener);
  if (made.complete) display.print(`Wrote "${file}": prior [${made.done}, ${made.dim}]`);
  else {
    display.print(`Stopped after ${made.done} of ${dataset.length} images: the same command goes on from there`);
    Deno.exit(130);
  }
}

/** A flag that has no default. */
export function required(name: string, value: string | undefined): string {
  if (value !== undefined) return value;
  throw new UsageError(`Cannot run without --${name}: give a file (--help tells which)`);
}

/** Three numbers of a flag such as `0.5,0.5,0.5`. */
export function channels(name: string, text: string | undefined): [number, number, number] | undefined {
  if (text === undefined) return undefined;
  const values = text.split(",").map((part) => part.trim() === "" ? NaN : Number(part));
  if (values.length === 3 && values.every(Number.isFinite)) return values as [number, number, number];
  throw new UsageError(`Cannot read --${name} as it must be three numbers with commas: got "${text}"`);
}
