import { classCounts } from "../../eval/internal.ts";
import type { Task } from "../../eval/mod.ts";
import { type Html, html, type HtmlValue, table } from "../../report/mod.ts";
import type { TaskResult } from "./task_result.ts";

const HEADER = [
  "task",
  "n train",
  "n test",
  "top-1",
  "top-5",
  "balanced",
  "k-NN top-1",
  "AUROC (95 % interval)",
  "chosen",
] as const;

/** Table of the scores of all tasks, each with what chance would score. */
export function scoreTable(results: readonly TaskResult[]): Html {
  return html`
    ${table(HEADER, results.flatMap((result) => [scoreRow(result), chanceRow(result)]))}
        <p
      class="faint">Balanced: mean of the classes' accuracies. k-NN: votes of the 20 nearest
        training images (cosine, temperature 0.07). AUROC: area under the ROC curve; with more than two classes
        the mean over classes of each against the others; interval by bootstrap over the test images. Chance: the most
        frequent classes of the training images, whatever the image.</p>
  `;
}

/** A share in percent, or a dash. */
export function percent(share: number): string {
  return Number.isNaN(share) ? "–" : `${(100 * share).toFixed(1)} %`;
}

function scoreRow({ task, scores, search, epochs, knn }: TaskResult): HtmlValue[] {
  return [
    task.name,
    `${task.train.labels.length}`,
    `${scores.samples}`,
    percent(scores.top1),
    percent(scores.top5),
    percent(scores.balanced_accuracy),
    percent(knn.top1),
    areaOf(task, scores),
    search ? `${search.parameter} = ${search.best}` : epochs ? "augmented SGD" : "given",
  ];
}

/** The area with its interval: that of the second of two classes, the mean of more. */
function areaOf({ classes }: Task, { auroc, mean_auroc, mean_auroc_interval }: TaskResult["scores"]): string {
  const own = classes.length === 2 ? auroc[1] : null;
  const [area, interval] = own ? [own.auc, own] : [mean_auroc, mean_auroc_interval];
  if (!interval) return "–";
  return `${area.toFixed(3)} (${interval.low.toFixed(3)} to ${interval.high.toFixed(3)})`;
}

function chanceRow({ task }: TaskResult): HtmlValue[] {
  const { top1, top5, balanced } = taskChance(task);
  const shares = [top1, top5, balanced, top1].map(percent);
  return ["chance", "", "", ...shares, "0.500", ""].map((value) => value && html`<span class="faint">${value}</span>`);
}

/** Scores of an answer that does not look at the image: the most frequent class of the training images. */
export function taskChance({ classes, train, test }: Task): { top1: number; top5: number; balanced: number } {
  const counts = classCounts(train.labels, classes.length);
  const order = Array.from(counts.keys()).sort((a, b) => counts[b]! - counts[a]!);
  const shareOf = (answers: readonly number[]) =>
    test.labels.reduce((sum, label) => sum + Number(answers.includes(label)), 0) / test.labels.length;
  const top5 = classes.length > 5 ? shareOf(order.slice(0, 5)) : NaN;
  return { top1: shareOf(order.slice(0, 1)), top5, balanced: 1 / new Set(test.labels).size };
}
