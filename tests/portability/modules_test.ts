// Every program, on every kind of adapter, as the front end of this runtime's WebGPU takes it: naga's in Deno, Tint in Node
// and Chromium. No pipeline is made, which is what takes a driver long.
import { assertEquals, assertGreater } from "@std/assert";
import { requestDevice } from "../../src/device/adapter.ts";
import { ADAPTERS, pipelinesOf } from "./_programs.ts";

const { gpu, directives } = await requestDevice();
const codes = new Map<string, string>();
for (const adapter of Object.values(ADAPTERS)) {
  for (const { code, label } of await pipelinesOf(adapter)) codes.set(code.replace(/^enable subgroups; /, ""), label);
}

/** Whether the device has what the program enables or uses. */
const isMeant = (code: string) =>
  (gpu.features.has("shader-f16") || !code.includes("enable f16;")) &&
  (gpu.features.has("subgroups" as GPUFeatureName) || !/\bsubgroup[A-Z]/.test(code));

/** What the front end says against a program. */
async function refusal(code: string): Promise<string[]> {
  const { messages } = await gpu.createShaderModule({ code: directives + code }).getCompilationInfo();
  return messages.filter(({ type }) => type === "error").map(({ message, lineNum }) => `line ${lineNum}: ${message}`);
}

Deno.test("this runtime takes every program of the library, and refuses one with an error in it", async () => {
  gpu.pushErrorScope("validation");
  assertGreater((await refusal("fn f() -> u32 { return 1.5; }")).length, 0);
  await gpu.popErrorScope();
  const refused: string[] = [];
  const meant = [...codes].filter(([code]) => isMeant(code));
  assertGreater(meant.length, 250); // without optional features there are fewer
  for (const [code, label] of meant) refused.push(...(await refusal(code)).map((one) => `${label}: ${one}`));
  assertEquals(refused, []);
  gpu.destroy();
});
