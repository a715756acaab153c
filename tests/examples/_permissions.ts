import { assertEquals } from "@std/assert";
import { dirname, fromFileUrl, join } from "@std/path";

/** Root of the repository. */
export const ROOT = fromFileUrl(new URL("../..", import.meta.url));

/** Folder of the npm packages that Deno keeps, which `deno info` names. */
async function npmCache(): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json"], cwd: "/" }).output();
  return JSON.parse(new TextDecoder().decode(stdout)).npmCache;
}

/**
 * Reads the permissions that `examples/README.md` gives.
 *
 * @param read Folders in place of `photos`, which are read.
 * @param runs Folder in place of `runs`.
 */
export async function documented(read: readonly string[], runs: string): Promise<string[]> {
  const text = await Deno.readTextFile(join(ROOT, "examples", "README.md"));
  const [, command = ""] = /```sh\n(deno run --allow-read=[^`]*)```/.exec(text) ?? [];
  const flags = command.split(/[\s\\]+/).filter((word) => word.startsWith("--allow-"));
  assertEquals(flags.map((flag) => flag.replace(/=.*/, "")), [
    ...["--allow-read", "--allow-write", "--allow-env", "--allow-sys", "--allow-ffi"],
  ]);
  const places: Record<string, string> = { ".": ROOT, photos: read.join(), runs };
  return flags.map((flag) =>
    /^--allow-(read|write)=/.test(flag)
      ? flag.replace(/=(.*)/, (_, list: string) => `=${list.split(",").map((each) => places[each]!).join(",")}`)
      : flag
  );
}

/** The permissions that `examples/README.md` gives for runs in the system's temporary folder that read npm's packages. */
export async function documentedWithNpm(): Promise<string[]> {
  const folder = await Deno.makeTempDir();
  await Deno.remove(folder);
  return await documented([await npmCache()], dirname(folder));
}
