import { CARDS, type Family } from "./_cards.ts";
import { compileStep } from "./_compile_step.ts";
import { frontsReport } from "./_fronts_report.ts";
import { END, LISTED, README, report, START, STEPS, sum } from "./_report.ts";

/** Compiles the steps of {@linkcode STEPS} and writes their tables into bench/README.md: for the first card by shader, and under Tint. */
export async function writeReports(): Promise<void> {
  const reports: string[] = [];
  for (const settings of STEPS) {
    for (const family of Object.keys(CARDS) as Family[]) {
      const lines = await compileStep(settings, family);
      const least = LISTED * sum(lines, ({ seconds }) => seconds);
      const listed = family === "navi31" ? lines.filter(({ seconds }) => seconds > least).length : 0;
      reports.push(report(settings, family, lines, listed));
    }
  }
  for (const settings of STEPS.slice(0, 4)) {
    if (!settings.mixed) reports.push(await frontsReport(settings, "navi31"));
  }
  const text = await Deno.readTextFile(README);
  const [before, after] = [text.indexOf(START), text.indexOf(END)];
  if (before < 0 || after < before) throw new Error(`Cannot write bench/README.md as it must have ${START} and ${END}`);
  await Deno.writeTextFile(
    README,
    `${text.slice(0, before + START.length)}\n\n${reports.join("\n\n")}\n\n${text.slice(after)}`,
  );
}
