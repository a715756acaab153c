import { join } from "node:path";
import { FileSource } from "../../formats/mod.ts";
import { FileLock, fileSize, LockedError, openZip, quoted } from "../../formats/internal.ts";
import { ArchiveWriter } from "./_archive_writer.ts";
import { openPacked } from "./_decompress.ts";
import { isDirectory, isFile, isTaken, listSome, sameBytes } from "./files.ts";
import { readTar, type TarEntry } from "./_tar.ts";
import { checkOptions } from "../../tensor/internal.ts";

/** Progress of an extraction. */
export interface ExtractProgress {
  /** The archive's file name. */
  name: string;
  /** Files written so far. */
  files: number;
}

/** Options of {@linkcode extractTar}. */
export interface ExtractOptions {
  /** Callback for progress, now and then. */
  onProgress?: (progress: ExtractProgress) => void;
  /**
   * Bytes that the files may take together, with 512 for each file or folder itself (default: 100 times the archive and
   * 1 GiB): more is no data set but a bomb.
   */
  maxBytes?: number;
}

/**
 * Extracts a tar archive into a folder: as it is, or packed with gzip or xz, whatever it is called.
 *
 * Everything is first written to a temporary folder beside the destination and then moved, so that a folder of the
 * archive is either complete or absent. Nothing is written outside the destination: an archive with an absolute name, a
 * `..` in a name or a device is refused as a whole. A hard link to a file of the archive becomes a copy of it; a
 * symbolic link is made where it leads, by a relative path and through no other link, to what is in the same top-level
 * folder, and else is refused.
 *
 * @param path The archive.
 * @param destination The folder; it is made when it is absent.
 * @returns Names of the top-level files and folders that were written.
 * @throws {SyntaxError} If the archive is damaged, or holds an entry that is refused.
 * @throws {RangeError} If its files take more than `maxBytes`.
 * @throws {Deno.errors.AlreadyExists} If a top-level folder of the archive is there already, or a file with other bytes.
 * @example Usage
 * ```ts no-assert ignore
 * import { extractTar } from "@decoupled/uniformity/data";
 *
 * await extractTar("data/CUB_200_2011.tgz", "data");
 * ```
 */
export async function extractTar(path: string, destination: string, options: ExtractOptions = {}): Promise<string[]> {
  checkOptions("extractTar()", options, ["onProgress", "maxBytes"]);
  const maxBytes = await maxBytesOf(path, options);
  return await extractInto(destination, async (folder) => {
    const writer = new ArchiveWriter({ archive: path, folder, maxBytes });
    for await (const entry of readTar(await openPacked(path), path)) {
      if (entry.kind === "volume") continue; // the name of the whole, by tar --label
      checkKind(entry, path);
      const name = checkName(entry.name, path);
      if (entry.kind === "directory") await writer.addFolder(name);
      else if (entry.kind === "hard link") await writer.addCopy(name, checkName(entry.target, path));
      else if (entry.kind === "link") await writer.addLink(name, entry.target);
      else await writer.addFile(name, entry.chunks());
      if (writer.entries % 256 === 0) options.onProgress?.({ name: path, files: writer.entries });
    }
    await writer.finish();
    options.onProgress?.({ name: path, files: writer.entries });
  });
}

/**
 * Extracts a `.zip` archive into a folder, with the same care as {@linkcode extractTar}. What macOS adds (`__MACOSX/`)
 * is left out.
 *
 * @param path The archive.
 * @param destination The folder; it is made when it is absent.
 * @returns Names of the top-level files and folders that were written.
 * @throws {SyntaxError} If the archive is damaged, or holds a name that leaves the folder.
 * @throws {RangeError} If its files take more than `maxBytes`.
 * @throws {Deno.errors.AlreadyExists} If a top-level folder of the archive is there already, or a file with other bytes.
 * @example Usage
 * ```ts no-assert ignore
 * import { extractZip } from "@decoupled/uniformity/data";
 *
 * await extractZip("data/ut-zap50k-images.zip", "data");
 * ```
 */
export async function extractZip(path: string, destination: string, options: ExtractOptions = {}): Promise<string[]> {
  checkOptions("extractZip()", options, ["onProgress", "maxBytes"]);
  using source = new FileSource(path);
  const maxBytes = await maxBytesOf(path, options);
  const zip = await explain(path, () => openZip(source, { maxBytes }));
  return await extractInto(destination, async (folder) => {
    const writer = new ArchiveWriter({ archive: path, folder, maxBytes });
    for (const name of [...zip.entries.keys()].filter((name) => !name.startsWith("__MACOSX/"))) {
      const [to, bytes] = [checkName(name, path), await explain(path, () => zip.read(name))];
      if (zip.entries.get(name)!.link) await writer.addLink(to, new TextDecoder().decode(bytes));
      else await writer.addFile(to, [bytes]);
      if (writer.entries % 256 === 0) options.onProgress?.({ name: path, files: writer.entries });
    }
    await writer.finish();
    options.onProgress?.({ name: path, files: writer.entries });
  });
}

async function maxBytesOf(archive: string, { maxBytes }: ExtractOptions): Promise<number> {
  return maxBytes ?? 100 * await fileSize(archive) + 2 ** 30;
}

/** Puts the archive's name in front of what is wrong with it. */
async function explain<T>(path: string, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new SyntaxError(`Cannot extract "${path}": ${cause.message}`, { cause });
  }
}

/**
 * Checks the name of an entry and turns it into a relative path.
 *
 * @throws {SyntaxError} If it would leave the destination.
 */
export function checkName(name: string, archive: string): string {
  const parts = name.split(/[/\\]/);
  if (name === "" || name.startsWith("/") || name.startsWith("\\") || /^[a-z]:/i.test(name) || name.includes("\0")) {
    throw new SyntaxError(`Cannot extract "${archive}" as its names must be relative: got ${quoted(name)}`);
  }
  if (parts.includes("..")) {
    throw new SyntaxError(`Cannot extract "${archive}" as its names must stay in the folder: got ${quoted(name)}`);
  }
  return parts.filter((part) => part !== "" && part !== ".").join("/");
}

function checkKind(entry: TarEntry, archive: string): void {
  if (entry.kind === "other") {
    throw new SyntaxError(
      `Cannot extract "${archive}" as only files and folders are extracted: got ${quoted(entry.name)}`,
    );
  }
}

/** Beginning of the names of folders that are being filled; a file beside each is locked by who fills it. */
const EXTRACTING = ".extracting-";

/** Removes what processes that were killed have left of their extractions. */
async function removeAbandoned(destination: string): Promise<void> {
  for await (const { name, isDirectory } of Deno.readDir(destination)) {
    if (!isDirectory || !name.startsWith(EXTRACTING)) continue;
    try {
      using _ = FileLock.take(join(destination, `${name}.lock`));
      await Deno.remove(join(destination, name), { recursive: true });
    } catch (error) {
      const isBusy = error instanceof LockedError || error instanceof Deno.errors.NotFound; // or is being removed
      if (!isBusy) throw error;
    }
  }
}

/**
 * Runs `fill` on a temporary folder and moves what it made into `destination`: files first, then folders, so that a
 * folder that is there tells that all is there. A file that is there with the same bytes is one that an interrupted
 * extraction has left.
 *
 * @throws {Deno.errors.AlreadyExists} If something else of one of the names is there.
 */
export async function extractInto(
  destination: string,
  fill: (folder: string) => Promise<void>,
): Promise<string[]> {
  await Deno.mkdir(destination, { recursive: true });
  await removeAbandoned(destination);
  const folder = join(destination, `${EXTRACTING}${crypto.randomUUID().slice(0, 8)}`);
  using _ = FileLock.take(`${folder}.lock`);
  await Deno.mkdir(folder);
  try {
    await fill(folder);
    const names: { name: string; directory: boolean }[] = [];
    for await (const entry of Deno.readDir(folder)) names.push({ name: entry.name, directory: entry.isDirectory });
    names.sort((a, b) => Number(a.directory) - Number(b.directory) || (a.name < b.name ? -1 : 1));
    const taken: string[] = [];
    for (const { name, directory } of names) {
      const [made, there] = [join(folder, name), join(destination, name)];
      if (!await isTaken(there)) continue;
      if (directory || !await isFile(there) || !await sameBytes(made, there)) taken.push(name);
    }
    if (taken.length > 0) {
      throw new Deno.errors.AlreadyExists(
        `Cannot extract into "${destination}" as nothing may be replaced: ${listSome(taken)} is there already`,
      );
    }
    for (const { name } of names) await Deno.rename(join(folder, name), join(destination, name));
    return names.map(({ name }) => name);
  } finally {
    if (await isDirectory(folder)) await Deno.remove(folder, { recursive: true });
  }
}
