import { join } from "node:path";
import { openZip } from "../../formats/internal.ts";
import { FileSource } from "../../formats/mod.ts";
import { extractTar, extractZip } from "./archive.ts";
import { download } from "./download.ts";
import { isFile, kindOf, listSome } from "./files.ts";

/** Progress of a loader before there are images to load. */
export interface ObtainProgress {
  /** Step that is under way. */
  step: "download" | "extract";
  /** The file it works on. */
  name: string;
  /** Bytes downloaded, or files extracted. */
  done: number;
  /** Bytes of the whole download, where known. */
  total?: number;
}

/** Options that every loader of a published data set takes. */
export interface ObtainOptions {
  /** Download the data set when it is absent (default `true`, where it can be had without signing anything). */
  download?: boolean;
  /** Callback while archives are downloaded and extracted. */
  onProgress?: (progress: ObtainProgress) => void;
  /** Stops a download. */
  signal?: AbortSignal;
}

/** One form in which a data set may be on disk. */
export interface DownloadSource {
  /** Folder of the extracted form. */
  folder: string;
  /** Paths, one of which must be in the folder; none: its presence is enough. */
  markers: readonly string[];
  /** File name of the archive that holds the folder. */
  archive?: string;
  /** Address of the archive. */
  url?: string;
  /** MD5 of the archive, where one is published; a .zip without one must have its directory, which is at its end. */
  md5?: string;
  /** Bytes that the archive cannot exceed. */
  maxBytes?: number;
}

/**
 * Finds a data set below `root`: extracted, or as an archive (which is then extracted), or on the network.
 *
 * @returns The first source that is there, and its folder.
 * @throws {Deno.errors.NotFound} If it is nowhere; the message says what to put where.
 */
export async function obtain(
  root: string,
  { title, sources, options, advice = "" }: {
    title: string;
    sources: readonly DownloadSource[];
    options: ObtainOptions;
    /** Advice on where to get the data set, when no program can. */
    advice?: string;
  },
): Promise<{ source: DownloadSource; folder: string }> {
  const found = await findFolder(root, sources);
  if (found) return found;
  for (const source of sources) {
    if (source.archive && await isFile(join(root, source.archive))) return await extract(root, source, title, options);
  }
  const absence = await describeAbsence(root, title, sources);
  const remote = sources.find((source) => source.url !== undefined);
  if (remote?.archive && remote.url && options.download !== false) {
    try {
      await download(remote.url, join(root, remote.archive), {
        md5: remote.md5,
        maxBytes: remote.maxBytes,
        check: remote.archive.endsWith(".zip") ? checkZip : undefined,
        signal: options.signal,
        onProgress: ({ name, bytes, total }) => options.onProgress?.({ step: "download", name, done: bytes, total }),
      });
    } catch (cause) {
      options.signal?.throwIfAborted();
      throw new Deno.errors.NotFound(
        `${absence} (${cause instanceof Error ? cause.message : cause})`,
        { cause },
      );
    }
    return await extract(root, remote, title, options);
  }
  throw new Deno.errors.NotFound(absence + advice);
}

async function checkZip(path: string): Promise<void> {
  using source = new FileSource(path);
  await openZip(source);
}

async function findFolder(
  root: string,
  sources: readonly DownloadSource[],
): Promise<{ source: DownloadSource; folder: string } | null> {
  for (const source of sources) {
    const own = join(root, source.folder);
    if (source.markers.length === 0 && await kindOf(own) !== null) return { source, folder: own };
    for (const folder of [own, root]) {
      for (const marker of source.markers) {
        if (await kindOf(join(folder, marker)) !== null) return { source, folder };
      }
    }
  }
  return null;
}

async function extract(
  root: string,
  source: DownloadSource,
  title: string,
  options: ObtainOptions,
): Promise<{ source: DownloadSource; folder: string }> {
  const archive = source.archive ?? "";
  const onProgress = ({ files }: { files: number }) =>
    options.onProgress?.({ step: "extract", name: archive, done: files });
  try {
    const extractAny = archive.endsWith(".zip") ? extractZip : extractTar;
    await extractAny(join(root, archive), root, { onProgress });
  } catch (error) {
    if (!await findFolder(root, [source])) throw error; // else another process was faster with the same archive
  }
  const found = await findFolder(root, [source]);
  if (found) return found;
  throw new SyntaxError(
    `Cannot load ${title} from "${join(root, archive)}": the archive holds no "${
      join(source.folder, source.markers[0] ?? "")
    }"`,
  );
}

async function describeAbsence(root: string, title: string, sources: readonly DownloadSource[]): Promise<string> {
  const half: string[] = [];
  for (const { folder } of sources) if (await kindOf(join(root, folder)) === "directory") half.push(folder);
  const wanted = sources.flatMap(({ folder, archive }) => archive ? [`${folder}/`, archive] : [`${folder}/`]);
  const state = await kindOf(root) !== "directory"
    ? "the folder is absent"
    : half.length > 0
    ? `${listSome(half)} lacks "${sources.find(({ folder }) => folder === half[0])?.markers[0]}"`
    : "none of its forms is there";
  return `Cannot load ${title} from "${root}": ${state}; put one of ${listSome(wanted, 9)} there`;
}
