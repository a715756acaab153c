/** Error that stands for the end of a process. */
export class Killed extends Error {
  override name = "Killed";
}

const DENO = ["open", "openSync", "rename", "link", "remove", "removeSync", "mkdir", "copyFile"] as const;
const WRITERS = ["writeTextFile", "writeTextFileSync", "writeFile", "writeFileSync"] as const;
const FILE = ["write", "writeSync", "sync", "syncData", "truncate", "truncateSync"] as const;

/**
 * Runs a body that dies at its operation on files number `at` (1 is the first): that one is not done, or half done where
 * it writes bytes, and neither is anything after it.
 *
 * @returns Whether it died; not when it has fewer operations.
 */
export async function killedAt(at: number, body: () => Promise<unknown>): Promise<boolean> {
  let count = 0;
  const restore: (() => void)[] = [];
  const patch = <T extends object>(object: T, names: readonly string[], half?: (args: unknown[]) => unknown[]) => {
    for (const name of names) {
      const original = (object as Record<string, unknown>)[name] as (...args: unknown[]) => unknown;
      restore.push(() => Object.assign(object, { [name]: original }));
      const replaced = function (this: unknown, ...args: unknown[]): unknown {
        if (++count < at) return original.apply(this, args);
        const isSync = name.endsWith("Sync");
        const killed = () => {
          throw new Killed(`${name} is operation ${count}`);
        };
        if (count > at || !half) return isSync ? killed() : Promise.reject(new Killed(`${name} is operation ${count}`));
        const done = original.apply(this, half(args));
        return isSync ? killed() : Promise.resolve(done).then(killed);
      };
      Object.assign(object, { [name]: replaced });
    }
  };
  patch(Deno, DENO);
  patch(Deno, WRITERS, ([path, data, ...rest]) => [path, halfOf(data as string | Uint8Array), ...rest]);
  patch(Deno.FsFile.prototype, FILE.filter((name) => !name.startsWith("write")));
  patch(Deno.FsFile.prototype, ["write", "writeSync"], ([data]) => [halfOf(data as Uint8Array)]);
  try {
    await body();
    return false;
  } catch (error) {
    if (isKilled(error)) return true;
    throw error;
  } finally {
    for (const undo of restore) undo();
  }
}

function halfOf(data: string | Uint8Array): string | Uint8Array {
  const end = Math.floor(data.length / 2);
  return typeof data === "string" ? data.slice(0, end) : data.subarray(0, end);
}

/** Whether an error is the kill, or says that it was. */
function isKilled(error: unknown): boolean {
  return error instanceof Error && (error instanceof Killed || isKilled(error.cause));
}
