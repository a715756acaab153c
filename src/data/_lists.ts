import { join } from "@std/path";
import { listSome, readLines } from "./_files.ts";

/**
 * Reads lines `ID VALUE`.
 *
 * @throws {SyntaxError} If a line is of another form, or an id comes twice.
 */
export async function readIds(path: string): Promise<Map<string, string>> {
  const values = new Map<string, string>();
  for (const line of await readLines(path)) {
    const [, id, value] = /^(\d+)\s+(\S.*)$/.exec(line) ?? [];
    if (id === undefined || value === undefined) {
      throw new SyntaxError(`Cannot read "${path}" as its lines must be "NUMBER TEXT": got "${line}"`);
    }
    if (values.has(id)) throw new SyntaxError(`Cannot read "${path}" as no number may come twice: got ${id} twice`);
    values.set(id, value);
  }
  return values;
}

/**
 * Checks that images are where they should be, by listing their folders: one look at a folder instead of one at each image.
 *
 * @throws {SyntaxError} If some are absent.
 */
export async function checkPresence(root: string, paths: readonly string[]): Promise<void> {
  const present = new Set<string>();
  for (const folder of new Set(paths.map((path) => path.slice(0, path.lastIndexOf("/") + 1)))) {
    try {
      for await (const entry of Deno.readDir(join(root, folder))) present.add(folder + entry.name);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  const absent = paths.filter((path) => !present.has(path));
  if (absent.length > 0) {
    throw new SyntaxError(
      `Cannot use "${root}" as all images must be there: ${absent.length} of ${paths.length} are absent: ${
        listSome(absent)
      }`,
    );
  }
}
