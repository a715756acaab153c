import { Device } from "../device/mod.ts";
import { type Communicator, firstBeforeOthers, openCommunicator } from "../distributed/mod.ts";
import { type ImageDataset, loadPrior, takeFirst, writeDemo } from "../data/mod.ts";
import {
  describeRanks,
  type JobInput,
  type JobSettings,
  medianSigmaOf,
  pretrainJob,
  RunFolder,
  userTuneFiles,
  wantsTuning,
} from "../jobs/mod.ts";
import type { TuneOptions } from "../tune/mod.ts";
import { decodeOnce } from "./decode_once.ts";
import { JobDisplay } from "./job_display.ts";
import { LiveReport } from "./live_report.ts";
import { parsePretrain, type PretrainFlags } from "./pretrain_flags.ts";
import { withoutEffect } from "./original_flags.ts";
import type { PretrainProgram } from "./pretrain_program.ts";
import { StopSignals } from "./stop_signals.ts";

/** Images of a demo. */
const DEMO_SIZE = { train: 512, test: 256 } as const;

/** Runs a pre-training program: reads flags, loads images and prior, trains, shows. Ctrl-C saves and ends. */
export async function pretrainMain(args: readonly string[], program: PretrainProgram): Promise<void> {
  const flags = parsePretrain(args, program);
  if (!flags) return;
  const { values } = flags;
  const group = openCommunicator({ required: values.distributed });
  const display = displayOf(group, flags);
  for (const message of withoutEffect(args)) display.note(message);
  using stop = new StopSignals({ json: values.json, silent: group.rank > 0 });
  if (group.rank === 0) (await RunFolder.open(values.save_dir))[Symbol.dispose]();
  const { dataset, heldOut } = await firstBeforeOthers(group, () => loadImages(program, flags, display, stop));
  await using device = await Device.open();
  display.watch(device);
  if (group.size > 1) { for (const message of describeRanks(group, device)) display.note(message); }
  const input = {
    device,
    dataset: await decodeOnce(device, dataset, {
      imageSize: program.imageSize,
      workers: flags.settings.workers,
      onProgress: (done) => display.decoding(done, dataset.length),
    }),
    heldOut,
    settings: await withSigma(device, dataset, flags, display),
    saveDir: values.save_dir,
    resume: values.resume === "auto" ? undefined : values.resume,
    signal: stop.signal,
    group,
    tuning: tuningOf(device, display),
    onCompiling: display.compiling.bind(display),
  };
  await train(input, display, group.rank === 0 && values.watch ? startLive(program, flags, display) : null);
  await group.barrier();
  group.close();
  if (stop.signal.aborted) Deno.exit(stop.status);
}

/** Trains, and ends the live report with the run, however that ends. */
async function train(input: JobInput, display: JobDisplay, report: LiveReport | null): Promise<void> {
  await using live = report;
  for await (const event of pretrainJob({ ...input, onPage: live?.show.bind(live) })) display.show(event);
}

/** Serves the report while the run goes on. */
function startLive({ title }: PretrainProgram, { values }: PretrainFlags, display: JobDisplay): LiveReport {
  const live = LiveReport.start({ port: values.watch_port, title: `Pre-training on ${title}` });
  display.note(`Live report: ${live.url}`);
  return live;
}

/** Loads, and downloads or writes what is missing. */
async function loadImages(program: PretrainProgram, flags: PretrainFlags, display: JobDisplay, stop: StopSignals) {
  const { demo, root } = flags.values;
  if (demo) {
    display.note(`Demo: ${DEMO_SIZE.train} emoji images in the layout of ${program.title}, in "${root}"`);
    await writeDemo(program.db, root, DEMO_SIZE);
  }
  const dataset = await loadTraining(program, flags, display, stop);
  return { dataset, heldOut: await load(program, flags, "test", display, stop) };
}

/** Shows what happens; on ranks but the first, nothing. */
function displayOf({ rank }: Communicator, { values, settings }: PretrainFlags): JobDisplay {
  return rank === 0
    ? new JobDisplay({ json: values.json, settings })
    : new JobDisplay({ json: true, settings, log: () => {} });
}

/** Returns the options of autotuning for the adapter; undefined where `TUNE=0` turns it off. */
function tuningOf({ info }: Device, display: JobDisplay): TuneOptions | undefined {
  if (!wantsTuning(info.family)) return undefined;
  return {
    store: userTuneFiles(),
    onStart: (n) =>
      display.note(`Tuning ${n} shapes, once for this adapter (${info.description}); TUNE=0 turns it off`),
    onNote: (message) => display.note(message),
  };
}

/** The settings, with the median distance of priors as σ where that is asked for. */
async function withSigma(
  device: Device,
  { prior }: ImageDataset,
  { settings, medianSigma }: PretrainFlags,
  display: JobDisplay,
): Promise<JobSettings> {
  if (!medianSigma || !prior) return settings;
  const sigma = await medianSigmaOf(device, prior);
  display.note(`--sigma median is ${sigma}: the median distance of two priors`);
  return { ...settings, sigma };
}

/** Training images with their prior, cut to the first ones where asked to. */
async function loadTraining(
  program: PretrainProgram,
  flags: PretrainFlags,
  display: JobDisplay,
  stop: StopSignals,
): Promise<ImageDataset> {
  const { root, prior: file } = flags.values;
  const all = await load(program, flags, "train", display, stop);
  if (!all) throw new Deno.errors.NotFound(`Cannot load ${program.title} from "${root}": it has no training images`);
  let dataset = all;
  if (flags.usesPrior) {
    const prior = program.loadPrior && file === undefined
      ? await program.loadPrior(root, all)
      : await loadPriorFile(program, flags, all);
    dataset = { ...all, prior, notes: [...all.notes, ...prior.notes] };
  }
  return flags.settings.limit === null ? dataset : takeFirst(dataset, flags.settings.limit);
}

async function loadPriorFile({ db, title }: PretrainProgram, { values }: PretrainFlags, dataset: ImageDataset) {
  const file = values.prior ?? `${values.root}/${db}_prior.npz`;
  const found = await Deno.stat(file).then(({ isFile }) => isFile, () => false);
  const columns = values.prior_columns?.split(",").map((name) => name.trim());
  if (found) return await loadPrior(file, dataset, { columns });
  throw new Deno.errors.NotFound(
    `Cannot load the prior of ${title}: "${file}" is absent; put an array "prior" [${dataset.length}, d] there ` +
      `(--prior names another file), or give --kernel none to train without a prior`,
  );
}

async function load(
  { title, db, load }: PretrainProgram,
  { values, own }: PretrainFlags,
  split: "train" | "test",
  display: JobDisplay,
  stop: StopSignals,
): Promise<ImageDataset | null> {
  try {
    const onProgress = display.obtaining.bind(display);
    return await load(values.root, { split, flags: own, onProgress, signal: stop.signal });
  } catch (error) {
    if (stop.signal.aborted) Deno.exit(stop.status);
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    if (split === "test") {
      display.note(`No test images, so evaluations judge the training images by each other: ${error.message}`);
      return null;
    }
    throw new Deno.errors.NotFound(
      `${error.message}; to try the program without ${title}: deno run -A examples/${db}.ts --demo`,
      { cause: error },
    );
  }
}
