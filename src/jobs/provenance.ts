import { VERSION } from "./version.ts";

/** Facts about what made a result, kept in its file. */
export interface Provenance {
  /** Version of this library. */
  readonly version: string;
  /** Commit of the clone that runs, with `+` where files differ from it; absent where it cannot be told. */
  readonly commit?: string;
  /** Time, in ISO 8601. */
  readonly date: string;
}

/** The version, the commit where {@linkcode commitOf} can tell it, and the time now. */
export async function provenance(): Promise<Provenance> {
  const commit = await commitOf();
  return { version: VERSION, ...commit === null ? {} : { commit }, date: new Date().toISOString() };
}

/**
 * The commit of the clone that this library runs from, with a `+` where its files differ from it.
 *
 * @param folder Folder of the clone to ask for; that of this module by default.
 * @param place Path of the folder in the clone, `/` at its end: another repository that holds the library is no clone.
 * @returns The short hash; null outside a clone, without git, and where running `git` is not allowed.
 *
 * @example
 * ```ts
 * import { commitOf } from "@decoupled/uniformity/jobs";
 *
 * console.log(await commitOf() ?? "no clone");
 * ```
 */
export async function commitOf(folder?: string, place = "src/jobs/"): Promise<string | null> {
  const cwd = folder ?? import.meta.dirname;
  const { state } = await Deno.permissions.query({ name: "run", command: "git" });
  if (cwd === undefined || state !== "granted") return null;
  const at = await git(cwd, "rev-parse", "--show-prefix");
  const commit = at === place ? await git(cwd, "rev-parse", "--short", "HEAD") : null;
  if (commit === null) return null;
  return await git(cwd, "status", "--porcelain", "--untracked-files=no") === "" ? commit : `${commit}+`;
}

/** Output of git; null where it fails or is not there. */
async function git(cwd: string, ...args: string[]): Promise<string | null> {
  try {
    const { success, stdout } = await new Deno.Command("git", { args: ["-C", cwd, ...args], stderr: "null" }).output();
    return success ? new TextDecoder().decode(stdout).trim() : null;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}
