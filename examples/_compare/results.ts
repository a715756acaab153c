import { errorBars, html, page, type Spread, table } from "../../src/report/mod.ts";
import { means, type QueryScores } from "../_quickstart/evaluate.ts";
import { differenceRows, markdownTable, meanRows, spread, type TableLine } from "../_quickstart/table.ts";
import { ARM_MEASURES, type ArmMeasure } from "./arms.ts";

/** One arm with one seed. */
export interface RunResult {
  readonly arm: string;
  readonly seed: number;
  readonly scores: QueryScores<ArmMeasure>;
}

/** Header of the table. */
export const HEADER: readonly string[] = ["mean ± deviation over seeds", ...ARM_MEASURES.map(([, title]) => title)];

/** Results of the arms, in order of their first. */
export function linesOf(results: readonly RunResult[]): TableLine<ArmMeasure>[] {
  const names = [...new Set(results.map(({ arm }) => arm))];
  return names.map((name) => {
    const own = results.filter(({ arm }) => arm === name);
    return { name, seeds: own.map(({ seed }) => seed), runs: own.map(({ scores }) => scores) };
  });
}

/** A table: header and rows. */
interface Table {
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** Means of the arms. */
export function meanTable(results: readonly RunResult[]): Table {
  return { header: HEADER, rows: meanRows(linesOf(results), ARM_MEASURES) };
}

/**
 * Tabulates how far each arm with a prior is above the arms without one, and above the shuffled one, and what the prior
 * is above methods that take none, in the seeds that both have.
 */
export function differenceTable(results: readonly RunResult[], groups: ArrayLike<number>): Table {
  const lines = linesOf(results);
  const find = (name: string) => lines.find((line) => line.name === name);
  const pairs = lines.flatMap((line) => pairsOf(line, find)).filter(([line, other]) =>
    other.seeds.some((seed) => line.seeds.includes(seed))
  );
  const header = ["difference [95 % interval]", ...pairs.map(([line, other]) => `${line.name} − ${other.name}`)];
  return { header, rows: differenceRows(pairs, { titles: ARM_MEASURES, groups }) };
}

/** A line and what it is compared with: the one that should be better first. */
export function pairsOf<M extends string>(
  line: TableLine<M>,
  find: (name: string) => TableLine<M> | undefined,
): (readonly [TableLine<M>, TableLine<M>])[] {
  if (/^(untrained|no prior)/.test(line.name)) return [];
  const setting = line.name.match(/,.*$/)?.[0] ?? "";
  const plain = find(`no prior${setting}`) ?? find("no prior");
  // Another batch or other weights have a control of their own or none.
  const shuffled = find(`shuffled prior${setting}`) ??
    (plain?.name === "no prior" ? find("shuffled prior") : undefined);
  const ours = find("prior") ?? find("no prior");
  if (!/^(shuffled )?prior/.test(line.name)) return ours ? [[ours, line]] : []; // a method that takes none
  const others = [plain, line.name.startsWith("prior") ? shuffled : undefined];
  return others.flatMap((other) => other ? [[line, other] as const] : []);
}

/** The tables as Markdown; differences of more than three pairs have a row for each pair, which is easier to read. */
export function markdown(results: readonly RunResult[], groups: ArrayLike<number>): string {
  const differences = differenceTable(results, groups);
  const wide = differences.header.length > 4;
  return [meanTable(results), wide ? transposed(differences) : differences]
    .map(({ header, rows }) => markdownTable(header, rows)).join("\n\n");
}

/** Exchanges rows and columns. */
export function transposed({ header, rows }: Table): Table {
  const all = [header, ...rows];
  const [first, ...others] = header.map((_, column) => all.map((row) => row[column]!));
  return { header: first!, rows: others };
}

/** Contents of a page beside the results. */
export interface PageFacts {
  /** Account of how the page was made. */
  readonly facts: string;
  /** Scores of a blind guess. */
  readonly chance: Readonly<Record<ArmMeasure, number>>;
}

/** The page with table and picture. */
export async function comparePage(
  results: readonly RunResult[],
  groups: ArrayLike<number>,
  { facts, chance }: PageFacts,
): Promise<string> {
  const lines = linesOf(results);
  const ranges = ARM_MEASURES.flatMap(([measure, group]) =>
    lines.map(({ name, runs }): Spread => {
      const values = runs.map((run) => means(run)[measure]);
      return { group, name, values, ...spread(values) };
    })
  );
  const [averages, differences] = [meanTable(results), differenceTable(results, groups)];
  const blind = ["chance", ...ARM_MEASURES.map(([measure]) => chance[measure].toFixed(3))];
  const about =
    "Differences are of runs with the same seed, so with the same weights, order and augmentation, query by query; in " +
    "brackets the 95 % interval for other emoji (both drawings of one together) and, with several seeds, for other " +
    "seeds; of twenty such intervals one is expected to miss. The shuffled prior has the same statistics and knows " +
    "nothing of the images: what it does is not the prior's merit.";
  return page("Does the prior help?", facts, [
    {
      heading: "Held-out emoji",
      body: html`${table(averages.header, [blind, ...averages.rows])} ${
        table(differences.header, differences.rows)
      }<p class="faint">${about}</p>`,
    },
    { heading: "Picture", body: await errorBars(ranges, { x: "share" }) },
  ]);
}
