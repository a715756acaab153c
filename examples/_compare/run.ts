import { Device } from "../../mod.ts";
import { formatDuration, StopSignals } from "../../src/cli/mod.ts";
import type { PriorRows } from "../../src/data/mod.ts";
import { commitOf } from "../../src/jobs/mod.ts";
import { OutputFolder } from "../../src/formats/mod.ts";
import { readJson } from "../../src/formats/internal.ts";
import { loadQuickstart, type QuickstartData, type Split } from "../_quickstart/data.ts";
import { queryGroups } from "../_quickstart/evaluate.ts";
import { recipeOf } from "../_quickstart/flags.ts";
import type { Recipe } from "../_quickstart/recipe.ts";
import { type Arm, ARM_MEASURES, armChance, type ArmMeasure, type ArmSet, armsOf, runArm } from "./arms.ts";
import type { CompareFlags } from "./flags.ts";
import { writeTable } from "./readme.ts";
import { comparePage, linesOf, markdown, type RunResult } from "./results.ts";
import { leaderboard, type LeaderboardLine } from "./leaderboard.ts";
import type { TableLine } from "../_quickstart/table.ts";

/** A run's file: what decides its result, and the result. */
interface RunFile {
  readonly settings: { readonly recipe: Recipe; readonly arm: Arm; readonly seed: number; readonly on: string };
  readonly commit: string;
  readonly device: string;
  readonly date: string;
  readonly seconds: number;
  readonly scores: Readonly<Record<string, readonly number[]>>;
}

/**
 * Runs all arms with all seeds; a run whose result is in the folder already, with the same settings, is not repeated.
 *
 * @returns The status to end with.
 */
export async function runCompare(flags: CompareFlags): Promise<number> {
  using stop = new StopSignals();
  await using device = await Device.open();
  const data = await loadQuickstart(flags.on as Split);
  using folder = await OutputFolder.open(flags.save_dir);
  const recipe = recipeOf(flags);
  const files: RunFile[] = [];
  const imagePriors = new Map<number, PriorRows>();
  for (let seed = flags.first_seed; seed < flags.first_seed + flags.seeds; seed++) {
    for (const arm of armsOf(recipe, flags.arms as ArmSet)) {
      const settings = { recipe, arm, seed, on: flags.on };
      const file = `${arm.name.replaceAll(/[^a-z0-9.]+/gi, "_")}-${seed}.json`;
      const earlier = await earlierRun(folder.file(file), settings);
      if (earlier) files.push(earlier);
      if (earlier || stop.signal.aborted) continue;
      const started = performance.now();
      const scores = await runArm(device, data, recipe, { arm, seed, signal: stop.signal, imagePriors });
      if (!scores) continue;
      const made: RunFile = {
        settings,
        commit: await commitOf() ?? "unknown",
        device: device.info.description,
        date: new Date().toISOString().slice(0, 10),
        seconds: Math.round((performance.now() - started) / 1000),
        scores: Object.fromEntries(Object.entries(scores).map(([key, values]) => [key, Array.from(values)])),
      };
      files.push(made);
      await folder.write(file, JSON.stringify(made) + "\n");
    }
  }
  if (files.length > 0) await report(files, data, { flags, folder, aborted: stop.signal.aborted });
  return stop.status;
}

async function report(
  files: readonly RunFile[],
  data: QuickstartData,
  { flags, folder, aborted }: { flags: CompareFlags; folder: OutputFolder; aborted: boolean },
): Promise<void> {
  const groups = queryGroups(data);
  const results = files.map(({ settings: { arm, seed }, scores }): RunResult => ({
    arm: arm.name,
    seed,
    scores: Object.fromEntries(
      ARM_MEASURES.map(([key]) => [key, Float64Array.from(scores[key]!)]),
    ) as RunResult["scores"],
  }));
  const one = (values: readonly string[]) => [...new Set(values)].join(" and ");
  const { recipe } = files[0]!.settings;
  const seconds = files.reduce((sum, each) => sum + each.seconds, 0);
  const facts = `${one(files.map(({ device }) => device))}; ${recipe.epochs} epochs, width ${recipe.width}, ` +
    `batch ${recipe.batchSize}, learning rate ${recipe.lr}, ${recipe.prior}, λ = ${recipe.ridge}; ` +
    `${seedsOf(flags)}; ${groups.length / 2} ` +
    `${flags.on === "test" ? "" : "validation "}emoji; ${formatDuration(seconds)}${aborted ? "; stopped early" : ""}`;
  await folder.write("report.html", await comparePage(results, groups, { facts, chance: armChance(data) }));
  const text = markdown(results, groups);
  console.log(`${text}\n\n(${facts})\nReport: ${folder.file("report.html")}`);
  if (!flags.readme) return;
  const from = {
    commit: one(files.map(({ commit }) => commit)),
    date: files.map(({ date }) => date).sort().at(-1)!,
    device: one(files.map(({ device }) => device)),
    seeds: flags.seeds,
  };
  const source = { recipe, facts, ...from, on: flags.on };
  const set = flags.arms as ArmSet;
  const board = () => leaderboard(linesOf(results).map((line) => leaderboardLine(line, files)), groups);
  await writeTable(set === "methods" ? board() : text, source, set);
}

/** `seeds 0 to 4`, or `seed 3`. */
function seedsOf({ first_seed, seeds }: CompareFlags): string {
  return seeds === 1 ? `seed ${first_seed}` : `seeds ${first_seed} to ${first_seed + seeds - 1}`;
}

function leaderboardLine(line: TableLine<ArmMeasure>, files: readonly RunFile[]): LeaderboardLine {
  const own = files.filter(({ settings }) => settings.arm.name === line.name);
  const seconds = own.reduce((sum, each) => sum + each.seconds, 0) / own.length;
  return { ...line, seconds, commit: [...new Set(own.map(({ commit }) => commit))].join(" and ") };
}

/** The run that a file holds; null where there is none. */
async function earlierRun(file: string, settings: RunFile["settings"]): Promise<RunFile | null> {
  const found = await readJson(file) as Partial<RunFile> | null;
  if (!found) return null;
  if (ARM_MEASURES.some(([key]) => !Array.isArray(found.scores?.[key]))) {
    throw new SyntaxError(`Cannot read "${file}" as it must hold the scores of a run: got others`);
  }
  const [before, now] = [found.settings, settings].map((each) => JSON.stringify(each));
  if (before === now) return found as RunFile;
  throw new TypeError(
    `Cannot go on with "${file}" as its settings were others: got ${now}, there ${before}; give another --save_dir`,
  );
}
