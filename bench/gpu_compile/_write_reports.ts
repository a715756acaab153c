import { CARDS, type Family } from "./_cards.ts";
import { compileForCards, longestFirst } from "./_compile_step.ts";
import { frontsReport } from "./_fronts_report.ts";
import { END, LISTED, README, report, START, STEPS, sum } from "./_report.ts";

/** Compiles the steps of {@linkcode STEPS} and writes their tables into bench/README.md: for the first card by shader, and under Tint. */
export async function writeReports(): Promise<void> {
  const [reports, fronts]: [string[], string[]] = [[], []];
  const families = Object.keys(CARDS) as Family[];
  for (const settings of STEPS) {
    const cards = await compileForCards(settings, families);
    cards.forEach((lines, card) => {
      const least = LISTED * sum(lines, ({ seconds }) => seconds);
      const listed = card === 0 ? lines.filter(({ seconds }) => seconds > least).length : 0;
      reports.push(report(settings, families[card]!, longestFirst(lines), listed));
    });
    if (!settings.mixed) fronts.push(await frontsReport(settings, families[0]!, cards[0]!));
  }
  const text = await Deno.readTextFile(README);
  const [before, after] = [text.indexOf(START), text.indexOf(END)];
  if (before < 0 || after < before) throw new Error(`Cannot write bench/README.md as it must have ${START} and ${END}`);
  await Deno.writeTextFile(
    README,
    `${text.slice(0, before + START.length)}\n\n${[...reports, ...fronts].join("\n\n")}\n\n${text.slice(after)}`,
  );
}
