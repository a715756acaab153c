import { Device } from "../../mod.ts";
import { type MeanInterval, meanInterval } from "../../src/eval/mod.ts";
import { parseJson } from "../../src/formats/internal.ts";
import { writeWhole } from "../../src/formats/mod.ts";
import { loadQuickstart } from "../_quickstart/data.ts";
import { queryGroups } from "../_quickstart/evaluate.ts";
import { RECIPE, type Recipe } from "../_quickstart/recipe.ts";
import { ARM_MEASURES, type ArmMeasure, runArm } from "./arms.ts";
import { withTable } from "./readme.ts";

/**
 * The line that is run again: a prior, in a short run of a narrow network. At the recipe's learning rate so short a run
 * amplifies rounding: other forms of the same products moved a mean by 0.07, at this one by 0.014.
 */
const SHORT: Recipe = { ...RECIPE, epochs: 1, width: 4, lr: 0.03 };

/** Intervals of the mean of each measure. */
export type Intervals = Readonly<Record<ArmMeasure, readonly [low: number, high: number]>>;

/** Means of a run with their 95 % intervals for other emoji. */
async function runLine(): Promise<Readonly<Record<ArmMeasure, MeanInterval>>> {
  const data = await loadQuickstart();
  const groups = queryGroups(data);
  const arm = { name: "short line", prior: SHORT.prior };
  const scores = await runArm(Device.current, data, SHORT, { arm, seed: 0, signal: new AbortController().signal });
  const entries = ARM_MEASURES.map(([key]) => [key, meanInterval([scores![key]], { groups })] as const);
  return Object.fromEntries(entries) as unknown as Record<ArmMeasure, MeanInterval>;
}

/**
 * Runs the line and compares it with what a page says.
 *
 * @returns A sentence for each measure that leaves its interval.
 * @throws {SyntaxError} If the page has no line.
 */
export async function checkLine(page: URL): Promise<string[]> {
  const intervals = intervalsIn(await Deno.readTextFile(page));
  const found = await runLine();
  for (const [key, title] of ARM_MEASURES) {
    console.log(`${title}: ${found[key].mean.toFixed(3)}, ${within(intervals[key])}`);
  }
  return outside(Object.fromEntries(ARM_MEASURES.map(([key]) => [key, found[key].mean])), intervals);
}

/** Sentences for the means that are not in their intervals. */
export function outside(means: Readonly<Record<string, number>>, intervals: Intervals): string[] {
  return ARM_MEASURES.filter(([key]) => !(means[key]! >= intervals[key][0] && means[key]! <= intervals[key][1])).map((
    [key, title],
  ) => `Cannot confirm ${title} as it must be ${within(intervals[key])}: got ${means[key]!.toFixed(3)}`);
}

function within([low, high]: readonly [number, number]): string {
  return `in [${low.toFixed(3)}, ${high.toFixed(3)}]`;
}

/** Runs the line and writes it into a page. */
export async function recordLine(page: URL): Promise<void> {
  const found = await runLine();
  const intervals = Object.fromEntries(
    ARM_MEASURES.map(([key]) => [key, [found[key].low, found[key].high].map((end) => Number(end.toFixed(4)))]),
  );
  const opening = `<!-- short_line ${JSON.stringify(intervals)} -->`;
  const body = ARM_MEASURES.map(([key, title]) =>
    `- ${title}: ${found[key].mean.toFixed(3)}, ${within([found[key].low, found[key].high])}`
  ).join("\n");
  const text = withTable(await Deno.readTextFile(page), opening, body);
  if (text === null) throw noLine();
  await writeWhole(page, text);
}

/**
 * The intervals that a page gives.
 *
 * @throws {SyntaxError} If it gives none, or not for each measure.
 */
export function intervalsIn(page: string): Intervals {
  const [, json] = page.match(/<!-- short_line (\{.*\}) -->/) ?? [];
  if (!json) throw noLine();
  const found = parseJson(json, "docs/results.md") as Record<string, unknown>;
  const pair = (value: unknown) => Array.isArray(value) && value.length === 2 && value.every(Number.isFinite);
  if (!ARM_MEASURES.every(([key]) => pair(found[key]))) throw noLine();
  return found as Intervals;
}

function noLine(): SyntaxError {
  return new SyntaxError("Cannot check docs/results.md as it must hold the short line with its intervals: got none");
}
