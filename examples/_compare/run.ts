import { Device } from "../../mod.ts";
import { formatDuration } from "../../src/cli/mod.ts";
import { OutputFolder } from "../../src/formats/mod.ts";
import { readJson } from "../../src/formats/internal.ts";
import { loadQuickstart } from "../_quickstart/data.ts";
import { ARMS, runArm } from "./arms.ts";
import type { CompareFlags } from "./flags.ts";
import { comparePage, markdown, type RunResult } from "./results.ts";

/**
 * Runs all arms with all seeds; runs whose result is in the folder already, with the same settings, are not repeated.
 *
 * @returns The status to end with.
 */
export async function runCompare(flags: CompareFlags): Promise<number> {
  const stop = new AbortController();
  Deno.addSignalListener("SIGINT", () => stop.abort());
  await using device = await Device.open();
  const data = await loadQuickstart();
  using folder = await OutputFolder.open(flags.save_dir);
  const results = await earlierResults(folder.file("results.json"), flags);
  const started = performance.now();
  for (let seed = 0; seed < flags.seeds; seed++) {
    for (const arm of ARMS) {
      if (stop.signal.aborted || results.some((each) => each.arm === arm && each.seed === seed)) continue;
      const scores = await runArm(device, data, arm, seed, flags, stop.signal);
      if (!scores) continue;
      results.push({ arm, seed, scores });
      await folder.write("results.json", JSON.stringify({ settings: settingsOf(flags), results }, null, 2) + "\n");
    }
  }
  const facts =
    `${device.info.description}; ${flags.epochs} epochs, width ${flags.width}, batch ${flags.batch_size}, ` +
    `σ = ${flags.sigma}, ${flags.seeds} seeds, ${data.names.length} held-out emoji in two drawings; ` +
    `${formatDuration((performance.now() - started) / 1000)}${stop.signal.aborted ? "; stopped early by Ctrl-C" : ""}`;
  const shown = results.filter(({ seed }) => seed < flags.seeds);
  if (shown.length > 0) {
    await folder.write("report.html", await comparePage(shown, facts));
    console.log(`${markdown(shown)}\n\n(${facts})\nReport: ${folder.file("report.html")}`);
  }
  return stop.signal.aborted ? 130 : 0;
}

/** What decides a result, beside arm and seed. */
function settingsOf({ epochs, width, batch_size, lr, sigma }: CompareFlags) {
  return { epochs, width, batch_size, lr, sigma };
}

/** Results that are in the folder. */
async function earlierResults(file: string, flags: CompareFlags): Promise<RunResult[]> {
  const found = await readJson(file);
  if (!found) return [];
  const { settings, results } = found;
  if (!Array.isArray(results)) throw new SyntaxError(`Cannot read "${file}" as it must hold results: got none`);
  const [before, now] = [settings, settingsOf(flags)].map((each) => JSON.stringify(each));
  if (before === now) return results;
  throw new TypeError(
    `Cannot go on with "${file}" as its settings were others: got ${now}, there ${before}; give another --save_dir`,
  );
}
