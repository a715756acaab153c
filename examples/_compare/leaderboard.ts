import { meanInterval } from "../../src/eval/mod.ts";
import { markdownTable, type TableLine } from "../_quickstart/table.ts";
import { ARM_MEASURES, type ArmMeasure } from "./arms.ts";

/** One method of the leaderboard. */
export interface LeaderboardLine extends TableLine<ArmMeasure> {
  /** Seconds of a run, training and evaluation, on average. */
  readonly seconds: number;
  /** Commit that ran it. */
  readonly commit: string;
}

/** Measures that the leaderboard shows: linear probe, nearest neighbours, retrieval. */
const SHOWN = ["linearCategory", "linearSubcategory", "category", "subcategory", "top1", "top5"] as const;

/** The leaderboard as Markdown: mean ± half of the 95 % interval for other emoji and other seeds. */
export function leaderboard(lines: readonly LeaderboardLine[], groups: ArrayLike<number>): string {
  const titles = SHOWN.map((shown) => ARM_MEASURES.find(([measure]) => measure === shown)![1]);
  const rows = lines.map((line) => [
    line.name,
    `${line.seeds.length}`,
    ...SHOWN.map((measure) => intervalCell(line.runs.map((run) => run[measure]), groups)),
    line.seconds.toFixed(0),
    line.commit,
  ]);
  return markdownTable(["method", "seeds", ...titles, "seconds", "commit"], rows);
}

/** `0.557 ± .031`. */
export function intervalCell(scores: readonly Float64Array[], groups: ArrayLike<number>): string {
  const { mean, low, high } = meanInterval(scores, { groups });
  return `${mean.toFixed(3)} ± ${((high - low) / 2).toFixed(3).slice(1)}`;
}
