// The compilers of WGSL whose SPIR-V is compiled for cards: naga, which Deno and Firefox have, and Tint, which Chrome has.

/** Name of a compiler of WGSL. */
export type Front = "naga" | "tint";

/** Compilers of WGSL. */
export const FRONTS: readonly Front[] = ["naga", "tint"];

/** Dawn, Chrome's WebGPU with Tint in it. */
const DAWN = "npm:webgpu@0.6.2";

/** Opens the WebGPU whose compiler that is. */
export async function openGpu(front: Front): Promise<GPU> {
  if (front === "naga") return navigator.gpu;
  const { create, globals } = await import(DAWN);
  Object.assign(globalThis, globals);
  return create(["backend=vulkan"]);
}

/** Reason why this machine does not have Tint; empty where it has. */
export async function reasonAgainstTint(): Promise<string> {
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--cached-only", `await import("${DAWN}"); Deno.exit(0)`],
    stdout: "null",
    stderr: "null",
  }).output();
  return success ? "" : `npm's webgpu must be in Deno's cache (deno cache ${DAWN})`;
}
