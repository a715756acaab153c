import { join } from "node:path";
import { quoted } from "../../formats/internal.ts";
import { isDirectory, listSome, readLines } from "./files.ts";

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
      throw new SyntaxError(`Cannot read "${path}" as its lines must be "NUMBER TEXT": got ${quoted(line)}`);
    }
    if (values.has(id)) throw new SyntaxError(`Cannot read "${path}" as no number may come twice: got ${id} twice`);
    values.set(id, value);
  }
  return values;
}

/**
 * The path of an image as its list says it: `./a//b.jpg` and Windows' `a\\b.jpg` become `a/b.jpg`, as folders are told by it.
 *
 * @param list The list, for the message.
 * @throws {SyntaxError} If the path leads out of the list's folder.
 */
export function listedPath(list: string, path: string): string {
  const parts = path.split(/[/\\]/);
  const plain = parts.filter((part) => part !== "" && part !== ".").join("/");
  if (plain === "" || /^[/\\]|^[a-z]:|\0/i.test(path) || parts.includes("..")) {
    throw new SyntaxError(`Cannot read "${list}" as its images must be inside its folder: got ${quoted(path)}`);
  }
  return plain;
}

/**
 * Finds images by listing their folders: one look at a folder instead of one at each image.
 *
 * @returns The paths as they are on the disk, which may write a name composed or decomposed (NFC, NFD) where the list does not.
 * @throws {SyntaxError} If some are absent.
 */
export async function findImages(root: string, paths: readonly string[]): Promise<string[]> {
  const present = new Map<string, string>();
  for (const folder of new Set(paths.map((path) => path.slice(0, path.lastIndexOf("/") + 1)))) {
    const there = await folderOnDisk(root, folder);
    if (there === null) continue;
    for await (const entry of Deno.readDir(join(root, there))) {
      present.set((folder + entry.name).normalize("NFC"), there + entry.name);
    }
  }
  const absent = paths.filter((path) => !present.has(path.normalize("NFC")));
  if (absent.length > 0) {
    throw new SyntaxError(
      `Cannot use "${root}" as all images must be there: ${absent.length} of ${paths.length} are absent: ${
        listSome(absent)
      }`,
    );
  }
  return paths.map((path) => present.get(path.normalize("NFC"))!);
}

/** A folder under the name of the list, or under one of the same characters; null where there is none. */
async function folderOnDisk(root: string, folder: string): Promise<string | null> {
  for (const form of [folder, folder.normalize("NFC"), folder.normalize("NFD")]) {
    if (await isDirectory(join(root, form))) return form;
  }
  return null;
}
