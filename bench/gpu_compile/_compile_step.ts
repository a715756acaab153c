import type { Pipeline } from "../../tests/portability/_null_gpu.ts";
import { type CardCode, CARDS, compileFor, type Family } from "./_cards.ts";
import { type Line, lineOf } from "./_estimate.ts";
import type { Front } from "./_front.ts";
import { spirvOf } from "./_spirv.ts";
import { dispatchesOf, type StepSettings } from "./_step.ts";

/** Every pipeline of a step as a card would run it, that which takes longest first. */
export async function compileStep(settings: StepSettings, family: Family, front: Front = "naga"): Promise<Line[]> {
  const [lines] = await compileForCards(settings, [family], front);
  return longestFirst(lines!);
}

/** Every pipeline of a step as each of several cards would run it, in the order of the step. */
export async function compileForCards(
  settings: StepSettings,
  families: readonly Family[],
  front: Front = "naga",
): Promise<Line[][]> {
  const used = await dispatchesOf(settings);
  const codes = await compilePipelines(used.map(({ pipeline }) => pipeline), families, front);
  return codes.map((of, card) => used.map((each, i) => lineOf(each, of[i]!, CARDS[families[card]!])));
}

/** Lines in the order of their time. */
export function longestFirst(lines: readonly Line[]): Line[] {
  return lines.toSorted((a, b) => b.seconds - a.seconds);
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
