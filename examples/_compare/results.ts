import { errorBars, html, page, type Range, table } from "../../src/report/mod.ts";
import { means, type QueryScores } from "../_quickstart/evaluate.ts";
import { markdownTable, spread, type TableLine, tableRows } from "../_quickstart/table.ts";
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

/** Rows of the table: each arm, then what each arm with a prior is above the arms without, and above the shuffled one. */
export function resultRows(results: readonly RunResult[], groups: ArrayLike<number>): string[][] {
  const lines = linesOf(results);
  const differences = lines.map(({ name }) => name).filter((name) => name.startsWith("prior")).flatMap((name) => {
    const batch = name.match(/, batch \d+$/)?.[0] ?? "";
    return [[name, `no prior${batch}`], [name, "shuffled prior"]] as const;
  });
  return tableRows(lines, differences, { titles: ARM_MEASURES, groups });
}

/** The table as Markdown. */
export function markdown(results: readonly RunResult[], groups: ArrayLike<number>): string {
  return markdownTable(HEADER, resultRows(results, groups));
}

/** The page with table and picture. */
export async function comparePage(
  results: readonly RunResult[],
  groups: ArrayLike<number>,
  facts: string,
): Promise<string> {
  const lines = linesOf(results);
  const ranges = ARM_MEASURES.flatMap(([measure, group]) =>
    lines.map(({ name, runs }): Range => {
      const values = runs.map((run) => means(run)[measure]);
      return { group, name, values, ...spread(values) };
    })
  );
  const about =
    "Differences are of runs with the same seed, so with the same weights, order and augmentation, query by query; in " +
    "brackets the 95 % interval for other emoji (both drawings of one together) and, with several seeds, for other " +
    "seeds; of twenty such intervals one is expected to miss. The shuffled prior has the same statistics and knows " +
    "nothing of the images: what it does is not the prior's merit.";
  return page("Does the prior help?", facts, [
    {
      heading: "Held-out emoji",
      body: html`${table(HEADER, resultRows(results, groups))}<p class="faint">${about}</p>`,
    },
    { heading: "Picture", body: await errorBars(ranges, { y: "share" }) },
  ]);
}
