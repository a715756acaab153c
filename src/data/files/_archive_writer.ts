import { dirname, join, posix } from "node:path";
import { quoted } from "../../formats/internal.ts";

const MAX_PART = 255; // bytes of a name on the file systems in use
const ENTRY = 512; // bytes that a file or folder counts for itself, so that their number has a bound
const MAX_PATH = 1024; // bytes of a whole path; macOS takes no more

type Kind = "file" | "folder" | "link";

/** Destination of an archive's files, and a bound on their bytes. */
export interface ArchivePlace {
  /** The archive, for messages. */
  archive: string;
  /** The folder. */
  folder: string;
  /** Bytes of all files. */
  maxBytes: number;
}

/**
 * Writes the files of an archive: no file twice, no file where a folder is, no name that a disk cannot hold, and no
 * more bytes than are allowed.
 */
export class ArchiveWriter {
  /** Files and folders so far. */
  entries = 0;
  readonly #place: ArchivePlace;
  readonly #kinds = new Map<string, Kind>([["", "folder"]]);
  readonly #links = new Map<string, string>();
  #bytes = 0;

  /** Begins with an empty folder. */
  constructor(place: ArchivePlace) {
    this.#place = place;
  }

  /**
   * Makes a folder.
   *
   * @param name Relative path with `/`; `""` is the folder itself.
   * @throws {SyntaxError} If it cannot be beside the names before it, or is too long.
   */
  async addFolder(name: string): Promise<void> {
    await this.#claim(name, "folder");
    this.entries++;
  }

  /**
   * Writes a file, and its folders.
   *
   * @throws {SyntaxError} If it cannot be beside the names before it, or is too long.
   * @throws {RangeError} If all files together take more than `maxBytes`.
   */
  async addFile(name: string, chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<void> {
    await this.#claim(name, "file");
    const options = { write: true, createNew: true } as const;
    using file = await this.#make(name, (path) => Deno.open(path, options));
    for await (const chunk of chunks) {
      this.#reserve(chunk.length);
      for (let at = 0; at < chunk.length;) at += await file.write(chunk.subarray(at));
    }
    this.entries++;
  }

  /**
   * Writes a copy of a file that was written before, which is what a hard link to it is.
   *
   * @throws {SyntaxError} If there is no such file yet, or the name cannot be beside the names before it.
   * @throws {RangeError} If all files together take more than `maxBytes`.
   */
  async addCopy(name: string, target: string): Promise<void> {
    if (this.#kinds.get(target) !== "file") {
      throw new SyntaxError(
        `Cannot extract "${this.#place.archive}" as a hard link must be to a file before it: got ${quoted(name)} to ` +
          quoted(target),
      );
    }
    const { readable } = await Deno.open(join(this.#place.folder, target)); // the stream closes it
    await this.addFile(name, readable);
  }

  /**
   * Notes a symbolic link, which is made by {@linkcode finish}, so that nothing is written through it.
   *
   * @throws {SyntaxError} If it leads out of its top-level folder, or the name cannot be beside the names before it.
   */
  async addLink(name: string, target: string): Promise<void> {
    await this.#claim(name, "link");
    const to = target.startsWith("/") ? ".." : posix.normalize(`${dirname(name)}/${target}`);
    const [top] = name.split("/");
    if (/[\\:\0]/.test(target) || target === "" || to !== top && !to.startsWith(`${top}/`)) {
      throw this.#badLink(name, target);
    }
    this.#links.set(name, target);
    this.entries++;
  }

  /**
   * Ends the archive: makes the symbolic links.
   *
   * @throws {SyntaxError} If there was nothing in it, such as in zeros that a disk holds for a download, or a link leads to nothing in the archive, or through another link.
   */
  async finish(): Promise<void> {
    if (this.entries === 0) {
      throw new SyntaxError(`Cannot extract "${this.#place.archive}" as an archive must hold files: got none`);
    }
    for (const [name, target] of this.#links) {
      const kind = this.#kinds.get(posix.normalize(`${dirname(name)}/${target}`).replace(/\/$/, ""));
      if (kind !== "file" && kind !== "folder") throw this.#badLink(name, target);
    }
    for (const [name, target] of this.#links) await this.#make(name, (path) => Deno.symlink(target, path));
  }

  #badLink(name: string, target: string): SyntaxError {
    return new SyntaxError(
      `Cannot extract "${this.#place.archive}" as links must be to what is in the same folder of the archive: got ` +
        `${quoted(name)} to ${quoted(target)}`,
    );
  }

  /** Takes a name, and makes the folders that it needs. */
  async #claim(name: string, kind: Kind): Promise<void> {
    this.#reserve(ENTRY);
    this.#checkLength(name);
    for (let end = name.indexOf("/"); end >= 0; end = name.indexOf("/", end + 1)) {
      await this.#claimFolder(name.slice(0, end));
    }
    const known = this.#kinds.get(name);
    if (known && known !== kind) throw this.#error(`${quoted(name)} is a ${[known, kind].sort().join(" and a ")}`);
    if (known && known !== "folder") throw this.#error(`${quoted(name)} comes twice`);
    if (kind === "folder") await this.#claimFolder(name);
    this.#kinds.set(name, kind);
  }

  async #claimFolder(name: string): Promise<void> {
    const known = this.#kinds.get(name);
    if (known === "folder") return;
    if (known) throw this.#error(`${quoted(name)} is a ${known} and a folder`);
    await this.#make(name, (path) => Deno.mkdir(path));
    this.#kinds.set(name, "folder");
  }

  #checkLength(name: string): void {
    const bytes = bytesOf(name);
    const longest = name.split("/").reduce((most, part) => Math.max(most, bytesOf(part)), 0);
    if (longest > MAX_PART) throw this.#error(`one takes ${longest} bytes (at most ${MAX_PART}) in ${quoted(name)}`);
    if (bytes > MAX_PATH) throw this.#error(`one takes ${bytes} bytes (at most ${MAX_PATH}): ${quoted(name)}`);
  }

  /** Makes what is new in the archive: a disk that does not tell "A" from "a" says only now that two names are one. */
  async #make<T>(name: string, make: (path: string) => Promise<T>): Promise<T> {
    try {
      return await make(join(this.#place.folder, name));
    } catch (cause) {
      if (!(cause instanceof Deno.errors.AlreadyExists)) throw cause;
      throw this.#error(`${quoted(name)} is the same as another on this disk`, cause);
    }
  }

  #reserve(bytes: number): void {
    const { archive, maxBytes } = this.#place;
    this.#bytes += bytes;
    if (this.#bytes <= maxBytes) return;
    throw new RangeError(`Cannot extract "${archive}" as maxBytes is ${maxBytes}: its files take more`);
  }

  #error(got: string, cause?: unknown): SyntaxError {
    return new SyntaxError(`Cannot extract "${this.#place.archive}" as its names must fit on a disk: ${got}`, {
      cause,
    });
  }
}

function bytesOf(text: string): number {
  return new TextEncoder().encode(text).length;
}
