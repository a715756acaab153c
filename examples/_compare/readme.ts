import { writeWhole } from "../../src/formats/mod.ts";
import { type Recipe, recipeDigest } from "../_quickstart/recipe.ts";
import type { ArmSet } from "./arms.ts";

/** Origin of a table. */
export interface TableSource {
  readonly recipe: Recipe;
  readonly facts: string;
  readonly commit: string;
  readonly date: string;
  readonly device: string;
  readonly seeds: number;
  readonly on: string;
}

/** Name of the marks that the table of a set of arms stands between. */
export function markName(set: ArmSet): string {
  return set === "main" ? "compare_priors" : set === "methods" ? "leaderboard" : set;
}

/** Opening mark of the table of a set of arms that was made with a recipe. */
export async function openingMark(
  { recipe, commit, date, device, seeds, on }: TableSource,
  set: ArmSet = "main",
): Promise<string> {
  return `<!-- ${markName(set)} recipe=${await recipeDigest(recipe)} commit=${commit} date=${date} seeds=${seeds} ` +
    `on=${on} device="${device}" -->`;
}

/** A page with what is between its marks replaced; null where it has none. */
export function withTable(page: string, opening: string, body: string): string | null {
  const name = opening.match(/^<!-- (\w+)/)![1]!;
  const between = new RegExp(`<!-- ${name} [^>]*-->[^]*?<!-- /${name} -->`);
  return between.test(page) ? page.replace(between, () => `${opening}\n\n${body}\n\n<!-- /${name} -->`) : null;
}

/**
 * Puts a table between the marks of its set of arms, `<!-- NAME … -->` and `<!-- /NAME -->`, into docs/results.md, and
 * that of the main arms into README.md too.
 *
 * @throws {SyntaxError} If a page has no such marks.
 */
export async function writeTable(table: string, source: TableSource, set: ArmSet): Promise<void> {
  const opening = await openingMark(source, set);
  const body = `${table}\n\nCommit ${source.commit}, ${source.date}; ${source.facts}.`;
  if (set === "main") await replace("README.md", opening, body);
  await replace("docs/results.md", opening, body);
}

async function replace(path: string, opening: string, body: string): Promise<void> {
  const file = new URL(`../../${path}`, import.meta.url);
  const page = withTable(await Deno.readTextFile(file), opening, body);
  if (page === null) {
    throw new SyntaxError(`Cannot write the table into "${path}" as there must be its marks: got none`);
  }
  await writeWhole(file, page);
  console.log(`Table: ${path} (deno fmt aligns it)`);
}
