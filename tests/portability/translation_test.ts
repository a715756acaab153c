// What the drivers of other systems are given: SPIR-V as naga writes it, translated to Metal's and Direct3D's languages by
// Debian's spirv-cross.
import { assertEquals, assertGreater } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { ADAPTERS, pipelinesOf } from "./_programs.ts";

const COMPILE = fromFileUrl(new URL("_compile.ts", import.meta.url));

/** The languages, and what spirv-cross is asked for: subgroups are in Metal 2.1, f16 buffers in shader model 6.2. */
const LANGUAGES = {
  MSL: ["--msl", "--msl-version", "20300"],
  HLSL: ["--hlsl", "--shader-model", "62", "--hlsl-enable-16bit-types"],
} as const;

async function output(command: string, args: readonly string[], env: Record<string, string> = {}) {
  const { code, stdout, stderr } = await new Deno.Command(command, { args: [...args], env }).output();
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

/** Compiles the pipelines of an adapter with so many bytes of workgroup memory; their SPIR-V. */
async function compiled(name: string, memory: number, folder: string): Promise<string[]> {
  const pipelines = await pipelinesOf(ADAPTERS[name]!);
  const list = join(folder, "pipelines.json");
  await Deno.writeTextFile(list, JSON.stringify(pipelines));
  const args = ["run", "-A", "--no-check", COMPILE, list, `${memory}`];
  const { stdout, stderr, code } = await output(Deno.execPath(), args, { MESA_SPIRV_DUMP_PATH: folder, NO_COLOR: "1" });
  assertEquals([code, stdout], [0, ""], stderr);
  const numbers = [...Deno.readDirSync(folder)].flatMap(({ name }) => name.match(/(\d+)\.spirv$/)?.[1] ?? []).map(
    Number,
  );
  const own = numbers.sort((a, b) => a - b).slice(-pipelines.length); // the first few are wgpu's
  assertEquals(own.length, pipelines.length);
  return own.map((number) => join(folder, `spirv-${number}.spirv`));
}

async function refusals(paths: readonly string[]): Promise<string[]> {
  const refused: string[] = [];
  for (const path of paths) {
    for (const [language, args] of Object.entries(LANGUAGES)) {
      const { code, stderr } = await output("spirv-cross", [...args, path]);
      if (code !== 0) refused.push(`${language}: ${stderr.trim()}`);
    }
  }
  return [...new Set(refused)];
}

const installed = await isInstalled("spirv-cross");
const spirv = /llvmpipe/i.test((await navigator.gpu.requestAdapter())?.info.description ?? "");
const reason = !installed ? "spirv-cross is not installed" : spirv ? "" : "only llvmpipe shows its SPIR-V";

for (const [name, memory] of [["GPU of 32 lanes", 32768], ["GPU with the least limits", 16384]] as const) {
  Deno.test({
    name: `the shaders of a ${name} compile with ${memory} bytes and translate to MSL and HLSL${
      reason && ` (skipped as ${reason})`
    }`,
    ignore: reason !== "",
    async fn() {
      const folder = await Deno.makeTempDir();
      try {
        const paths = await compiled(name, memory, folder);
        assertGreater(paths.length, 250);
        assertEquals(await refusals(paths), []);
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  });
}
