import { COLUMNS } from "../_quickstart/report.ts";
import { errorBars, html, page, type Range, table } from "../../src/report/mod.ts";
import { type Arm, ARMS, type ArmScores } from "./arms.ts";
import { plusMinus, spread } from "./statistics.ts";

/** One arm with one seed. */
export interface RunResult {
  readonly arm: Arm;
  readonly seed: number;
  readonly scores: ArmScores;
}

const MEASURES = [
  ...COLUMNS,
  ["linearCategory", "category, linear"],
  ["linearSubcategory", "subcategory, linear"],
] as const satisfies readonly (readonly [keyof ArmScores, string])[];

/** Differences that are shown, of runs with the same seed. */
const DIFFERENCES = [["prior", "no prior"], ["prior", "shuffled prior"]] as const;

/** Header of the table. */
export const HEADER: readonly string[] = ["mean ± standard deviation", ...MEASURES.map(([, name]) => name)];

/** Rows of the table: each arm, then differences between arms seed by seed. */
export function resultRows(results: readonly RunResult[]): string[][] {
  const arms = ARMS.filter((arm) => results.some((result) => result.arm === arm));
  const rows = arms.map((arm) => [arm, ...MEASURES.map(([key]) => plusMinus(valuesOf(results, arm, key)))]);
  for (const [arm, other] of DIFFERENCES) {
    const pairs = pairsOf(results, arm, other);
    if (pairs.length === 0) continue;
    const cell = (key: keyof ArmScores) => plusMinus(pairs.map(([a, b]) => a.scores[key] - b.scores[key]), true);
    rows.push([`${arm} − ${other}`, ...MEASURES.map(([key]) => cell(key))]);
  }
  return rows;
}

/** The table as Markdown, for a README. */
export function markdown(results: readonly RunResult[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const rule = line(HEADER.map((_, i) => i === 0 ? "---" : "---:"));
  return [line(HEADER), rule, ...resultRows(results).map(line)].join("\n");
}

/** The page with table and picture. */
export async function comparePage(results: readonly RunResult[], facts: string): Promise<string> {
  const ranges = MEASURES.flatMap(([key, group]) =>
    ARMS.filter((arm) => results.some((result) => result.arm === arm)).map((name): Range => {
      const values = valuesOf(results, name, key);
      return { group, name, values, ...spread(values) };
    })
  );
  const about =
    "Differences are of runs with the same seed, so with the same weights, order and augmentation. The shuffled " +
    "prior has the same statistics and knows nothing of the images: what it does is not the prior's merit.";
  return page("Does the prior help?", facts, [
    { heading: "Held-out emoji", body: html`${table(HEADER, resultRows(results))}<p class="faint">${about}</p>` },
    { heading: "Picture", body: await errorBars(ranges, { y: "share" }) },
  ]);
}

function valuesOf(results: readonly RunResult[], arm: Arm, key: keyof ArmScores): number[] {
  return results.filter((result) => result.arm === arm).map(({ scores }) => scores[key]);
}

function pairsOf(results: readonly RunResult[], arm: Arm, other: Arm): (readonly [RunResult, RunResult])[] {
  return results.filter((result) => result.arm === arm).flatMap((a) => {
    const b = results.find((result) => result.arm === other && result.seed === a.seed);
    return b ? [[a, b] as const] : [];
  });
}
