/**
 * Writes the reference as static pages: those of `deno doc --html` for every entry point, and on the front page a list
 * of the entry points with what each is for.
 *
 * `deno task doc:html [FOLDER]` (by default `site/reference`)
 */
import { fromFileUrl, join } from "@std/path";
import { html } from "../src/report/mod.ts";
import deno from "../deno.json" with { type: "json" };
import { checkFlags } from "./_usage.ts";

const ROOT = fromFileUrl(new URL("..", import.meta.url));

/** An entry point of the package. */
export interface EntryPoint {
  /** Specifier of an import: the package, or the package with the name of a folder. */
  readonly name: string;
  /** Address of its page, from the front page. */
  readonly page: string;
  /** First paragraph of its documentation. */
  readonly about: string;
}

/** The entry points that `deno.json` exports, in its order. */
export async function entryPoints(): Promise<EntryPoint[]> {
  return await Promise.all(
    Object.entries(deno.exports).map(async ([key, file]) => {
      const name = key.slice(2);
      const about = firstParagraph(await Deno.readTextFile(join(ROOT, file)));
      if (about === "") throw new SyntaxError(`Cannot list "${file}" as it must have a module doc: got none`);
      return { name: [deno.name, name].filter(Boolean).join("/"), page: name ? `./${name}/index.html` : "", about };
    }),
  );
}

/** The first paragraph of a file's module doc as text; empty without one. */
function firstParagraph(source: string): string {
  const doc = source.match(/\/\*\*([^]*?)\*\//)?.[1] ?? "";
  if (!doc.includes("@module")) return "";
  const text = doc.replaceAll(/^ *\* ?/gm, "").trim().split(/\n\s*\n/)[0]!.replaceAll(/\s+/g, " ");
  return text.replaceAll(/\{@linkcode (\S+?)\}/g, "$1").replaceAll("`", "");
}

/**
 * Puts the list of entry points below the front page's documentation.
 *
 * @throws {SyntaxError} If the page is not one that `deno doc` writes.
 */
export function withEntryPoints(page: string, points: readonly EntryPoint[]): string {
  const rows = points.filter((point) => point.page !== "").map(({ name, page, about }) =>
    html`
      <tr>
        <td><a href="${page}"><code>${name}</code></a></td>
        <td>${about}</td>
      </tr>
    `
  );
  const list = html`
    <div class="markdown" id="entry-points">
      <h2>Entry points</h2>
      <table>
        <thead>
          <tr>
            <th>import from</th>
            <th>for</th>
          </tr>
        </thead>
        <tbody>${rows}</tbody>
      </table>
    </div>
  `;
  const mark = /<\/section>\s*<\/main>/;
  if (!mark.test(page)) {
    throw new SyntaxError("Cannot list the entry points as the page must end as those of deno doc: got another");
  }
  return page.replace(mark, (end) => `${list}${end}`);
}

/** Style of narrow pages: the name of the package above the search, entry points as a list, code that scrolls. */
const STYLE = `
#entry-points { margin-top: 2rem }
@media (width < 640px) {
  #topnav { height: auto }
  #topnav > div { flex-wrap: wrap; gap: .5rem; height: auto }
  #topnav .breadcrumbs, #topnav .breadcrumbs * { font-size: 1rem; white-space: normal; overflow-wrap: normal }
  #entry-points thead { display: none }
  #entry-points tr, #entry-points td { display: block; width: 100% }
  .ddoc > div, #content { min-width: 0; max-width: 100%; flex: 1 1 0 }
}
`;

/** Writes all pages to a folder. */
export async function writeReference(folder: string): Promise<void> {
  const files = Object.values(deno.exports).map((file) => join(ROOT, file));
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["doc", "--html", `--name=${deno.name}`, `--output=${folder}`, ...files],
    cwd: ROOT,
    stdout: "null",
    stderr: "piped",
  }).output();
  if (code !== 0) throw new Error(`Cannot write the reference: ${new TextDecoder().decode(stderr)}`);
  const front = join(folder, "index.html");
  const page = withEntryPoints(await Deno.readTextFile(front), await entryPoints());
  await Deno.writeTextFile(front, page);
  await Deno.writeTextFile(join(folder, "page.css"), STYLE, { append: true, create: false });
}

if (import.meta.main) {
  checkFlags("Usage: deno task doc:html [folder]");
  const folder = Deno.args[0] ?? "site/reference";
  await writeReference(folder);
  console.log(`Written: ${join(folder, "index.html")}`);
}
