import {
  type FrozenSgdEpoch,
  type KnnScores,
  type Predictions,
  rocCurve,
  type SearchResult,
  type Task,
  type TaskScores,
} from "../../eval/mod.ts";
import { heatMap, type Html, html, lineChart, page, type Section, table } from "../../report/mod.ts";
import { marginScores } from "../../eval/internal.ts";

/** Result of one task. */
export interface TaskResult {
  readonly task: Task;
  readonly scores: TaskScores & Predictions;
  readonly search: SearchResult | null;
  readonly epochs: readonly FrozenSgdEpoch[] | null;
  /** Scores of the same features classified by their 20 nearest neighbours. */
  readonly knn: KnnScores;
}

/** Contents of the page of an evaluation. */
export interface LinearReport {
  readonly title: string;
  readonly lead: string;
  readonly results: readonly TaskResult[];
  /** Pictures of test images by row. */
  readonly pictures: ReadonlyMap<number, string>;
  readonly facts: Readonly<Record<string, string>>;
  readonly extra: readonly Section[];
}

const MOST_CELLS = 16;
const MOST_CURVES = 6;
/** Examples of errors of a task. */
export const MOST_ERRORS = 24;

/** The page of a linear evaluation: scores, confusion, ROC curves, errors, what was tried. */
export async function linearReport(report: LinearReport): Promise<string> {
  const { title, lead, results, facts, extra } = report;
  const sections: Section[] = [{ heading: "Scores", body: scoreTable(results) }];
  for (const result of results) {
    const suffix = results.length > 1 ? `: ${result.task.name}` : "";
    sections.push({ heading: `Confusion matrix${suffix}`, body: await confusion(result) });
    sections.push({ heading: `ROC curves${suffix}`, body: await curves(result) });
    sections.push({ heading: `Errors${suffix}`, body: errors(result, report.pictures) });
    sections.push({ heading: `What was tried${suffix}`, body: await trials(result) });
  }
  sections.push(...extra);
  sections.push({ heading: "Settings", body: table(["setting", "value"], Object.entries(facts)) });
  return page(title, lead, sections);
}

/** Rows of test images whose errors are shown: the surest first. */
export function errorRows({ task: { test, classes }, scores: { predicted, scores } }: TaskResult): number[] {
  return Array.from(predicted.keys())
    .filter((i) => predicted[i] !== test.labels[i])
    .map((i) => ({
      i,
      margin: scores[i * classes.length + predicted[i]!]! - scores[i * classes.length + test.labels[i]!]!,
    }))
    .sort((a, b) => b.margin - a.margin)
    .slice(0, MOST_ERRORS)
    .map(({ i }) => i);
}

function percent(share: number): string {
  return Number.isNaN(share) ? "–" : `${(100 * share).toFixed(1)} %`;
}

function scoreTable(results: readonly TaskResult[]): Html {
  const rows = results.map(({ task, scores, search, epochs, knn }) => {
    const auc = task.classes.length === 2 ? scores.auroc[1] ?? null : null;
    const interval = auc
      ? `${auc.auc.toFixed(3)} (${auc.low.toFixed(3)} to ${auc.high.toFixed(3)})`
      : scores.mean_auroc.toFixed(3);
    return [
      task.name,
      `${task.train.labels.length}`,
      `${scores.samples}`,
      percent(scores.top1),
      percent(scores.top5),
      percent(scores.balanced_accuracy),
      percent(knn.top1),
      interval,
      search ? `${search.parameter} = ${search.best}` : epochs ? "augmented SGD" : "given",
    ];
  });
  const header = [
    "task",
    "n train",
    "n test",
    "top-1",
    "top-5",
    "balanced",
    "k-NN top-1",
    "AUROC (95 % interval)",
    "chosen",
  ];
  return html`
    ${table(header, rows)}
        <p
      class="faint">Balanced: mean of the classes' accuracies. k-NN: votes of the 20 nearest
        training images (cosine, temperature 0.07). AUROC: area under the ROC curve; with more than two classes
        the mean over classes of each against the others; interval by bootstrap over the test images.</p>
  `;
}

async function confusion(
  { task: { classes }, scores: { confusion, per_class_accuracy, samples } }: TaskResult,
): Promise<Html> {
  const caption =
    html`<p class="faint">Rows: true class, columns: predicted class; share of the row. n = ${samples} test
    images.</p>`;
  const shares = confusion.map((row) => {
    const total = row.reduce((a, b) => a + b, 0);
    return row.map((count) => total ? count / total : 0);
  });
  if (classes.length > MOST_CELLS) {
    const chart = await heatMap(shares.flat(), classes.length, classes.length, {
      x: "predicted class",
      y: "true class",
    });
    const order = per_class_accuracy.map((share, c) => ({ share, c })).filter(({ share }) => !Number.isNaN(share))
      .sort((a, b) => a.share - b.share).slice(0, 8);
    const worst = table(["hardest class", "accuracy"], order.map(({ share, c }) => [classes[c]!, percent(share)]));
    return html`${chart}${caption}${worst}`;
  }
  const cell = (share: number, count: number, diagonal: boolean) =>
    html`<td title="${count} images" style="background:rgba(${diagonal ? "0,114,178" : "213,94,0"},${
      (0.75 * share).toFixed(3)
    })">${count ? Math.round(100 * share) : ""}</td>`;
  return html`
    <figure>
      <table>
        <thead>
          <tr><th>true \\ predicted, %</th><th>n</th>${classes.map((name) => html`<th>${name}</th>`)}</tr>
        </thead>
        <tbody>${shares.map((row, r) =>
          html`<tr><td>${classes[r]}</td><td>${confusion[r]!.reduce((a, b) => a + b, 0)}</td>${
            row.map((share, c) => cell(share, confusion[r]![c]!, r === c))
          }</tr>`
        )}</tbody>
      </table>
    </figure>${caption}
  `;
}

async function curves({ task: { classes, test }, scores: { auroc, scores } }: TaskResult): Promise<Html> {
  const known = auroc.flatMap((each, c) => each && (classes.length > 2 || c === 1) ? [{ c, auc: each.auc }] : [])
    .sort((a, b) => b.auc - a.auc);
  if (known.length === 0) return html`<p>No class has both positives and negatives among the test images.</p>`;
  const half = MOST_CURVES / 2;
  const shown = known.length > MOST_CURVES ? [...known.slice(0, half), ...known.slice(-half)] : known;
  const series = shown.map(({ c, auc }) => {
    const curve = rocCurve(Array.from(test.labels, (label) => label === c), marginScores(scores, c, classes.length));
    const step = Math.max(1, Math.floor(curve.length / 300));
    const points = curve.filter((_, i) => i % step === 0 || i === curve.length - 1);
    return {
      name: `${classes[c]} (${auc.toFixed(3)})`,
      points: points.map(({ falsePositives: x, truePositives: y }) => ({ x, y })),
    };
  });
  const which = known.length > MOST_CURVES ? `The ${half} best and the ${half} worst of ${known.length} classes. ` : "";
  const chart = await lineChart(series, { x: "false positive rate", y: "true positive rate" });
  return html`${chart}<p class="faint">${which}Area in brackets; the diagonal would be chance, 0.5. n = ${test.labels.length}
    test images.</p>`;
}

function errors(result: TaskResult, pictures: ReadonlyMap<number, string>): Html {
  const { task: { classes, test }, scores: { predicted } } = result;
  const wrong = predicted.filter((label, i) => label !== test.labels[i]).length;
  if (wrong === 0) return html`<p>None of the ${test.labels.length} test images.</p>`;
  const cells = errorRows(result).map((i) => {
    const picture = pictures.get(test.rows[i]!);
    return html`<figure style="display:inline-block;width:9rem;margin:.4rem;vertical-align:top"><img class="tile" width="96"
      height="96" style="object-fit:contain" alt="" src="${picture ?? ""}"><figcaption>${
      classes[predicted[i]!]
    }<br><span class="faint">is ${classes[test.labels[i]!]}</span></figcaption></figure>`;
  });
  return html`
    <div>${cells}</div>
    <p class="faint">The surest of ${wrong} errors among ${test.labels.length} test images:
        what was predicted, and what it is.</p>
  `;
}

async function trials({ search, epochs }: TaskResult): Promise<Html> {
  if (epochs) {
    const series = (["loss", "top1"] as const).map((name) => ({
      name: name === "loss" ? "training loss (nats)" : "validation top-1 (share)",
      points: epochs.map((each) => ({ x: each.epoch, y: each[name] })),
    }));
    return await lineChart(series, { x: "epoch", y: "loss (nats), accuracy (share)" });
  }
  if (!search) return html`<p>The classifier was given.</p>`;
  const rows = search.trials.map(({ value, folds, mean }) => [
    `${value}`,
    mean.toFixed(4),
    folds.map((fold) => fold.toFixed(4)).join(", "),
  ]);
  const about = search.method === "logistic"
    ? `Logistic regression${search.converged ? "" : " (not all of them converged)"}`
    : "Softmax regression by SGD";
  return html`
    ${table([search.parameter, "balanced accuracy", "by fold"], rows, { columns: [1] })}
        <p
      class="faint">${about}, stratified cross-validation on the training images; the best value is fitted to all of them.</p>
  `;
}
