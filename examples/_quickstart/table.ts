import { type PairedDifference, pairedDifference } from "../../src/eval/mod.ts";
import { means, type QueryScores } from "./evaluate.ts";

/** One encoder of a table: what its runs scored, one a seed, and the seeds. */
export interface TableLine<M extends string> {
  readonly name: string;
  readonly seeds: readonly number[];
  readonly runs: readonly QueryScores<M>[];
}

/** Names of measures with their titles. */
export type Titles<M extends string> = readonly (readonly [M, string])[];

/** `0.265`, or `0.265 ± 0.012`: mean over the seeds, and their sample deviation where there are several. */
export function meanCell<M extends string>({ runs }: TableLine<M>, measure: M): string {
  const values = runs.map((run) => means(run)[measure]);
  const { mean, deviation } = spread(values);
  return values.length > 1 ? `${mean.toFixed(3)} ± ${deviation.toFixed(3).slice(1)}` : mean.toFixed(3);
}

/** Mean and sample standard deviation (n − 1); the deviation of one value is 0. */
export function spread(values: readonly number[]): { mean: number; deviation: number } {
  const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
  const squares = values.reduce((sum, v) => sum + (v - mean) ** 2, 0);
  return { mean, deviation: values.length > 1 ? Math.sqrt(squares / (values.length - 1)) : 0 };
}

/**
 * Computes how much a line scores above another in the seeds that both have, the two drawings of an emoji being drawn
 * together.
 *
 * @throws {RangeError} If they have no seed in common.
 */
export function differenceOf<M extends string>(
  line: TableLine<M>,
  other: TableLine<M>,
  { measure, groups }: { readonly measure: M; readonly groups: ArrayLike<number> },
): PairedDifference {
  const common = line.seeds.filter((seed) => other.seeds.includes(seed));
  const of = ({ seeds, runs }: TableLine<M>) => common.map((seed) => runs[seeds.indexOf(seed)]![measure]);
  return pairedDifference(of(line), of(other), { groups });
}

/** `+0.031 [+0.004, +0.058] better`. */
export function differenceCell({ mean, low, high, verdict }: PairedDifference): string {
  return `${signed(mean)} [${signed(low)}, ${signed(high)}] ${verdict}`;
}

/** A number with its sign, `−` being a minus. */
export function signed(value: number): string {
  return `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(3)}`;
}

/** A row for each encoder: its means. */
export function meanRows<M extends string>(lines: readonly TableLine<M>[], titles: Titles<M>): string[][] {
  return lines.map((line) => [line.name, ...titles.map(([measure]) => meanCell(line, measure))]);
}

/** A row for each measure: differences of pairs of encoders. */
export function differenceRows<M extends string>(
  pairs: readonly (readonly [TableLine<M>, TableLine<M>])[],
  { titles, groups }: { readonly titles: Titles<M>; readonly groups: ArrayLike<number> },
): string[][] {
  return titles.map(([measure, title]) => [
    title,
    ...pairs.map(([line, other]) => differenceCell(differenceOf(line, other, { measure, groups }))),
  ]);
}

/** Rows as Markdown, numbers to the right. */
export function markdownTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const rule = line(header.map((_, i) => i === 0 ? "---" : "---:"));
  return [line(header), rule, ...rows.map(line)].join("\n");
}
