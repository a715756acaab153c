import { Device } from "../../mod.ts";
import { commitOf } from "../../src/jobs/mod.ts";
import { OutputFolder } from "../../src/formats/mod.ts";
import { readJson } from "../../src/formats/internal.ts";
import { type DataArm, dataArms } from "./arms.ts";
import type { DataFlags } from "./flags.ts";
import { dataMarkdown, dataPage, type DataRun, LINEAR, readScores, RUN } from "./results.ts";

/** A run's file: what decides its result, and how it was made. */
interface RunFile {
  readonly pretrain: readonly string[];
  readonly evaluate: readonly string[];
  readonly seconds: number;
  readonly commit: string;
}

/** Names of the files and folders of a run. */

/**
 * Trains by every method with every seed, each by the data set's own program, and evaluates each by `linear_eval.ts`; what
 * is done already with the same arguments is not repeated, and a run that was ended goes on.
 *
 * @returns The status to end with: that of a program that failed, 130 after Ctrl-C.
 */
export async function runCompareData(flags: DataFlags): Promise<number> {
  using children = new Children();
  const runs: DataRun[] = [];
  const arms = dataArms(flags);
  using folder = await OutputFolder.open(flags.save_dir, arms.flatMap((arm) => seedsOf(flags).map(runName(arm))));
  let status = 0;
  for (const seed of seedsOf(flags)) {
    for (const arm of arms) {
      const place = folder.file(runName(arm)(seed));
      status ||= await runOnce(place, argumentsOf(flags, arm, seed, place), children);
      if (await Deno.stat(`${place}/${RUN}`).catch(() => null)) {
        runs.push({ arm: arm.name, seed, ...await readScores(place) });
      }
    }
  }
  if (runs.length > 0) await report(folder, flags, runs);
  return status;
}

function seedsOf({ first_seed, seeds }: DataFlags): number[] {
  return Array.from({ length: seeds }, (_, i) => first_seed + i);
}

/** Name of the folder of a run. */
function runName({ name }: DataArm): (seed: number) => string {
  return (seed) => `${name.replaceAll(/[^a-z0-9]+/gi, "_")}-${seed}`;
}

/** Arguments of the two programs of a run. */
interface Commands {
  readonly program: string;
  readonly pretrain: readonly string[];
  readonly evaluate: readonly string[];
}

function argumentsOf(flags: DataFlags, { args }: DataArm, seed: number, place: string): Commands {
  const { db, root, demo, epochs } = flags;
  const data = [...root === undefined ? [] : ["--root", root], ...demo ? ["--demo"] : []];
  const own = ["--seed", `${seed}`, ...epochs === undefined ? [] : ["--epochs", `${epochs}`]];
  const labels = db === "chexpert" && !flags.evaluate.includes("--chexpert_label") ? ["--chexpert_label", "all"] : [];
  return {
    program: db,
    pretrain: [...data, ...args, ...own, ...flags.pretrain, "--save_dir", place],
    evaluate: [
      ...["--db", db, ...data, ...labels, "--no-maps", ...flags.evaluate],
      ...["--pretrained", `${place}/encoder.safetensors`, "--save_dir", `${place}/${LINEAR}`],
    ],
  };
}

/** Trains and evaluates, unless that is done; returns the status of the program that failed, or 0. */
async function runOnce(place: string, commands: Commands, children: Children): Promise<number> {
  const { program, pretrain, evaluate } = commands;
  const file = `${place}/${RUN}`;
  const found = await readJson(file) as Partial<RunFile> | null;
  if (found) {
    const [before, now] = [found, commands].map((each) => JSON.stringify([each.pretrain, each.evaluate]));
    if (before === now) return 0;
    throw new TypeError(
      `Cannot go on with "${file}" as its arguments were others: got ${now}, there ${before}; give another --save_dir`,
    );
  }
  const started = performance.now();
  const status = await children.run(program, pretrain) || await children.run("linear_eval", evaluate);
  if (status !== 0) return status;
  const seconds = Math.round((performance.now() - started) / 1000);
  const made: RunFile = { pretrain, evaluate, seconds, commit: await commitOf() ?? "unknown" };
  using folder = await OutputFolder.open(place);
  await folder.write(RUN, `${JSON.stringify(made)}\n`);
  return 0;
}

async function report(folder: OutputFolder, flags: DataFlags, runs: readonly DataRun[]): Promise<void> {
  await using device = await Device.open();
  const seeds = [...new Set(runs.map(({ seed }) => seed))];
  const facts = [
    `${flags.db}${flags.demo ? " (demo)" : ""}`,
    device.info.description,
    `commit ${await commitOf() ?? "unknown"}`,
    `${seeds.length === 1 ? "seed" : "seeds"} ${seeds.join(", ")}`,
  ].join("; ");
  await folder.write("report.html", await dataPage(runs, facts));
  console.log(`${dataMarkdown(runs)}\n\n(${facts})\nReport: ${folder.file("report.html")}`);
}

/** The programs that run, one at a time: what asks this one to end is passed on, and no further one starts then. */
class Children {
  #child: Deno.ChildProcess | null = null;
  #stopped = false;
  readonly #onInterrupt = () => this.#stop(null); // a terminal interrupts the child itself
  readonly #onTerminate = () => this.#stop("SIGTERM");

  constructor() {
    Deno.addSignalListener("SIGINT", this.#onInterrupt);
    if (Deno.build.os !== "windows") Deno.addSignalListener("SIGTERM", this.#onTerminate);
  }

  /** Runs an example to its end and returns its status; 130 where nothing may start any more. */
  async run(name: string, args: readonly string[]): Promise<number> {
    if (this.#stopped) return 130;
    console.log(`\n${name}.ts ${args.join(" ")}`);
    const program = new URL(`../${name}.ts`, import.meta.url).href;
    this.#child = new Deno.Command(Deno.execPath(), { args: ["run", "-A", program, ...args] }).spawn();
    const { code } = await this.#child.status;
    this.#child = null;
    return code;
  }

  #stop(signal: Deno.Signal | null): void {
    this.#stopped = true;
    if (signal) this.#child?.kill(signal);
  }

  /** Listens no more. */
  [Symbol.dispose](): void {
    Deno.removeSignalListener("SIGINT", this.#onInterrupt);
    if (Deno.build.os !== "windows") Deno.removeSignalListener("SIGTERM", this.#onTerminate);
  }
}
