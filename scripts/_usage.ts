/**
 * Prints how a script is called, and ends: for `--help` with status 0, for a flag that is not `known` with status 2. Else
 * goes on.
 */
export function checkFlags(usage: string, known: readonly string[] = []): void {
  for (const arg of Deno.args) {
    if (!arg.startsWith("-") || known.includes(arg.replace(/=.*/, ""))) continue;
    const help = arg === "--help" || arg === "-h";
    (help ? console.log : console.error)(help ? usage : `Cannot read ${arg} as there is no such flag. ${usage}`);
    Deno.exit(help ? 0 : 2);
  }
}
