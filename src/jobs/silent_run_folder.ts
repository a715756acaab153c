import type { Checkpoint, TrainingPosition } from "../train/mod.ts";
import type { MetricsLine } from "./pretrain/metrics_line.ts";
import { findCheckpoint, type FoundCheckpoint, type RunFiles, RunFolder } from "./run_folder.ts";

/** The run folder of a rank that is not the first: it is read, and what would be written is left to rank 0. */
export class SilentRunFolder implements RunFiles {
  /** Where it is. */
  readonly path: string;

  /** Stands for a folder that rank 0 opens. */
  constructor(path: string) {
    this.path = path;
  }

  /** Path of a file of the run. */
  file(name: string): string {
    return `${this.path}/${name}`;
  }

  /** Writes nothing. */
  writeText(): Promise<void> {
    return Promise.resolve();
  }

  /** Writes nothing. */
  saveLast(_checkpoint: Checkpoint): Promise<string> {
    return Promise.resolve(this.file("last.safetensors"));
  }

  /** Writes nothing. */
  promote(): Promise<string> {
    return Promise.resolve(this.file("last.safetensors"));
  }

  /** Says that everything is there: nothing needs to be made up for. */
  has(): Promise<boolean> {
    return Promise.resolve(true);
  }

  /** Path of a numbered checkpoint. */
  numbered(epoch: number): string {
    return this.file(`checkpoint_${String(epoch).padStart(4, "0")}.safetensors`);
  }

  /** Writes nothing. */
  keepAs(epoch: number): Promise<string> {
    return Promise.resolve(this.numbered(epoch));
  }

  /** The newest checkpoint that can be read; null when there is none at all. */
  async latest(): Promise<FoundCheckpoint | null> {
    try {
      return await findCheckpoint(this.path);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return null;
      throw error;
    }
  }

  /** Nobody asks a rank that is not the first. */
  config(): Promise<null> {
    return Promise.resolve(null);
  }

  /** Drops nothing. */
  rewindMetrics(_to: TrainingPosition): Promise<MetricsLine[]> {
    return Promise.resolve([]);
  }

  /** Writes nothing. */
  appendMetrics(): void {}

  /** Holds nothing. */
  [Symbol.dispose](): void {}
}

/** The run folder of a rank. */
export async function runFolderOf(path: string, rank: number): Promise<RunFiles> {
  return rank === 0 ? await RunFolder.open(path) : new SilentRunFolder(path);
}
