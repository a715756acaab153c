import { pairedDifference } from "../../src/eval/mod.ts";
import { readFrom, readNpz } from "../../src/formats/mod.ts";
import { parseJson, quoted } from "../../src/formats/internal.ts";
import type { TaskSummary } from "../../src/jobs/mod.ts";
import { errorBars, html, page, type Spread, table } from "../../src/report/mod.ts";
import { pairsOf, transposed } from "../_compare/results.ts";
import { means } from "../_quickstart/evaluate.ts";
import {
  differenceCell,
  differenceOf,
  markdownTable,
  meanRows,
  signed,
  spread,
  type TableLine,
} from "../_quickstart/table.ts";

/** Measures of `linear_eval.ts` with their titles, means over its tasks. */
const MEASURES = [
  ["top1", "accuracy, linear"],
  ["balanced", "balanced accuracy, linear"],
  ["auroc", "AUROC, linear"],
  ["knn", "accuracy, k-NN"],
] as const;

type DataMeasure = (typeof MEASURES)[number][0];

/** Scores of one evaluation. */
export interface DataScores {
  /** `top1`: 0 or 1 of every test image and task, `[queries]`; the others: one number. */
  readonly scores: Readonly<Record<DataMeasure, Float64Array>>;
  /** Test image of each query of `top1`. */
  readonly images: Int32Array;
}

/** One method with one seed. */
export interface DataRun extends DataScores {
  readonly arm: string;
  readonly seed: number;
}

/** Files of a run: what is done, and the folder of `linear_eval.ts`. */
export const [RUN, LINEAR] = ["run.json", "linear"];

/**
 * Reads the results that `linear_eval.ts` left in the folder of a run.
 *
 * @throws {Deno.errors.NotFound} If it left no predictions, as versions of before did.
 */
export async function readScores(run: string): Promise<DataScores> {
  const folder = `${run}/${LINEAR}`;
  const file = `${folder}/linear_eval.json`;
  const { tasks } = parseJson(await Deno.readTextFile(file), `"${file}"`) as { readonly tasks: readonly TaskSummary[] };
  const predictions = await readPredictions(run);
  const of = (task: string, what: string) => {
    const array = predictions.get(`${task}.${what}`);
    if (array) return array.data as Int32Array;
    throw new SyntaxError(`Cannot compare "${folder}" as its predictions.npz must have ${quoted(`${task}.${what}`)}`);
  };
  const hits = tasks.flatMap(({ task }) => {
    const predicted = of(task, "predicted");
    return Array.from(of(task, "labels"), (label, i) => Number(label === predicted[i]));
  });
  const mean = (value: (task: TaskSummary) => number | null) => {
    const known = tasks.map(value).filter((each) => each !== null);
    return Float64Array.of(known.reduce((sum, each) => sum + each, 0) / known.length);
  };
  return {
    images: Int32Array.from(tasks.flatMap(({ task }) => Array.from(of(task, "rows")))),
    scores: {
      top1: Float64Array.from(hits),
      balanced: mean(({ balanced_accuracy }) => balanced_accuracy),
      auroc: mean(({ mean_auroc }) => mean_auroc),
      knn: mean(({ knn_top1 }) => knn_top1),
    },
  };
}

async function readPredictions(run: string) {
  try {
    return await readFrom(`${run}/${LINEAR}/predictions.npz`, readNpz);
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    const rule = "it has no predictions.npz, which linear_eval.ts did not always write";
    throw new Deno.errors.NotFound(
      `Cannot compare "${run}/${LINEAR}" as ${rule}: delete "${run}/${RUN}", and it is evaluated again`,
      { cause },
    );
  }
}

/** Runs of the methods, in order of their first. */
function linesOf(runs: readonly DataRun[]): TableLine<DataMeasure>[] {
  return [...new Set(runs.map(({ arm }) => arm))].map((name) => {
    const own = runs.filter(({ arm }) => arm === name);
    return { name, seeds: own.map(({ seed }) => seed), runs: own.map(({ scores }) => scores) };
  });
}

/** Tables of means, and of differences with their intervals; none of these where nothing is compared. */
function tables(runs: readonly DataRun[]) {
  const lines = linesOf(runs);
  const find = (name: string) => lines.find((line) => line.name === name);
  const pairs = lines.flatMap((line) => pairsOf(line, find));
  const averages = {
    header: ["mean ± deviation over seeds", ...MEASURES.map(([, title]) => title)],
    rows: meanRows(lines, MEASURES),
  };
  const rows = MEASURES.map((
    [measure, title],
  ) => [title, ...pairs.map((pair) => cellOf(pair, measure, runs[0]!.images))]);
  const header = ["difference [95 % interval]", ...pairs.map(([line, other]) => `${line.name} − ${other.name}`)];
  return pairs.length === 0 ? [averages] : [averages, transposed({ header, rows })];
}

/** A difference: image by image, or of one number a seed, of which one seed has no interval. */
function cellOf(
  [line, other]: readonly [TableLine<DataMeasure>, TableLine<DataMeasure>],
  measure: DataMeasure,
  images: Int32Array,
): string {
  if (measure === "top1") return differenceCell(differenceOf(line, other, { measure, groups: images }));
  const common = line.seeds.filter((seed) => other.seeds.includes(seed));
  const of = ({ seeds, runs }: TableLine<DataMeasure>) => common.map((seed) => runs[seeds.indexOf(seed)]![measure][0]!);
  const [first, second] = [of(line), of(other)];
  if (common.length === 1) return `${signed(first[0]! - second[0]!)} (one seed)`;
  const alone = (values: number[]) => values.map((value) => [value, value]); // nothing but the seed varies
  return differenceCell(pairedDifference(alone(first), alone(second)));
}

/** The tables as Markdown. */
export function dataMarkdown(runs: readonly DataRun[]): string {
  return tables(runs).map(({ header, rows }) => markdownTable(header, rows)).join("\n\n");
}

/** The page with tables and picture. */
export async function dataPage(runs: readonly DataRun[], facts: string): Promise<string> {
  const ranges = MEASURES.flatMap(([measure, group]) =>
    linesOf(runs).map(({ name, runs }): Spread => {
      const values = runs.map((run) => means(run)[measure]);
      return { group, name, values, ...spread(values) };
    })
  );
  const about =
    "Differences are of runs with the same seed, so with the same weights, order and augmentation; in brackets the 95 % " +
    "interval: of the accuracy for other test images and other seeds, of the other measures for other seeds alone.";
  return page("Which method learns what?", facts, [
    {
      heading: "Linear evaluation",
      body: html`${tables(runs).map(({ header, rows }) => table(header, rows))}<p class="faint">${about}</p>`,
    },
    { heading: "Picture", body: await errorBars(ranges, { x: "share" }) },
  ]);
}
