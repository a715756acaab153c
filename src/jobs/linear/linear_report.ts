import { rocCurve } from "../../eval/mod.ts";
import { type Html, html, lineChart, page, type Section, table } from "../../report/mod.ts";
import { marginScores } from "../../eval/internal.ts";
import { confusionSection } from "./confusion.ts";
import { scoreTable } from "./score_table.ts";
import type { TaskResult } from "./task_result.ts";

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

const MOST_CURVES = 6;
/** Examples of errors of a task. */
export const MOST_ERRORS = 24;

/** The page of a linear evaluation: scores, confusion, ROC curves, errors, what was tried. */
export async function linearReport(report: LinearReport): Promise<string> {
  const { title, lead, results, facts, extra } = report;
  const sections: Section[] = [{ heading: "Scores", body: scoreTable(results) }];
  for (const result of results) {
    const suffix = results.length > 1 ? `: ${result.task.name}` : "";
    sections.push({ heading: `Confusion matrix${suffix}`, body: await confusionSection(result) });
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
  const chance = { name: "chance (0.500)", points: [{ x: 0, y: 0 }, { x: 1, y: 1 }], reference: true };
  const chart = await lineChart([...series, chance], { x: "false positive rate", y: "true positive rate" });
  return html`${chart}<p class="faint">${which}Area in brackets. n = ${test.labels.length}
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
    const chart = (key: "loss" | "top1", name: string, y: string) =>
      lineChart([{ name, points: epochs.map((each) => ({ x: each.epoch, y: each[key] })) }], {
        x: "epoch",
        y,
        whole: true,
      });
    const charts = [await chart("loss", "training", "loss (nats)"), await chart("top1", "test", "top-1 (share)")];
    return html`${charts}`;
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
