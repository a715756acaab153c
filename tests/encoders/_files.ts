import { join } from "@std/path";
import { type NdArray, writeSafetensors } from "../../src/formats/mod.ts";

/** Makes what writes weights into a folder as safetensors, and gives the path. */
export function writerIn(folder: string): (name: string, state: Map<string, NdArray>) => Promise<string> {
  return async (name, state) => {
    const path = join(folder, `${name}.safetensors`);
    await Deno.writeFile(path, writeSafetensors(state));
    return path;
  };
}
