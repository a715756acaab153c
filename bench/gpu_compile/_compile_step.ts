import { CARDS, compileFor, type Family } from "./_cards.ts";
import { type Line, lineOf } from "./_estimate.ts";
import { spirvOf } from "./_spirv.ts";
import { dispatchesOf, type StepSettings } from "./_step.ts";

/** Every pipeline of a step as a card would run it, that which takes longest first. */
export async function compileStep(settings: StepSettings, family: Family): Promise<Line[]> {
  const used = await dispatchesOf(settings);
  const folder = await Deno.makeTempDir();
  try {
    const files = await spirvOf(used.map(({ pipeline }) => pipeline), folder);
    const codes = await compileFor(family, files);
    return used.map((each, i) => lineOf(each, codes[i]!, CARDS[family])).sort((a, b) => b.seconds - a.seconds);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
