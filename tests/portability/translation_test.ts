// What the drivers of other systems are given: SPIR-V as naga writes it, translated to Metal's and Direct3D's languages by
// Debian's spirv-cross.
import { assertEquals, assertGreater } from "@std/assert";
import { reasonAgainstSpirv, spirvOf } from "../../bench/gpu_compile/_spirv.ts";
import { ADAPTERS, pipelinesOf } from "./_programs.ts";

/** The languages, and what spirv-cross is asked for: subgroups are in Metal 2.1, f16 buffers in shader model 6.2. */
const LANGUAGES = {
  MSL: ["--msl", "--msl-version", "20300"],
  HLSL: ["--hlsl", "--shader-model", "62", "--hlsl-enable-16bit-types"],
} as const;

async function output(command: string, args: readonly string[]) {
  const { code, stdout, stderr } = await new Deno.Command(command, { args: [...args] }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

async function isInstalled(command: string): Promise<boolean> {
  try {
    return (await output(command, ["--help"])).code >= 0;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** SPIR-V that was translated: most programs are the same on all adapters. */
const translated = new Set<string>();

async function isNew(path: string): Promise<boolean> {
  const digest = `${new Uint8Array(await crypto.subtle.digest("SHA-256", await Deno.readFile(path)))}`;
  return translated.size < translated.add(digest).size;
}

async function refusals(paths: readonly string[]): Promise<string[]> {
  const refused: string[] = [];
  for (const path of paths) {
    if (!await isNew(path)) continue;
    for (const [language, args] of Object.entries(LANGUAGES)) {
      const { code, stderr } = await output("spirv-cross", [...args, path]);
      if (code !== 0) refused.push(`${language}: ${stderr.trim()}`);
    }
  }
  return [...new Set(refused)];
}

const installed = await isInstalled("spirv-cross");
const reason = installed ? await reasonAgainstSpirv() : "spirv-cross is not installed";

for (const [name, memory] of [["GPU of 32 lanes", 32768], ["GPU with the least limits", 16384]] as const) {
  Deno.test({
    name: `the shaders of a ${name} compile with ${memory} bytes and translate to MSL and HLSL${
      reason && ` (skipped as ${reason})`
    }`,
    ignore: reason !== "",
    async fn() {
      const folder = await Deno.makeTempDir();
      try {
        const paths = await spirvOf(await pipelinesOf(ADAPTERS[name]!), folder, { memory });
        assertGreater(paths.length, 250);
        assertEquals(await refusals(paths), []);
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  });
}
