/** Output of a child process, and how it ended. */
export interface ChildResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs TypeScript in a Deno of its own, with more environment and flags; `uniformity` is the package. */
export async function runChild(
  script: string,
  env: Record<string, string>,
  flags: readonly string[] = [],
): Promise<ChildResult> {
  const mod = new URL("../../mod.ts", import.meta.url).href;
  const code = `const uniformity = await import(${JSON.stringify(mod)});\n${script}`;
  const { code: status, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--quiet", ...flags, code],
    env: { NO_COLOR: "1", ...env },
  }).output();
  const text = new TextDecoder();
  return { code: status, stdout: text.decode(stdout), stderr: text.decode(stderr) };
}
