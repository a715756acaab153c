import type { Pipeline } from "../../tests/portability/_null_gpu.ts";
import { type CardCode, CARDS, compileFor, type Family } from "./_cards.ts";
import { type Line, lineOf } from "./_estimate.ts";
import { spirvOf } from "./_spirv.ts";
import { dispatchesOf, type StepSettings } from "./_step.ts";

/** Every pipeline of a step as a card would run it, that which takes longest first. */
export async function compileStep(settings: StepSettings, family: Family): Promise<Line[]> {
  const used = await dispatchesOf(settings);
  const [codes] = await compilePipelines(used.map(({ pipeline }) => pipeline), [family]);
  return used.map((each, i) => lineOf(each, codes![i]!, CARDS[family])).sort((a, b) => b.seconds - a.seconds);
}

/** Code that each card's compiler makes of pipelines. */
export async function compilePipelines(pipelines: readonly Pipeline[], families: readonly Family[]) {
  const folder = await Deno.makeTempDir();
  try {
    const files = await spirvOf(pipelines, folder);
    const codes: CardCode[][] = [];
    for (const family of families) codes.push(await compileFor(family, files));
    return codes;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
