/** Runs a command to its end. */
export async function run(command: string, args: readonly string[], cwd: string): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, { args: [...args], cwd, stdin: "null" }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  if (!success) throw new Error(`Cannot run ${command} ${args[0]}: ${text(stderr) || text(stdout)}`);
  return text(stdout).trim();
}
