/** The commit of the checkout that runs, with a `+` where files differ from it; `unknown` outside a checkout. */
export async function commitOf(): Promise<string> {
  const git = async (...args: string[]) => {
    try {
      const { code, stdout } = await new Deno.Command("git", {
        args: ["-C", `${import.meta.dirname}`, ...args],
        stderr: "null",
      }).output();
      return code === 0 ? new TextDecoder().decode(stdout).trim() : null;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return null; // no git
      throw error;
    }
  };
  const commit = await git("rev-parse", "--short", "HEAD");
  if (!commit) return "unknown";
  return commit + (await git("status", "--porcelain", "--untracked-files=no") ? "+" : "");
}
