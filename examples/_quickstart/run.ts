import { Device } from "../../mod.ts";
import { formatDuration, ProgressDisplay, StopSignals } from "../../src/cli/mod.ts";
import { OutputFolder, safetensorsChunks } from "../../src/formats/mod.ts";
import { compileAhead } from "../../src/jobs/mod.ts";
import { readState } from "../../src/weights/mod.ts";
import { loadQuickstart, type QuickstartData } from "./data.ts";
import { chance, encodeAll, means, score } from "./evaluate.ts";
import { type QuickstartFlags, recipeOf } from "./flags.ts";
import { type Report, reportPage, type Run, SCORE_HEADER, scoreRows, verdictRows } from "./report.ts";
import { epochsFor, type Pace, remainingSeconds } from "./pace.ts";
import { type PriorName, RECIPE, type Recipe } from "./recipe.ts";
import { makeModel, trainEncoder } from "./train.ts";

/** Parts that all runs of a quickstart have in common. */
interface Session {
  readonly device: Device;
  readonly data: QuickstartData;
  readonly recipe: Recipe;
  readonly seed: number;
  readonly folder: OutputFolder;
  readonly signal: AbortSignal;
  /** Says once how long everything will take. */
  readonly tellPace: (pace: Pace) => void;
}

/**
 * Trains, evaluates and reports; Ctrl-C stops the training and reports what there is.
 *
 * @returns The status to end with.
 */
export async function runQuickstart(flags: QuickstartFlags): Promise<number> {
  const started = performance.now();
  using stop = new StopSignals();
  const { signal } = stop;
  await using device = await Device.open();
  console.log(`Device: ${device.info.description}`);
  const data = await loadQuickstart();
  console.log(`Data: ${data.train.length} drawings of emoji to learn from, ${data.names.length} emoji held out`);
  using folder = await OutputFolder.open(flags.save_dir);
  const { seed, minutes } = flags;
  const asked = recipeOf(flags);
  const epochs = minutes ? await epochsFor(minutes, { device, data, recipe: asked, seed }) : flags.epochs;
  if (minutes) console.log(`Length: ${epochs} epochs fit into ${minutes} minutes`);
  const recipe = { ...asked, epochs };
  const session = { device, data, recipe, seed, folder, signal, tellPace: paceTeller() };
  const runs: Run[] = [await untrained(session)];
  for (const prior of [undefined, recipe.prior]) {
    if (!signal.aborted) runs.push(await trainOne(session, prior));
  }
  const facts = `${device.info.description}; ${epochs} epochs, width ${recipe.width}, batch ${recipe.batchSize}, ` +
    `seed ${seed}; ${formatDuration((performance.now() - started) / 1000)}` +
    (signal.aborted ? "; stopped early" : "");
  await writeResults({ runs, chance: chance(data), data, facts, advice: advice(recipe) }, flags, folder);
  return stop.status;
}

function paceTeller(): (pace: Pace) => void {
  let told = false;
  return (pace) => {
    if (told) return;
    told = true;
    console.log(`Time: about ${formatDuration(remainingSeconds(pace))} to go, by the first ${pace.step} batches`);
  };
}

async function untrained({ device, data, recipe, seed }: Session): Promise<Run> {
  const model = makeModel({ width: recipe.width, seed });
  const evaluation = score(await encodeAll(device, model, data), data);
  model.dispose();
  return { name: "untrained", seed, evaluation, losses: [] };
}

async function trainOne(session: Session, prior?: PriorName): Promise<Run> {
  const { device, data, recipe, seed, folder, signal, tellPace } = session;
  const name = prior ? `keyword prior (${prior})` : "no prior";
  const model = makeModel({ width: recipe.width, seed });
  const display = new ProgressDisplay();
  const losses: { x: number; y: number }[] = [];
  const beforeFirstStep = () => compileAhead(device, { onProgress: compilingOn(display) });
  const training = { recipe, seed, prior, signal, printEvery: 5, beforeFirstStep };
  for await (const report of trainEncoder(device, data, model, training)) {
    const { epoch, step, steps, loss, centroid_square, images_per_second, epochDone } = report;
    if (epoch > 1 || step > 5 || epochDone) {
      tellPace({ ...report, epochs: recipe.epochs, runs: 2, samples: data.train.length });
    }
    display.update({
      label: name,
      done: (epoch - 1 + step / steps) / recipe.epochs,
      values: [
        ["epoch", `${epoch}/${recipe.epochs}`],
        ["loss", loss.toFixed(3)],
        ["centroid²", centroid_square.toFixed(3)],
        ["images/s", images_per_second.toFixed(0)],
      ],
    });
    if (epochDone) losses.push({ x: epoch, y: loss });
  }
  const file = `${prior ? "keyword_prior" : "no_prior"}.safetensors`;
  const notes = { run: name, recipe: JSON.stringify(recipe), seed: String(seed) };
  await folder.write(file, safetensorsChunks(await readState(model), notes));
  display.print(`${signal.aborted ? "Stopped: what was learnt so far is in" : "Weights:"} ${folder.file(file)}`);
  const evaluation = score(await encodeAll(device, model, data), data);
  model.dispose();
  return { name, seed, evaluation, losses };
}

/** Shows how many shaders are compiled. */
function compilingOn(display: ProgressDisplay): (done: number, total: number) => void {
  return (done, total) => {
    display.update({ label: "compile", done: done / total, values: [["shaders", `${done} of ${total}`]] });
    if (done === total) display.restart();
  };
}

function advice({ epochs, width }: Recipe): string {
  const short = epochs < RECIPE.epochs || width < RECIPE.width;
  return (short ? `This run is shorter than README's table (${RECIPE.epochs} epochs, width ${RECIPE.width}). ` : "") +
    "One seed says little: deno run -A examples/compare_priors.ts has several, and a control.";
}

async function writeResults(report: Report, flags: QuickstartFlags, folder: OutputFolder): Promise<void> {
  const { runs, facts, advice } = report;
  printTable(SCORE_HEADER, scoreRows(report));
  const verdicts = verdictRows(report);
  if (verdicts.length > 0) printTable(["with the prior, against without", "difference [95 % interval]"], verdicts);
  console.log(`\n(${facts})\n${advice}`);
  const results = [
    { name: "chance", scores: report.chance },
    ...runs.map(({ name, evaluation }) => ({ name, scores: means(evaluation.scores) })),
  ];
  const json = {
    facts,
    flags,
    results,
    differences: Object.fromEntries(verdicts),
    losses: runs.map(({ name, losses }) => ({ name, losses })),
  };
  await folder.write("results.json", JSON.stringify(json, null, 2) + "\n");
  await folder.write("report.html", await reportPage(report));
  console.log(`Report: ${folder.file("report.html")}`);
}

function printTable(header: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = header.map((_, i) => Math.max(...[header, ...rows].map((row) => row[i]!.length)));
  console.log("");
  for (const row of [header, ...rows]) {
    console.log(row.map((cell, i) => i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]! + 2)).join(""));
  }
}
