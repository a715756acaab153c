import { assertEquals } from "@std/assert";

Deno.test("runMain() prints an error as one printable line", async () => {
  const main = import.meta.resolve("../../src/cli/main.ts");
  const code =
    `import { runMain } from "${main}"; await runMain(() => Promise.reject(new SyntaxError('"\\x1b[2J\\x9b" is bad')));`;
  for (const debug of ["", "1"]) {
    const { code: status, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "-A",
        "--config",
        new URL("../../deno.json", import.meta.url).pathname,
        `data:text/typescript,${encodeURIComponent(code)}`,
      ],
      env: { DEBUG: debug, NO_COLOR: "1" },
      stdout: "null",
    }).output();
    const text = new TextDecoder().decode(stderr);
    assertEquals(status, 1, text);
    assertEquals(text.includes('"\\x1b[2J\\x9b" is bad'), true, text);
    if (debug === "") assertEquals(text, 'error: "\\x1b[2J\\x9b" is bad\n');
  }
});
