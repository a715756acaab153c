import { writeWhole } from "../../src/formats/mod.ts";
import { type Recipe, recipeDigest } from "../_quickstart/recipe.ts";
import { leaderboard, type LeaderboardLine } from "./leaderboard.ts";

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

/** Opening mark of a table that was made with a recipe. */
export async function openingMark({ recipe, commit, date, device, seeds, on }: TableSource): Promise<string> {
  return `<!-- compare_priors recipe=${await recipeDigest(recipe)} commit=${commit} date=${date} seeds=${seeds} ` +
    `on=${on} device="${device}" -->`;
}

/** A page with what is between its marks replaced; null where it has none. */
export function withTable(page: string, opening: string, body: string): string | null {
  const name = opening.match(/^<!-- (\w+)/)![1]!;
  const between = new RegExp(`<!-- ${name} [^>]*-->[^]*?<!-- /${name} -->`);
  return between.test(page) ? page.replace(between, () => `${opening}\n\n${body}\n\n<!-- /${name} -->`) : null;
}

/**
 * Puts a table into README.md and docs/results.md between `<!-- compare_priors … -->` and `<!-- /compare_priors -->`, and
 * its lines into the leaderboard of docs/results.md.
 *
 * @throws {SyntaxError} If a page has no such marks.
 */
export async function writeReadme(
  table: string,
  lines: readonly LeaderboardLine[],
  { source, groups }: { readonly source: TableSource; readonly groups: ArrayLike<number> },
): Promise<void> {
  const opening = await openingMark(source);
  const body = `${table}\n\nCommit ${source.commit}, ${source.date}; ${source.facts}.`;
  await replace("README.md", opening, body);
  await replace("docs/results.md", opening, body);
  await replace("docs/results.md", opening.replace("compare_priors", "leaderboard"), leaderboard(lines, groups));
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
