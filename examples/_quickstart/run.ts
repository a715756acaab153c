import { arange, Device, squeeze, tensor, tidy } from "../../mod.ts";
import { formatDuration, ProgressDisplay } from "../../src/cli/mod.ts";
import { augment, evalTransform, naturalRecipe, ResidentImages } from "../../src/data/mod.ts";
import { rbf } from "../../src/kernels/mod.ts";
import { type Contrastive, contrastive, ResNet } from "../../src/nn/mod.ts";
import { OutputFolder, safetensorsChunks } from "../../src/formats/mod.ts";
import { pretrain, readState } from "../../src/train/mod.ts";
import { loadQuickstart, type QuickstartData } from "./data.ts";
import { chance, evaluate, type ToImages } from "./evaluate.ts";
import type { QuickstartFlags } from "./flags.ts";
import { COLUMNS, type Report, reportPage, type Run } from "./report.ts";

/** With fewer epochs than this, or a narrower network, the prior was not seen to pay (README, "Results"). */
const PAYS_FROM = { epochs: 20, width: 16 };

interface Setting {
  readonly name: string;
  /** Width of the kernel on the words; none: no prior. */
  readonly sigma?: number;
}

/**
 * Trains, evaluates and reports; Ctrl-C stops the training and reports what there is.
 *
 * @returns The status to end with.
 */
export async function runQuickstart(flags: QuickstartFlags): Promise<number> {
  const started = performance.now();
  const stop = new AbortController();
  Deno.addSignalListener("SIGINT", () => stop.abort());
  await using device = await Device.open();
  console.log(`Device: ${device.info.description}`);
  const data = await loadQuickstart();
  console.log(`Data: ${data.train.length} drawings of emoji to learn from, ${data.names.length} emoji held out`);
  using folder = await OutputFolder.open(flags.save_dir);
  const runs: Run[] = [];
  const settings: Setting[] = [{ name: "no prior" }, { name: `keyword prior, σ = ${flags.sigma}`, sigma: flags.sigma }];
  const untrained = makeModel(flags);
  runs.push({ name: "untrained", evaluation: await evaluate(untrained, data, toImages(device)), losses: [] });
  untrained.dispose();
  for (const setting of settings) {
    if (stop.signal.aborted) break;
    runs.push(await trainOne(device, data, flags, setting, { folder, signal: stop.signal }));
  }
  const facts =
    `${device.info.description}; ${flags.epochs} epochs, width ${flags.width}, batch ${flags.batch_size}, ` +
    `seed ${flags.seed}; ${formatDuration((performance.now() - started) / 1000)}` +
    (stop.signal.aborted ? "; stopped early by Ctrl-C" : "");
  await writeResults({ runs, chance: chance(data), data, facts, advice: advice(flags) }, flags, folder);
  return stop.signal.aborted ? 130 : 0;
}

/** The quickstart's network: a stem of stride 2, one block a stage, 256 features. */
export function makeModel({ width, seed }: Pick<QuickstartFlags, "width" | "seed">): Contrastive {
  const layout = { block: "basic", layers: [1, 1, 1], widths: [width, 2 * width, 4 * width], smallStem: true } as const;
  return contrastive(new ResNet(layout, { numClasses: 256, seed }), { projection: 64, seed });
}

/** Makes images for evaluation out of bytes `[n, 32, 32, 3]`. */
export function toImages(device: Device): ToImages {
  const size = 32 * 32 * 3;
  const recipe = evalTransform({ size: 32, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] });
  return (pixels) => (from, to) =>
    tidy(() => {
      const bytes = tensor(pixels.slice(from * size, to * size), { shape: [to - from, 32, 32, 3], device });
      const indices = arange(0, to - from, { dtype: "u32", device });
      return squeeze(augment(bytes, { indices, recipe, views: 1 }), 1);
    });
}

async function trainOne(
  device: Device,
  data: QuickstartData,
  flags: QuickstartFlags,
  { name, sigma }: Setting,
  { folder, signal }: { folder: OutputFolder; signal: AbortSignal },
): Promise<Run> {
  const { train } = data;
  const model = makeModel(flags);
  const source = new ResidentImages(
    device,
    train.pixels,
    naturalRecipe({ size: 32, mean: train.mean, std: train.std }),
  );
  const words = tensor(train.prior.data, { shape: [train.length, train.prior.dim], device });
  const display = new ProgressDisplay();
  const losses: { x: number; y: number }[] = [];
  const config = {
    epochs: flags.epochs,
    batchSize: flags.batch_size,
    lr: flags.lr * flags.batch_size / 256,
    seed: flags.seed,
    kernel: sigma === undefined ? undefined : rbf({ sigma }),
  };
  const prior = sigma === undefined ? undefined : words;
  for await (const report of pretrain(model, { source, prior }, config)) {
    const { epoch, step, steps, loss, align, imagesPerSecond, epochDone } = report;
    display.update({
      label: name,
      done: (epoch + step / steps) / flags.epochs,
      values: [
        ["epoch", `${epoch + 1}/${flags.epochs}`],
        ["loss", loss.toFixed(3)],
        ["alignment", align.toFixed(3)],
        ["images/s", imagesPerSecond.toFixed(0)],
      ],
    });
    if (epochDone) losses.push({ x: epoch + 1, y: loss });
    if (signal.aborted) break;
  }
  const file = `${sigma === undefined ? "no_prior" : "keyword_prior"}.safetensors`;
  const notes = { run: name, flags: JSON.stringify(flags) };
  await folder.write(file, safetensorsChunks(await readState(model), notes));
  display.print(`${signal.aborted ? "Stopped: what was learnt so far is in" : "Weights:"} ${folder.file(file)}`);
  const evaluation = await evaluate(model, data, toImages(device));
  for (const each of [model, source, words]) each.dispose();
  return { name, evaluation, losses };
}

function advice({ epochs, width, sigma }: QuickstartFlags): string {
  if (epochs >= PAYS_FROM.epochs && width >= PAYS_FROM.width) return "";
  return `This run is short, and in short runs the words were not seen to help. For one in which they may: ` +
    `deno run -A examples/quickstart.ts --epochs ${PAYS_FROM.epochs} --width ${PAYS_FROM.width} --sigma ${sigma}`;
}

async function writeResults(report: Report, flags: QuickstartFlags, folder: OutputFolder): Promise<void> {
  const { runs, facts, advice } = report;
  const rows = [
    { name: "chance", scores: report.chance },
    ...runs.map(({ name, evaluation }) => ({ name, scores: evaluation.scores })),
  ];
  console.log(`\n${"".padEnd(24)}${COLUMNS.map(([, title]) => title.padStart(20)).join("")}`);
  for (const { name, scores } of rows) {
    console.log(name.padEnd(24) + COLUMNS.map(([key]) => scores[key].toFixed(3).padStart(20)).join(""));
  }
  console.log(`(${facts})`);
  if (advice) console.log(advice);
  const json = { facts, flags, results: rows, losses: runs.map(({ name, losses }) => ({ name, losses })) };
  await folder.write("results.json", JSON.stringify(json, null, 2) + "\n");
  await folder.write("report.html", await reportPage(report));
  console.log(`Report: ${folder.file("report.html")}`);
}
