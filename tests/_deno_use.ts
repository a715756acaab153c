/** Whether code without comments uses `Deno`; the name of the symbol that `console.log` looks for does not count. */
export function usesDeno(code: string): boolean {
  return /\bDeno\s*[.?[;,)]/.test(code.replaceAll(/Symbol\.for\(["'`]Deno\.customInspect["'`]\)/g, ""));
}

/** Code without its comments, as far as the code of this repository needs it. */
export function withoutComments(code: string): string {
  return code.replace(/\/\*[^]*?\*\//g, "").replace(/^\s*\/\/.*$|\s\/\/ .*$/gm, "");
}
