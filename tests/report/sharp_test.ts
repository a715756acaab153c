import { assertEquals } from "@std/assert";

/** The error of an expression in a process without --allow-ffi. */
async function errorOf(expression: string): Promise<string> {
  const root = new URL("../../", import.meta.url);
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  await Deno.writeTextFile(
    file,
    `import { dataUris } from "${root}src/report/mod.ts"; import { decodeAhead } from "${root}src/data/images/decode.ts";
     await ${expression}.catch((error) => console.log(error.message));`,
  );
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-check",
      "--no-prompt",
      `--config=${root.pathname}deno.json`,
      "--allow-read",
      "--allow-env",
      "--allow-sys",
      file,
    ],
    cwd: root,
    env: { NO_COLOR: "1" },
  }).output();
  await Deno.remove(file);
  return new TextDecoder().decode(stdout).trim();
}

Deno.test("loadSharp() says in one sentence which permission it lacks, for pictures and in Workers", async () => {
  const files = { name: "x", files: { paths: ["a.jpg"], decode: {} }, length: 1 };
  for (const each of ["dataUris(new Uint8Array(3), 1, 1)", `Array.fromAsync(decodeAhead(${JSON.stringify(files)}))`]) {
    const text = (await errorOf(each)).replace(/access to "[^"]*"/, 'access to "…"');
    assertEquals(
      text,
      'Cannot load npm package "sharp", which decodes and encodes images: Requires ffi access to "…", run again with ' +
        "the --allow-ffi flag",
    );
  }
});
