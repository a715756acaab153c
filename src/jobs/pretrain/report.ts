import { METHODS } from "../../methods/mod.ts";
import type { TrainingPosition } from "../../checkpoints/mod.ts";
import type { JobFacts } from "./events.ts";
import type { KernelView } from "./kernel_view.ts";
import type { JobSettings } from "./settings.ts";
import { type Html, html, lineChart, page, type Section, type Series, table } from "../../report/mod.ts";
import { kernelSection } from "./kernel_section.ts";
import type { MetricsLine } from "./metrics_line.ts";

/** Contents of the page of a job. */
export interface JobReport {
  /** Settings of the job. */
  readonly settings: JobSettings;
  /** Facts known before the job started. */
  readonly facts: JobFacts;
  /** Position that training has reached. */
  readonly position: TrainingPosition;
  /** Measurements so far. */
  readonly lines: readonly MetricsLine[];
  /** View of the prior through the kernel; null without a prior. */
  readonly kernel: KernelView | null;
  /** Score of the evaluations by chance; null without labels. */
  readonly chance: number | null;
  /** Milliseconds a step by part. */
  readonly profile: Readonly<Record<string, number>> | null;
}

/** Points of a line; more cannot be told apart. */
const MOST_POINTS = 400;

/** The page of a job: what it learns from, how it goes, and its settings. */
export async function jobReport(report: JobReport): Promise<string> {
  const { settings, facts, position } = report;
  const demo = settings.demo ? "Demo data made of emoji images, not the data set itself. " : "";
  const done = position.epoch >= settings.epochs ? "Complete" : `${position.epoch} of ${settings.epochs} epochs`;
  const lead =
    `${demo}${done}; ${settings.network}, ${facts.images} images, batch ${settings.batch_size}; ${facts.device}`;
  const sections = [...await curves(report), ...await kernelSections(report), ...profileSection(report)];
  sections.push({ heading: "Settings", body: settingsTable(settings, facts) });
  return page(`Pre-training on ${settings.db}${settings.demo ? " (demo data)" : ""}`, lead, sections);
}

async function curves({ lines, settings: { method, warmup_epochs: warm }, chance }: JobReport): Promise<Section[]> {
  const sections: Section[] = [];
  const add = async (heading: string, names: readonly (readonly [string, string])[], y: string, about: string) => {
    const series: Series[] = names.map(([key, name]) => ({ name, points: pointsOf(lines, key) })).filter(({ points }) =>
      points.length > 0
    );
    if (series.length === 0) return;
    if (names[0]![0].startsWith("knn_") && chance !== null) series.push(chanceLine(chance, series[0]!));
    const chart = await lineChart(series, { x: "epoch", y, whole: true });
    sections.push({ heading, body: html`${chart}<p class="faint">${about}</p>` });
  };
  const about = method === "decoupled_uniformity" ? "0 would be collapse: all centroids in one place." : "";
  await add("Loss", [["loss", "loss"]], "loss", `Method: ${METHODS[method].title}. ${about}`);
  await add(
    "Centroids",
    [["centroid_square", "centroid_square"]],
    "mean squared length",
    "1: all views of an image agree.",
  );
  await add(
    "Neighbours",
    [["knn_top1", "top-1"], ["knn_top5", "top-5"], ["knn_mean_auroc", "mean AUROC"]],
    "share",
    "Held-out images classified by the votes of their 20 nearest training images (cosine of the encoder's output).",
  );
  const schedule = warm > 0
    ? `Linear over ${warm} epochs, then a cosine; one step an epoch.`
    : "Cosine, one step an epoch.";
  await add("Learning rate", [["lr", "learning rate"]], "learning rate", schedule);
  await add("Throughput", [["images_per_second", "images"]], "images a second", "Images, not views.");
  return sections;
}

/** The chance of a score over all epochs; that of the top-1 score where there are two. */
function chanceLine(chance: number, { name, points: known }: Series): Series {
  const points = [0, known.at(-1)!.x].map((x) => ({ x, y: chance }));
  return { name: `chance, ${name} (${chance.toFixed(3)})`, reference: true, points };
}

/** Values of a name over epochs, neighbours averaged where there are too many. */
function pointsOf(lines: readonly MetricsLine[], name: string): { x: number; y: number }[] {
  const all = lines.flatMap((line) => {
    const y = line[name];
    return typeof y === "number"
      ? [{ x: Number(line.epoch) - 1 + Number(line.step) / Number(line.steps ?? line.step), y }]
      : [];
  });
  const group = Math.ceil(all.length / MOST_POINTS);
  return Array.from({ length: Math.ceil(all.length / Math.max(1, group)) }, (_, i) => {
    const part = all.slice(i * group, (i + 1) * group);
    return { x: part.at(-1)!.x, y: part.reduce((sum, { y }) => sum + y, 0) / part.length };
  });
}

async function kernelSections({ kernel, settings }: JobReport): Promise<Section[]> {
  if (!kernel) return [];
  const name = settings.kernel === "rbf" ? `rbf, σ = ${settings.sigma}` : `${settings.kernel}`;
  return [await kernelSection(name, kernel)];
}

function profileSection({ profile }: JobReport): Section[] {
  if (!profile) return [];
  const rows = Object.entries(profile).map(([name, milliseconds]) => [name, milliseconds.toFixed(2)]);
  const about =
    "The device was waited for after each part, so the sum is more than a step takes; Workers decode beside it.";
  return [{
    heading: "Time of a step",
    body: html`${table(["part", "ms a step"], rows)}<p class="faint">${about}</p>`,
  }];
}

function settingsTable(settings: JobSettings, facts: JobFacts): Html {
  return table(
    ["setting", "value"],
    Object.entries({ ...settings, ...facts }).map(([name, value]) => [name, `${value ?? "none"}`]),
  );
}
