import type { Bytes } from "./dtype.ts";
import { partOf, removeParts, writeWhole } from "./file.ts";
import { describeOwner, FileLock, LockedError } from "./file_lock.ts";

/**
 * A folder of results that one process writes to at a time: `.lock` in it names the owner. Files are replaced whole or
 * not at all.
 *
 * @example Usage
 * ```ts
 * import { OutputFolder } from "@decoupled/uniformity/formats";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * const path = `${await Deno.makeTempDir()}/run`;
 * using folder = await OutputFolder.open(path);
 * await folder.write("results.json", "[]");
 * assertEquals(await Deno.readTextFile(folder.file("results.json")), "[]");
 * await assertRejects(() => OutputFolder.open(path), Error, `another run writes to it, process ${Deno.pid}`);
 * ```
 */
export class OutputFolder implements Disposable {
  /** Path of the folder. */
  readonly path: string;
  readonly #lock: FileLock;

  private constructor(path: string, lock: FileLock) {
    this.path = path;
    this.#lock = lock;
  }

  /**
   * Makes the folder, takes it for this process, removes what a killed one left half-written, and tries that it can be
   * written to.
   *
   * @param path The folder.
   * @param inner Names of folders in it that are cleared alike.
   * @throws {Error} If it cannot, or another run writes to it; the message says which process, and since when.
   */
  static async open(path: string, inner: readonly string[] = []): Promise<OutputFolder> {
    if (path === "") throw new TypeError('Cannot write to --save_dir as it must name a folder: got ""');
    try {
      await Deno.mkdir(path, { recursive: true });
      const folder = new OutputFolder(path, FileLock.take(`${path}/.lock`));
      try {
        for (const each of [path, ...inner.map((name) => folder.file(name))]) {
          if (await Deno.stat(each).then(({ isDirectory }) => isDirectory, () => false)) await removeParts(each);
        }
        const probe = partOf(folder.file("probe"));
        await Deno.writeTextFile(probe, "");
        await Deno.remove(probe);
        return folder;
      } catch (error) {
        folder[Symbol.dispose]();
        throw error;
      }
    } catch (cause) {
      throw cannotWrite(path, cause);
    }
  }

  /** Path of a file in it. */
  file(name: string): string {
    return `${this.path}/${name}`;
  }

  /**
   * Replaces a file, whole or not at all.
   *
   * @param name Its name in the folder.
   * @param content Text, or bytes piece by piece.
   * @throws {Error} If the folder cannot be written to.
   */
  async write(name: string, content: string | Iterable<Bytes> | AsyncIterable<Bytes>): Promise<void> {
    await this.change(() => writeWhole(this.file(name), content));
  }

  /** Adds text or bytes to a file; they are with the system when this returns. */
  append(name: string, content: string | Bytes): void {
    this.check();
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    try {
      Deno.writeFileSync(this.file(name), bytes, { append: true });
    } catch (cause) {
      throw cannotWrite(this.path, cause);
    }
  }

  /** Changes files in it, and says which folder it is where that fails. */
  async change<T>(body: () => Promise<T>): Promise<T> {
    this.check();
    try {
      return await body();
    } catch (cause) {
      throw cannotWrite(this.path, cause);
    }
  }

  /**
   * Looks whether the folder is still the one that was opened.
   *
   * @throws {Error} If it is not: then another run may write there.
   */
  check(): void {
    if (this.#lock.isHeld()) return;
    throw cannotWrite(this.path, new Error("it was removed or replaced while the run went on"));
  }

  /** Lets other processes write to it. */
  [Symbol.dispose](): void {
    this.#lock[Symbol.dispose]();
  }
}

function cannotWrite(path: string, cause: unknown): unknown {
  if (!(cause instanceof Error)) return cause;
  let reason = cause.message;
  if (cause instanceof LockedError) {
    reason = `another run writes to it, ${describeOwner(cause.owner)}; wait for its end or give another folder`;
  } else if (cause instanceof Deno.errors.AlreadyExists || cause instanceof Deno.errors.NotADirectory) {
    reason = `it must be a folder, or be made in one, and a file is in its place (${cause.message})`;
  }
  return new Error(`Cannot write to --save_dir "${path}": ${reason}`, { cause });
}
