import {
  dataUris,
  type Html,
  html,
  imageMap,
  lineChart,
  page,
  type Section,
  type Series,
  table,
} from "../../src/report/mod.ts";
import { umap } from "../../src/eval/mod.ts";
import type { QuickstartData } from "./data.ts";
import { type Evaluation, type Measure, MEASURES, queryGroups } from "./evaluate.ts";
import { differenceCell, differenceOf, meanCell, type TableLine } from "./table.ts";

/** One line of the results. */
export interface Run {
  /** Name, for example `keyword prior`. */
  readonly name: string;
  readonly seed: number;
  readonly evaluation: Evaluation;
  /** Loss by epoch; empty for an encoder that was not trained. */
  readonly losses: readonly { readonly x: number; readonly y: number }[];
}

/** Content of the page. */
export interface Report {
  readonly runs: readonly Run[];
  readonly chance: Readonly<Record<Measure, number>>;
  readonly data: QuickstartData;
  /** Facts on how the page was made: settings, machine, times. */
  readonly facts: string;
  /** Advice on what to run for more. */
  readonly advice: string;
}

/** Header of the table of scores. */
export const SCORE_HEADER: readonly string[] = ["encoder", ...MEASURES.map(([, title]) => title)];

/** A row of scores for chance and each run. */
export function scoreRows({ runs, chance }: Report): string[][] {
  return [
    ["chance", ...MEASURES.map(([measure]) => chance[measure].toFixed(3))],
    ...runs.map((run) => [run.name, ...MEASURES.map(([measure]) => meanCell(lineOf(run), measure))]),
  ];
}

/** A row for each measure: how much the last run is above the one before it, with interval and verdict. */
export function verdictRows({ runs, data }: Report): string[][] {
  const [other, last] = runs.filter(({ losses }) => losses.length > 0).slice(-2);
  if (!other || !last) return [];
  const groups = queryGroups(data);
  return MEASURES.map(([measure, title]) => [
    title,
    differenceCell(differenceOf(lineOf(last), lineOf(other), { measure, groups })),
  ]);
}

function lineOf({ name, seed, evaluation }: Run): TableLine<Measure> {
  return { name, seeds: [seed], runs: [evaluation.scores] };
}

/** Writes the page as text. */
export async function reportPage(report: Report): Promise<string> {
  const { runs, data, facts, advice } = report;
  const trained = runs.filter(({ losses }) => losses.length > 0);
  const best = trained.at(-1) ?? runs[0]!;
  const uris = {
    twitter: await dataUris(data.test.twitter, 32, 32),
    google: await dataUris(data.test.google, 32, 32),
  };
  const sections: Section[] = [
    { heading: "Held-out emoji", body: html`${results(report)}<p>${advice}</p>` },
    { heading: "Loss", body: await losses(trained) },
    { heading: `Map of the held-out emoji (${best.name})`, body: await map(best, data, uris.twitter) },
    { heading: "Nearest in the other drawing", body: neighbours(trained, data, uris) },
  ];
  return page("Learning emoji with and without words", facts, sections);
}

function results(report: Report): Html {
  const n = report.data.names.length;
  const verdicts = verdictRows(report);
  return html`
    ${table(SCORE_HEADER, scoreRows(report), { columns: MEASURES.map((_, i) => i + 1) })} ${verdicts.length > 0
      ? table(["with the prior, against without", "difference [95 % interval]"], verdicts)
      : ""}
    <p
      class="faint">${n} held-out emoji, drawn by Twitter and by Google: ${2 * n} queries. Category and subcategory:
    of the nearest training drawing; keyword: share of the ten nearest training drawings that have one in common with
    the query; same emoji: in the other vendor's drawing. The interval is paired, query by query, and for other emoji
    (both drawings of one together), not for other seeds; examples/compare_priors.ts has those.</p>
  `;
}

async function losses(runs: readonly Run[]): Promise<Html> {
  const series: Series[] = runs.map(({ name, losses }) => ({ name, points: losses }));
  return html`
    ${await lineChart(series, { x: "epoch", y: "loss (nats)", whole: true })}
    <p
      class="faint">0 would be collapse. The kernel pulls alike emoji together on purpose, so the two losses are not compared.</p>
  `;
}

async function map(run: Run, data: QuickstartData, uris: readonly string[]): Promise<Html> {
  const places = await umap(run.evaluation.features.twitter);
  const points = places.map(([x, y], i) => ({ x: x!, y: y!, src: uris[i]!, title: data.names[i]! }));
  return html`${await imageMap(points, {
    title: "Map of held-out emoji",
  })}<p class="faint">UMAP of ${points.length} features (Twitter's drawings); only
nearness means something.</p>`;
}

function neighbours(runs: readonly Run[], data: QuickstartData, uris: { twitter: string[]; google: string[] }): Html {
  const queries = Array.from({ length: 10 }, (_, i) => Math.floor((i + 0.5) * data.names.length / 10));
  const tile = (src: string, title: string) =>
    html`<img class="tile" src="${src}" width="32" height="32" alt="${title}" title="${title}">`;
  const found = ({ evaluation: { across } }: Run, query: number) =>
    Array.from(across.rows.subarray(query * across.k, query * across.k + 3), (row) =>
      html`<td${
        row === query
          ? html`
            class="hit"
          `
          : ""
      }>${tile(uris.google[row]!, data.names[row]!)}</td>`);
  const rows = queries.map((query) =>
    html`<tr><td>${data.names[query]}</td><td>${tile(uris.twitter[query]!, data.names[query]!)}</td>${
      runs.map((run) => found(run, query))
    }</tr>`
  );
  return html`
    <figure>
      <table class="pictures">
        <thead>
          <tr><th>emoji</th><th>query</th>${runs.map(({ name }) => html`<th colspan="3">${name}</th>`)}</tr>
        </thead>
        <tbody>${rows}</tbody>
      </table>
    </figure>
    <p class="faint">The three nearest drawings by Google for a drawing
    by Twitter; framed in green: the same emoji.</p>
  `;
}
