import { join } from "node:path";
import { contentOf, quoted, sayAbsent } from "../../formats/internal.ts";

/** Tells what a path is, followed through links; `null` when nothing is there. */
export async function kindOf(path: string): Promise<"file" | "directory" | null> {
  try {
    return (await Deno.stat(path)).isDirectory ? "directory" : "file";
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return null;
    throw error;
  }
}

/** Whether anything of that name is there, a link that leads nowhere too. */
export async function isTaken(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return false;
    throw error;
  }
}

/** Whether a file of that name is there. */
export async function isFile(path: string): Promise<boolean> {
  return await kindOf(path) === "file";
}

/** Whether a folder of that name is there. */
export async function isDirectory(path: string): Promise<boolean> {
  return await kindOf(path) === "directory";
}

/**
 * The text of a file in UTF-8, without a byte-order mark.
 *
 * @throws {Deno.errors.NotFound} If it is absent.
 * @throws {SyntaxError} If it is not UTF-8, as other bytes would become other names, or text that came in its place: a
 *   web page, a pointer of Git LFS.
 */
export async function readText(path: string): Promise<string> {
  const bytes = await Deno.readFile(path).catch((cause) => {
    throw sayAbsent(path, cause);
  });
  const content = contentOf(bytes);
  if (!/^(bytes|an empty file|JSON)\b/.test(content)) {
    throw new SyntaxError(`Cannot read "${path}" as it must be text in UTF-8: got ${content}`);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new SyntaxError(`Cannot read "${path}" as it must be text in UTF-8: save it as such`, { cause });
  }
}

/** Lines of a text file without their ends; empty lines are dropped. */
export async function readLines(path: string): Promise<string[]> {
  return (await readText(path)).split(/\r?\n/).map((line) => line.trim()).filter((line) => line !== "");
}

/**
 * A few names out of many, for a message: `"a", "b", "c" and 5 more`.
 */
export function listSome(names: readonly (string | number)[], limit = 5): string {
  const shown = names.slice(0, limit).map((name) => typeof name === "number" ? String(name) : quoted(name, 200)).join(
    ", ",
  );
  return names.length > limit ? `${shown} and ${names.length - limit} more` : shown;
}

/** Names of the folders in a folder, sorted by code unit as Python sorts ASCII names. */
export async function listDirectories(root: string): Promise<string[]> {
  const names: string[] = [];
  for await (const entry of Deno.readDir(root)) {
    if (entry.isDirectory || entry.isSymlink && await isDirectory(join(root, entry.name))) names.push(entry.name);
  }
  return names.sort();
}

/** Whether two files hold the same bytes. */
export async function sameBytes(path: string, other: string): Promise<boolean> {
  using a = await Deno.open(path);
  using b = await Deno.open(other);
  if ((await a.stat()).size !== (await b.stat()).size) return false;
  const [one, two] = [new Uint8Array(1 << 16), new Uint8Array(1 << 16)];
  for (let count = one.length; count === one.length;) {
    count = await fill(a, one);
    if (count !== await fill(b, two)) return false;
    for (let i = 0; i < count; i++) if (one[i] !== two[i]) return false;
  }
  return true;
}

/** Reads until the buffer is full or the file at its end. */
async function fill(file: Deno.FsFile, buffer: Uint8Array): Promise<number> {
  let done = 0;
  while (done < buffer.length) {
    const count = await file.read(buffer.subarray(done));
    if (count === null) break;
    done += count;
  }
  return done;
}
