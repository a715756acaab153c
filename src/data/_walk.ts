import { join } from "node:path";
import { isDirectory } from "./_files.ts";

/**
 * Endings of image files: those that torchvision's `ImageFolder` takes and that can be decoded here, and GIF and AVIF.
 */
const IMAGE = /\.(jpe?g|png|webp|tiff?|gif|avif)$/i;

/** Images below a folder, and endings of the other files. */
export interface FolderWalk {
  /** Paths relative to the folder, with `/`. */
  paths: string[];
  /** Number of files by each other ending. */
  others: Map<string, number>;
}

/**
 * Finds the images below a folder, in the order of torchvision's `ImageFolder`: folders sorted by their whole path,
 * then files by name. Links to folders are followed; names that begin with a dot, and what macOS adds
 * to archives (`__MACOSX`), are left out.
 */
export async function walkImages(root: string): Promise<FolderWalk> {
  const folders: { folder: string; files: string[] }[] = [];
  const others = new Map<string, number>();
  const seen = new Set<string>();
  async function visit(folder: string): Promise<void> {
    const one = await identityOf(join(root, folder));
    if (seen.has(one)) return; // a link that leads back
    seen.add(one);
    const files: string[] = [];
    for await (const entry of Deno.readDir(join(root, folder))) {
      if (entry.name.startsWith(".") || entry.name === "__MACOSX") continue;
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory || entry.isSymlink && await isDirectory(join(root, path))) await visit(path);
      else if (IMAGE.test(entry.name)) files.push(entry.name);
      else countEnding(others, entry.name);
    }
    folders.push({ folder, files: files.sort() });
  }
  await visit("");
  folders.sort((a, b) => a.folder < b.folder ? -1 : 1);
  const paths = folders.flatMap(({ folder, files }) => files.map((file) => folder === "" ? file : `${folder}/${file}`));
  return { paths, others };
}

/** Tells a folder, whichever way leads to it; its number is there at once where the real path takes a look at each part. */
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
