// deno run -A bench/gpu_compile/_radv.ts FILE...   Compiles SPIR-V files with the driver that VK_DRIVER_FILES names, for the
// card that RADV_FORCE_FAMILY names, and prints a line of JSON each: registers, spills, instructions, loops.
import { instructionMix } from "./_assembly.ts";
import { Compiler } from "./_vulkan.ts";

const compiler = new Compiler();
console.log(JSON.stringify({ card: compiler.name }));
for (const path of Deno.args) {
  const compiled = compiler.compile(await Deno.readFile(path));
  if (!compiled) continue;
  const { assembly, ...rest } = compiled;
  console.log(JSON.stringify({ path, ...rest, ...instructionMix(assembly) }));
}
Deno.exit(0);
