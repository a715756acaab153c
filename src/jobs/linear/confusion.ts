import { heatMap, type Html, html, table } from "../../report/mod.ts";
import type { TaskResult } from "./task_result.ts";
import { percent } from "./score_table.ts";

/** Classes up to which the matrix is a table with numbers; more are a picture. */
const MOST_CELLS = 16;
/** Characters of a class's name above its column. */
const MOST_LETTERS = 24;

/** Section with the confusion matrix: which classes are taken for which. */
export async function confusionSection({ task: { classes }, scores }: TaskResult): Promise<Html> {
  const caption =
    html`<p class="faint">Rows: true class, columns: predicted class; share of the row. n = ${scores.samples} test
    images.</p>`;
  const shares = scores.confusion.map((row) => {
    const total = row.reduce((a, b) => a + b, 0);
    return row.map((count) => total ? count / total : 0);
  });
  if (classes.length <= MOST_CELLS) return html`${countTable(classes, scores.confusion, shares)}${caption}`;
  const [x, y] = ["predicted class", "true class"];
  const chart = await heatMap(shares.flat(), classes.length, classes.length, { x, y });
  return html`${chart}${caption}${hardest(classes, scores.per_class_accuracy)}`;
}

function hardest(classes: readonly string[], accuracies: readonly number[]): Html {
  const order = accuracies.map((share, c) => ({ share, c })).filter(({ share }) => !Number.isNaN(share))
    .sort((a, b) => a.share - b.share).slice(0, 8);
  return table(["hardest class", "accuracy"], order.map(({ share, c }) => [classes[c]!, percent(share)]));
}

/** The counts as shares in percent, the names of the columns upright so that sixteen of them fit a page. */
function countTable(
  classes: readonly string[],
  counts: readonly (readonly number[])[],
  shares: readonly (readonly number[])[],
): Html {
  const short = (name: string) => name.length > MOST_LETTERS ? `${name.slice(0, MOST_LETTERS - 1)}…` : name;
  const heads = classes.map((name) => html`<th class="class" scope="col" title="${name}">${short(name)}</th>`);
  const rows = counts.map((row, r) => {
    const cells = row.map((count, c) => cell(shares[r]![c]!, count, r === c));
    return html`<tr><th scope="row">${classes[r]}</th><td>${row.reduce((a, b) => a + b, 0)}</td>${cells}</tr>`;
  });
  return html`
    <figure tabindex="0" aria-label="Confusion matrix">
      <table class="counts">
        <thead>
          <tr><th scope="col">true \\ predicted, %</th><th scope="col">n</th>${heads}</tr>
        </thead>
        <tbody>${rows}</tbody>
      </table>
    </figure>
  `;
}

function cell(share: number, count: number, diagonal: boolean): Html {
  const color = `rgba(${diagonal ? "0,114,178" : "213,94,0"},${(0.75 * share).toFixed(3)})`;
  return html`<td title="${count} images" style="background:${color}">${count ? Math.round(100 * share) : ""}</td>`;
}
