import type { Pipeline } from "../../tests/portability/_null_gpu.ts";
import { type CardCode, CARDS, compileFor, type Family } from "./_cards.ts";
import { type Line, lineOf } from "./_estimate.ts";
import type { Front } from "./_front.ts";
import { spirvOf } from "./_spirv.ts";
import { dispatchesOf, type StepSettings } from "./_step.ts";

/** Every pipeline of a step as a card would run it, that which takes longest first. */
export async function compileStep(settings: StepSettings, family: Family, front: Front = "naga"): Promise<Line[]> {
  return (await compileUnder([front], settings, family)).map(([line]) => line!);
}

/** Every pipeline of a step under several compilers of WGSL, that which takes longest under the first of them first. */
export async function compileUnder(fronts: readonly Front[], settings: StepSettings, family: Family) {
  const used = await dispatchesOf(settings);
  const codes: CardCode[][] = [];
  for (const front of fronts) codes.push(...await compilePipelines(used.map((each) => each.pipeline), [family], front));
  const lines: Line[][] = used.map((each, i) => codes.map((code) => lineOf(each, code[i]!, CARDS[family])));
  return lines.sort(([a], [b]) => b!.seconds - a!.seconds);
}

/** Code that each card's compiler makes of pipelines. */
export async function compilePipelines(
  pipelines: readonly Pipeline[],
  families: readonly Family[],
  front: Front = "naga",
) {
  const folder = await Deno.makeTempDir();
  try {
    const files = await spirvOf(pipelines, folder, { front });
    const codes: CardCode[][] = [];
    for (const family of families) codes.push(await compileFor(family, files));
    return codes;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
