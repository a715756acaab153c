import { createHash } from "node:crypto";
import { join } from "node:path";
import type { AdapterFamily } from "../device/mod.ts";
import { writeWhole } from "../formats/mod.ts";
import type { TuneStore } from "../tune/mod.ts";
import { VERSION } from "./version.ts";

/**
 * Returns the folder where this user's programs keep what can be made again: `XDG_CACHE_HOME` or `~/.cache`, on macOS
 * `~/Library/Caches`, on Windows `LOCALAPPDATA`; null where the environment does not tell.
 *
 * @param os The operating system, as `Deno.build.os` names it.
 * @param env Looks a variable up.
 */
export function cacheFolder(
  os: string = Deno.build.os,
  env: (name: string) => string | undefined = (name) => Deno.env.get(name),
): string | null {
  if (os === "windows") return env("LOCALAPPDATA") || null;
  const home = env("HOME");
  if (os === "darwin") return home ? join(home, "Library", "Caches") : null;
  return env("XDG_CACHE_HOME") || (home ? join(home, ".cache") : null);
}

/**
 * Whether to tune, by the environment variable `TUNE`: `0` never, `1` on every adapter; by default on GPUs, since on
 * CPU adapters the table's choices are as fast.
 *
 * @throws {RangeError} If `TUNE` is something else.
 */
export function wantsTuning(
  family: AdapterFamily,
  env: (name: string) => string | undefined = (name) => Deno.env.get(name),
): boolean {
  const value = env("TUNE") ?? "";
  if (!["", "0", "1"].includes(value)) {
    throw new RangeError(`Cannot use the environment variable TUNE as it must be 0 or 1: got "${value}"`);
  }
  return value === "" ? family === "gpu" : value === "1";
}

/** Keeps what was tuned in files of a folder, one for each adapter and version of library, Deno, system and driver. */
export class TuneFiles implements TuneStore {
  /** Versions of this library, Deno, the system's kernel and, where it tells, NVIDIA's driver. */
  readonly environment: string;
  #folder: string;

  /** Creates a store; `folder` is made when there is something to keep. */
  constructor(folder: string) {
    this.#folder = folder;
    const { os, arch } = Deno.build;
    const system = `${os} ${arch} ${Deno.osRelease()}`;
    this.environment = [`uniformity ${VERSION}`, `Deno ${Deno.version.deno}`, system, ...nvidiaDriver()].join("; ");
  }

  /** The file of a key. */
  path(key: string): string {
    return join(this.#folder, `tuned-${createHash("sha256").update(key).digest("hex").slice(0, 16)}.json`);
  }

  /** Reads the file of a key. */
  async load(key: string): Promise<string | null> {
    try {
      return await Deno.readTextFile(this.path(key));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return null;
      throw error;
    }
  }

  /** Replaces the file of a key as a whole. */
  async save(key: string, text: string): Promise<void> {
    await Deno.mkdir(this.#folder, { recursive: true });
    await writeWhole(this.path(key), text);
  }
}

/** Files in the user's cache folder; undefined where there is none. */
export function userTuneFiles(): TuneFiles | undefined {
  const folder = cacheFolder();
  return folder === null ? undefined : new TuneFiles(join(folder, "uniformity"));
}

/** WebGPU does not show a driver's version; Linux tells that of NVIDIA's. */
function nvidiaDriver(): string[] {
  try {
    return [`NVIDIA ${Deno.readTextFileSync("/sys/module/nvidia/version").trim()}`];
  } catch {
    return [];
  }
}
