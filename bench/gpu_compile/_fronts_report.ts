import { percent, short, table } from "../_table.ts";
import type { Family } from "./_cards.ts";
import { compileForCards } from "./_compile_step.ts";
import type { Line } from "./_estimate.ts";
import { LISTED, sum, titleOf } from "./_report.ts";
import type { StepSettings } from "./_step.ts";

/** Table of a step's larger pipelines under naga, whose lines are given, and under Tint, side by side. */
export async function frontsReport(settings: StepSettings, family: Family, lines: readonly Line[]): Promise<string> {
  const [others] = await compileForCards(settings, [family], "tint");
  const pairs = lines.map((line, i) => [line, others![i]!] as const).sort(([a], [b]) => b.seconds - a.seconds);
  const seconds = ([0, 1] as const).map((front) => sum(pairs, (pair) => pair[front].seconds));
  const listed = pairs.filter(([naga]) => naga.seconds > LISTED * seconds[0]!);
  const rows = listed.map(([naga, tint]) => [
    naga.name,
    ...[naga, tint].map(({ fma }) => percent(fma)),
    ...[naga, tint].map(({ registers }) => registers),
    ...[naga, tint].map((line) => line.spills),
    ...[naga, tint].map((line) => short(1e3 * line.seconds)),
  ]);
  const columns = ["FMA", "registers", "spills", "ms"].flatMap((name) => [`${name}, naga`, "Tint"]);
  const [naga, tint] = seconds.map((each) => short(1e3 * each));
  return `${titleOf(settings, family)}, under naga and Tint: ${naga} and ${tint} ms by the model\n\n` +
    table(["shader", ...columns], rows);
}
