// SPIR-V as naga or Tint writes it, by way of llvmpipe, which can be asked to keep what it is given.
import { fromFileUrl, join } from "@std/path";
import type { Pipeline } from "../../tests/portability/_null_gpu.ts";
import type { Front } from "./_front.ts";

const COMPILE = fromFileUrl(new URL("_compile_pipelines.ts", import.meta.url));

/**
 * Compiles pipelines in a process of its own, on a device with so many bytes of workgroup memory, and leaves their SPIR-V in
 * `folder`.
 *
 * @returns The files, in the order of the pipelines.
 * @throws {Error} If one is refused, or if the adapter is not llvmpipe.
 */
export async function spirvOf(
  pipelines: readonly Pipeline[],
  folder: string,
  { memory = 32768, front = "naga" }: { memory?: number; front?: Front } = {},
): Promise<string[]> {
  const list = join(folder, "pipelines.json");
  await Deno.writeTextFile(list, JSON.stringify(pipelines));
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--cached-only", COMPILE, list, `${memory}`, front],
    env: { MESA_SPIRV_DUMP_PATH: folder, MESA_SHADER_CACHE_DISABLE: "1", NO_COLOR: "1" },
  }).output();
  const refused = new TextDecoder().decode(stdout);
  if (code !== 0 || refused) {
    throw new Error(`Cannot compile the shaders as the device must take them: got ${refused || status(code, stderr)}`);
  }
  const numbers = [...Deno.readDirSync(folder)].flatMap(({ name }) => name.match(/(\d+)\.spirv$/)?.[1] ?? []);
  const own = numbers.map(Number).sort((a, b) => a - b).slice(-pipelines.length); // the first few are wgpu's
  if (own.length !== pipelines.length) {
    throw new Error(`Cannot find the SPIR-V as llvmpipe must keep ${pipelines.length} modules: got ${own.length}`);
  }
  return own.map((number) => join(folder, `spirv-${number}.spirv`));
}

function status(code: number, stderr: Uint8Array): string {
  return `status ${code}, ${new TextDecoder().decode(stderr).trim()}`;
}

/** Reason why this machine cannot show SPIR-V; empty where it can. */
export async function reasonAgainstSpirv(): Promise<string> {
  const { description = "" } = (await navigator.gpu.requestAdapter())?.info ?? {};
  return /llvmpipe/i.test(description) ? "" : "only llvmpipe shows its SPIR-V";
}
