import { basename, join } from "node:path";
import { FileSource, OutputFolder, writeWhole } from "../../formats/mod.ts";
import { partOf, readAll, readJson, replaceBy } from "../../formats/internal.ts";
import {
  type Checkpoint,
  readCheckpoint,
  type ReadCheckpointOptions,
  type TrainingPosition,
  writeCheckpoint,
} from "../../checkpoints/mod.ts";
import { linesUpTo, type MetricsLine } from "./metrics_line.ts";
import { checkWritten } from "../../checkpoints/internal.ts";
import { checkOptions } from "../../tensor/internal.ts";

/** Options of {@linkcode RunFolder.open}. */
export interface RunFolderOptions {
  /** Whether this process writes to the folder; true by default. Of several ranks only the first one does. */
  readonly writes?: boolean;
}

/** A checkpoint that was found, and what a person should know about those that were passed over. */
export interface FoundCheckpoint {
  /** Path of the file. */
  readonly path: string;
  /** Contents of the file. */
  readonly checkpoint: Checkpoint;
  /** Notes on newer checkpoints that could not be read. */
  readonly notes: readonly string[];
}

/** Newest first: `next` is there only when a run ended in the midst of {@linkcode RunFolder.saveLast}. */
const LATEST = ["next.safetensors", "last.safetensors", "previous.safetensors"] as const;

/**
 * The folder of a run: `config.json`, `metrics.jsonl`, `report.html`, `last.safetensors`, the one before it
 * (`previous.safetensors`) and numbered checkpoints. A file is replaced whole or not at all, and one run writes to it
 * at a time. For a rank that does not write, what would be written is left to rank 0.
 */
export class RunFolder implements Disposable {
  /** Path of the folder. */
  readonly path: string;
  /** Writer of the folder; null where another rank writes. */
  readonly #output: OutputFolder | null;
  #lastIsDamaged = false;

  private constructor(path: string, output: OutputFolder | null) {
    this.path = path;
    this.#output = output;
  }

  /**
   * Makes the folder, and takes it for this process until it is disposed; does neither without `writes`.
   *
   * @throws {Error} If it cannot be written to, or another run writes to it.
   */
  static async open(path: string, options: RunFolderOptions = {}): Promise<RunFolder> {
    checkOptions("run RunFolder.open()", options, ["writes"]);
    const output = options.writes ?? true ? await OutputFolder.open(path) : null;
    return new RunFolder(output?.path ?? path, output);
  }

  /** Writer of the folder; null where another rank writes. */
  get output(): OutputFolder | null {
    return this.#output;
  }

  /** Path of a file of the run. */
  file(name: string): string {
    return join(this.path, name);
  }

  /** Whether there is such a file; true where another rank writes: nothing needs to be made up for. */
  async has(path: string): Promise<boolean> {
    return this.#output === null || await exists(path);
  }

  /** Writes a text file. */
  async writeText(name: string, text: string): Promise<void> {
    await this.#output?.write(name, text);
  }

  /**
   * Makes a checkpoint the last one and keeps the last one so far as the previous one; a crash at any moment loses
   * neither. It is read back before any other file is touched.
   *
   * @throws {Error} If it cannot be written, or reads back otherwise.
   */
  async saveLast(checkpoint: Checkpoint): Promise<string> {
    if (!this.#output) return this.file("last.safetensors");
    const next = this.file("next.safetensors");
    this.#output.check();
    await writeCheckpoint(next, checkpoint);
    await checkWritten(next);
    return await this.promote();
  }

  /** The second half of a save: `next` becomes the last checkpoint. There is a last one at every moment. */
  async promote(): Promise<string> {
    const [next, last, previous] = LATEST.map((name) => this.file(name)) as [string, string, string];
    await this.#output?.change(async () => {
      if (!this.#lastIsDamaged && await exists(last)) await duplicate(last, previous);
      await replaceBy(next, last);
    });
    this.#lastIsDamaged = false;
    return last;
  }

  /** Path of the checkpoint after some epochs: `checkpoint_0012.safetensors` after 12. */
  numbered(epoch: number): string {
    return this.file(`checkpoint_${String(epoch).padStart(4, "0")}.safetensors`);
  }

  /** Copies a checkpoint, the last one by default, to that of after some epochs. */
  async keepAs(epoch: number, from: string = this.file("last.safetensors")): Promise<string> {
    const path = this.numbered(epoch);
    await this.#output?.change(async () => {
      using file = await Deno.open(from);
      await writeWhole(path, file.readable);
    });
    return path;
  }

  /**
   * The newest checkpoint that can be read; null when there is none at all.
   *
   * @throws {SyntaxError} If there are some, and all are damaged.
   */
  async latest(): Promise<FoundCheckpoint | null> {
    const found = await firstReadable(LATEST.map((name) => this.file(name)));
    this.#lastIsDamaged = found?.path === this.file("previous.safetensors"); // which then stays the one before
    return found;
  }

  /** Settings that the run was started with; null for a new one. */
  async config(): Promise<Record<string, unknown> | null> {
    return await readJson(this.file("config.json"));
  }

  /**
   * Reads the lines of `metrics.jsonl` up to a position, and drops the later ones from the file: they are about to be
   * made again. None where another rank writes.
   */
  async rewindMetrics(to: TrainingPosition): Promise<MetricsLine[]> {
    if (!this.#output) return [];
    const path = this.file("metrics.jsonl");
    const text = await exists(path) ? await readTextOf(path) : "";
    const kept = linesUpTo(text, to);
    await this.writeText("metrics.jsonl", kept.map((line) => `${JSON.stringify(line)}\n`).join(""));
    return kept;
  }

  /** Appends a line to `metrics.jsonl`; it is with the system when this returns. */
  appendMetrics(line: MetricsLine): void {
    this.#output?.append("metrics.jsonl", `${JSON.stringify(line)}\n`);
  }

  /** Lets other runs write to the folder. */
  [Symbol.dispose](): void {
    this.#output?.[Symbol.dispose]();
  }
}

/**
 * Reads a checkpoint that a person named, or the newest one of a folder; where `last.safetensors` is damaged, the one
 * before it.
 *
 * @throws {Deno.errors.NotFound} If there is no such file.
 * @throws {SyntaxError} If neither can be read.
 */
export async function findCheckpoint(path: string): Promise<FoundCheckpoint> {
  const info = await Deno.stat(path).catch(() => null);
  if (!info) throw new Deno.errors.NotFound(`Cannot resume from "${path}": there is no such file`);
  if (!info.isDirectory && basename(path) !== "last.safetensors") { // no advice to delete what may be no checkpoint
    return { path, checkpoint: await readCheckpoint(path, { foreign: true }), notes: [] };
  }
  const candidates = info.isDirectory
    ? LATEST.map((name) => join(path, name))
    : [path, join(path, "..", "previous.safetensors")];
  const found = await firstReadable(candidates, { foreign: !info.isDirectory });
  if (found) return found;
  throw new Deno.errors.NotFound(`Cannot resume from "${path}": the folder has no checkpoint`);
}

async function firstReadable(
  paths: readonly string[],
  options?: ReadCheckpointOptions,
): Promise<FoundCheckpoint | null> {
  const damaged: { path: string; message: string }[] = [];
  for (const path of paths) {
    if (!await exists(path)) continue;
    try {
      const checkpoint = await readCheckpoint(path, options);
      const notes = damaged.map(({ message }) => `${message}; going on from "${path}"`);
      return { path, checkpoint, notes };
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      damaged.push({ path, message: error.message });
    }
  }
  if (damaged.length === 0) return null;
  throw new SyntaxError(
    `Cannot resume as every checkpoint is damaged: ${damaged.map(({ message }) => message).join("; ")}; delete ${
      damaged.map(({ path }) => `"${path}"`).join(" and ")
    } to start anew`,
  );
}

/** Gives a file a second name, in place of a file of that name; a copy where the file system has no hard links. */
async function duplicate(from: string, to: string): Promise<void> {
  const part = partOf(to);
  await Deno.link(from, part).catch(() => Deno.copyFile(from, part));
  await replaceBy(part, to);
  await Deno.remove(part).catch(() => {}); // a rename to another name of the same file does nothing
}

/** @throws {Deno.errors.IsADirectory} If it is a folder. */
async function readTextOf(path: string): Promise<string> {
  using source = new FileSource(path);
  return new TextDecoder().decode(await readAll(source));
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
