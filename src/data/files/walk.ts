import { join } from "node:path";
import { quoted } from "../../formats/internal.ts";
import { isDirectory } from "./files.ts";

/**
 * Endings of image files: those that torchvision's `ImageFolder` takes and that can be decoded here, and GIF and AVIF.
 */
const IMAGE = /\.(jpe?g|png|webp|tiff?|gif|avif)$/i;

/** Images below a folder, and what else is there. */
export interface FolderWalk {
  /** Paths relative to the folder, with `/`. */
  paths: string[];
  /** Number of files by each other ending. */
  others: Map<string, number>;
  /** Links to a folder that they lie in, which are left out. */
  circles: string[];
}

/** Largest number of folders that are looked into: links between folders can multiply them without end. */
const MAX_FOLDERS = 1_000_000;

/**
 * Finds the images below a folder, in the order of torchvision's `ImageFolder`: folders sorted by their whole path,
 * then files by name. Links to files and folders are followed, wherever they lead, as there: what is reached by two names
 * is listed twice. Links that lead back to a folder above them, names that begin with a dot, and what macOS adds
 * to archives (`__MACOSX`), are left out.
 *
 * @param root The folder that paths are relative to.
 * @param start The folder in it where the walk begins (default: itself).
 * @throws {RangeError} If there are more than a million folders.
 */
export async function walkImages(root: string, start = ""): Promise<FolderWalk> {
  const folders: { folder: string; files: string[] }[] = [];
  const others = new Map<string, number>();
  const circles: string[] = [];
  async function visit(folder: string, above: readonly string[]): Promise<void> {
    const one = await identityOf(join(root, folder));
    if (above.includes(one)) return void circles.push(folder);
    if (folders.length === MAX_FOLDERS) throw tooMany(root, folder);
    const files: string[] = [];
    folders.push({ folder, files });
    for await (const entry of Deno.readDir(join(root, folder))) {
      if (entry.name.startsWith(".") || entry.name === "__MACOSX") continue;
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory || entry.isSymlink && await isDirectory(join(root, path))) {
        await visit(path, [...above, one]);
      } else if (IMAGE.test(entry.name)) files.push(entry.name);
      else countEnding(others, entry.name);
    }
    files.sort();
  }
  await visit(start, start === "" ? [] : [await identityOf(root)]);
  folders.sort((a, b) => a.folder < b.folder ? -1 : 1);
  const paths = folders.flatMap(({ folder, files }) => files.map((file) => folder === "" ? file : `${folder}/${file}`));
  return { paths, others, circles: circles.sort() };
}

function tooMany(root: string, folder: string): RangeError {
  return new RangeError(
    `Cannot list "${root}" as it must hold at most ${MAX_FOLDERS} folders: got more, such as ${quoted(folder, 200)} ` +
      "(do links to folders multiply them?)",
  );
}

/** Identifies a folder, whichever path leads to it: by its number, which is faster than to resolve each part of the path. */
async function identityOf(folder: string): Promise<string> {
  const { dev, ino } = await Deno.stat(folder);
  return ino ? `${dev}:${ino}` : await Deno.realPath(folder);
}

function countEnding(counts: Map<string, number>, name: string): void {
  const ending = /\.[^.]+$/.exec(name)?.[0].toLowerCase() ?? "no ending";
  counts.set(ending, (counts.get(ending) ?? 0) + 1);
}

/** First part of a relative path, such as the class folder. */
export function topFolder(path: string): string {
  return path.slice(0, path.indexOf("/"));
}

/** The last part of a path. */
export function fileName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** Compares paths as `ImageFolder` sorts them: by folder, then by file name. */
export function compareByFolder(a: string, b: string): number {
  const [folderA, folderB] = [a.slice(0, a.lastIndexOf("/")), b.slice(0, b.lastIndexOf("/"))];
  if (folderA !== folderB) return folderA < folderB ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}
