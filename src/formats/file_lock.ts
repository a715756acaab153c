import { escapeCommands } from "./quoted.ts";

/** The latest time that a date can be, ms since 1970. */
const MOST_TIME = 8.64e15;

/** Holder of a lock, as the file tells. */
export interface LockOwner {
  /** Number of the process. */
  readonly pid: number;
  /** Name of its machine; empty where it may not be asked for. */
  readonly host: string;
  /** Time at which it took the lock, ms since 1970. */
  readonly since: number;
}

/** Error of a file that another process, or another part of this one, has locked. */
export class LockedError extends Error {
  /** Name of the class, which errors are printed with. */
  override name = "LockedError";
  /** Holder of the lock; null where the file does not tell. */
  readonly owner: LockOwner | null;

  /** The message names the owner and how long it has held the lock. */
  constructor(path: string, owner: LockOwner | null) {
    super(`Cannot lock "${path}" as it is held by ${describeOwner(owner)}`);
    this.owner = owner;
  }
}

/** Describes a holder, such as `process 4711 on host-a since 2026-11-28 16:40:05 UTC (3 minutes)`. */
export function describeOwner(owner: LockOwner | null, now: number = Date.now()): string {
  if (!owner) return "another process";
  const { pid, host, since } = owner;
  const seconds = Math.max(0, Math.round((now - since) / 1000));
  const age = seconds < 120
    ? `${seconds} seconds`
    : seconds < 7200
    ? `${Math.round(seconds / 60)} minutes`
    : `${Math.round(seconds / 3600)} hours`;
  const time = new Date(since).toISOString().slice(0, 19).replace("T", " ");
  return `process ${pid}${host ? ` on ${escapeCommands(host)}` : ""} since ${time} UTC (${age})`;
}

/**
 * A file that one process holds at a time and that names its owner. The system lets it go when the process ends, however
 * it ends, so that nothing is left to clear up.
 */
export class FileLock implements Disposable {
  readonly #path: string;
  #file: Deno.FsFile | null;

  private constructor(path: string, file: Deno.FsFile) {
    this.#path = path;
    this.#file = file;
  }

  /**
   * Takes the lock, at once or not at all.
   *
   * @throws {LockedError} If another holds it.
   * @throws {Error} If the file cannot be made, is a link, or its file system has no locks.
   */
  static take(path: string): FileLock {
    while (true) {
      const other = whatElse(path);
      if (other) throw new Error(`Cannot lock "${path}" as it must be a file: got ${other}`);
      const file = Deno.openSync(path, { read: true, write: true, create: true });
      const lock = new FileLock(path, file);
      try {
        if (!file.tryLockSync(true)) throw new LockedError(path, readOwner(path));
        if (lock.isHeld()) { // else the one before removed the file between our two calls
          file.truncateSync(0);
          file.writeSync(new TextEncoder().encode(`${JSON.stringify(thisOwner())}\n`));
          return lock;
        }
      } catch (error) {
        file.close();
        throw error;
      }
      file.close();
    }
  }

  /** Whether the file is still there, and the one that was locked. */
  isHeld(): boolean {
    if (!this.#file) return false;
    try {
      return Deno.statSync(this.#path).ino === this.#file.statSync().ino;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return false;
      throw error;
    }
  }

  /** Removes the file and lets the lock go. */
  [Symbol.dispose](): void {
    if (this.isHeld()) {
      try {
        Deno.removeSync(this.#path);
      } catch {
        // Windows removes no open file; an empty one that nobody holds is in nobody's way
      }
    }
    this.#file?.close();
    this.#file = null;
  }
}

/** Kind of thing that stands in a lock's place; null for a file, and for nothing. */
function whatElse(path: string): string | null {
  try {
    const { isSymlink, isDirectory, isFile } = Deno.lstatSync(path);
    if (isSymlink) return "a link, whose file would be lost";
    return isDirectory ? "a folder" : isFile ? null : "a device or a pipe";
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

function thisOwner(): LockOwner {
  const mayAsk = Deno.permissions.querySync({ name: "sys", kind: "hostname" }).state === "granted";
  return { pid: Deno.pid, host: mayAsk ? Deno.hostname() : "", since: Date.now() };
}

function readOwner(path: string): LockOwner | null {
  try {
    const owner = JSON.parse(Deno.readTextFileSync(path));
    const isTime = typeof owner?.since === "number" && Math.abs(owner.since) <= MOST_TIME;
    return isTime && Number.isInteger(owner.pid) && typeof owner.host === "string" ? owner : null;
  } catch {
    return null; // between the locking and the writing, or gone
  }
}
