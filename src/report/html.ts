/** HTML that was put together from escaped parts. */
export class Html {
  /** The markup. */
  readonly markup: string;

  /** Takes markup as it is: only {@linkcode html} and the charts call this. */
  constructor(markup: string) {
    this.markup = markup;
  }

  /** The markup. */
  toString(): string {
    return this.markup;
  }
}

/** Value that {@linkcode html} takes: text is escaped, {@linkcode Html} is not, arrays are joined. */
export type HtmlValue = string | number | Html | readonly HtmlValue[] | null | undefined;

/** A template tag that escapes what is put in. */
export function html(parts: TemplateStringsArray, ...values: HtmlValue[]): Html {
  return new Html(parts.reduce((markup, part, i) => markup + part + (i < values.length ? render(values[i]) : ""), ""));
}

function render(value: HtmlValue): string {
  if (value === null || value === undefined) return "";
  if (value instanceof Html) return value.markup;
  if (Array.isArray(value)) return value.map(render).join("");
  return String(value).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}

/** An attribute of an element, after a space. */
function attribute(name: string, value: string): Html {
  return new Html(` ${name}="${render(value)}"`);
}

/** One part of a page. */
export interface Section {
  /** Heading; it also names the section in the page's address. */
  heading: string;
  /** Content of the section. */
  body: Html;
}

const STYLE = `
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #ffffff; --faint: #5b6570; --line: #d5dae0; --card: #f5f7f9 }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e9ec; --paper: #14171a; --faint: #9aa5b1; --line: #343b43; --card: #1d2227 }
}
body { margin: 0 auto; max-width: 60rem; padding: 1.5rem; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif }
h1 { font-size: 1.6rem; margin: 0 0 .3rem } h2 { font-size: 1.2rem; margin: 2.2rem 0 .5rem }
p { margin: .4rem 0 } .faint { color: var(--faint) } a { color: inherit }
figure { margin: .5rem 0; overflow-x: auto } svg { max-width: 100%; height: auto } svg text { fill: currentColor }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; max-width: 100% }
th, td { padding: .3rem .8rem; border-bottom: 1px solid var(--line); text-align: right; overflow-wrap: anywhere }
th { overflow-wrap: normal } td:first-child { overflow-wrap: break-word }
.many { font-size: .9rem } .many th, .many td { padding: .3rem .4rem }
th:first-child, td:first-child { text-align: left } th[colspan] { text-align: left } thead th { color: var(--faint); font-weight: 600 }
td.best { font-weight: 700 } .legend span { display: inline-block; margin-right: 1.2rem }
.legend i { display: inline-block; width: 1.4rem; height: .25rem; margin-right: .4rem; vertical-align: middle }
.legend i.dashed { height: 0; border-top: .15rem dashed var(--faint) } img.tile { image-rendering: auto; background: #fff;
  border-radius: 4px; vertical-align: middle } td.hit { outline: 2px solid #009e73; outline-offset: -3px }
pre { background: var(--card); padding: .7rem; overflow-x: auto } .narrow { display: none }
.counts th, .counts td { padding: .25rem .4rem } .counts th.class { writing-mode: vertical-rl; text-align: left;
  transform: rotate(180deg); white-space: nowrap } .counts td { min-width: 1.4rem }
@media (max-width: 44rem) {
  body { padding: 1rem .8rem } .wide { display: none } .narrow { display: block }
  .many thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%) }
  .many tr { display: block; padding: .4rem 0; border-bottom: 1px solid var(--line) }
  .many td, .many td:first-child { display: flex; justify-content: space-between; gap: 1rem; padding: .1rem 0;
    border: 0; text-align: right }
  .many td::before { content: attr(data-label); color: var(--faint); font-weight: 400; text-align: left }
  .many td:first-child { font-weight: 600 } .many td:first-child::before { content: none }
  .many td:empty { display: none }
  .pictures { table-layout: fixed; width: 100%; font-size: .8rem } .pictures th, .pictures td { padding: .15rem }
  .pictures img { width: 100%; height: auto } .counts { font-size: .75rem } .counts th, .counts td { padding: .15rem }
  .counts td { min-width: 0 }
}
`;

/** A page that needs no network: one file with everything inside, readable in light and dark. */
export function page(title: string, lead: HtmlValue, sections: readonly Section[]): string {
  const parts = sections.map(({ heading, body }) => html`<section><h2>${heading}</h2>${body}</section>`);
  return `<!doctype html>\n${html`
    <html lang="en">
      <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>${title}</title>
        <style>${new Html(STYLE)}</style>
      </head>
      <body><h1>${title}</h1><p class="faint">${lead}</p>${parts}</body>
    </html>
  `}\n`;
}

/** Columns up to which a table stands beside each other on a phone, too. */
const FEW = 3;

/**
 * A table; in each column named in `best` the largest (or smallest) number is bold. One of many columns becomes a list
 * for each row where the page is narrow; its roles say that it is a table all the same.
 */
export function table(header: readonly string[], rows: readonly (readonly HtmlValue[])[], best?: Best): Html {
  const winners = new Map<number, number>();
  for (const column of best?.columns ?? []) {
    const better = best?.smallest ? Math.min : Math.max;
    winners.set(
      column,
      rows.map((row) => Number(row[column])).reduce((a, b) => better(a, b), best?.smallest ? Infinity : -Infinity),
    );
  }
  const many = header.length > FEW;
  const role = (name: string) => many ? attribute("role", name) : "";
  const cell = (value: HtmlValue, column: number) => {
    const best = winners.has(column) && Number(value) === winners.get(column) ? attribute("class", "best") : "";
    const label = many ? attribute("data-label", header[column]!) : "";
    return html`<td${best}${role("cell")}${label}>${value}</td>`;
  };
  return html`
    <figure>
      <table${many ? attribute("class", "many") : ""}${role("table")}>
        <thead${role("rowgroup")}>
          <tr${role("row")}>${header.map((h) => html`<th${role("columnheader")}>${h}</th>`)}</tr>
        </thead>
        <tbody${role("rowgroup")}>${rows.map((row) => html`<tr${role("row")}>${row.map(cell)}</tr>`)}</tbody>
      </table>
    </figure>
  `;
}

/** Columns of a table that have a best row. */
export interface Best {
  /** Indices of the columns, 0-based. */
  columns: readonly number[];
  /** Whether small is good. */
  smallest?: boolean;
}
