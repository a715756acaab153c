import type { KnnScores } from "../../eval/mod.ts";
import type { PretrainReport } from "../../train/mod.ts";
import type { TrainingPosition } from "../../checkpoints/mod.ts";
import type { EvaluationMetrics } from "./events.ts";

/** One line of `metrics.jsonl`. */
export type MetricsLine = Readonly<Record<string, number | string | boolean>>;

/** The line of `metrics.jsonl` for a report of a run that took `before` seconds until it was stopped. */
export function metricsLine(report: PretrainReport, before: number, demo: boolean): MetricsLine {
  const { epoch, step, steps, loss, centroid_square, lr, images_per_second, seconds, sent_bytes, communication_ms } =
    report;
  return {
    epoch,
    step,
    steps,
    loss,
    centroid_square,
    lr,
    images_per_second: Math.round(10 * images_per_second) / 10,
    seconds: Math.round(1000 * (before + seconds)) / 1000,
    // Per step and rank, when several ranks train.
    ...sent_bytes === undefined ? {} : { sent_bytes: Math.round(sent_bytes) },
    ...communication_ms === undefined ? {} : { communication_ms: Math.round(1000 * communication_ms) / 1000 },
    ...demo ? { demo } : {},
  };
}

/** The metrics of an evaluation that took some seconds. */
export function evaluationMetrics(
  { top1, top5, mean_auroc, queries }: KnnScores,
  evaluation_seconds: number,
): EvaluationMetrics {
  const scores = Number.isNaN(mean_auroc) ? { knn_top1: top1, knn_top5: top5 } : { knn_mean_auroc: mean_auroc };
  return { ...scores, queries, evaluation_seconds };
}

/**
 * Lines up to a position. Metrics have their present names; lines that a crash cut short, or that are no records of an
 * epoch and a step, are left out. Files of before epochs were counted from 1 have an epoch 0: theirs are counted anew.
 */
export function linesUpTo(text: string, { epoch, step }: TrainingPosition): MetricsLine[] {
  const lines = text.split("\n").flatMap(parseLine);
  const isOld = lines.some((line) => line.epoch === 0);
  return lines.map((line) => isOld ? { ...line, epoch: Number(line.epoch) + 1 } : line).filter((line) =>
    Number(line.epoch) <= epoch || (Number(line.epoch) === epoch + 1 && Number(line.step) <= step)
  );
}

/** The most seconds that a line tells, 0 without any. */
export function secondsOf(lines: readonly MetricsLine[]): number {
  return lines.reduce((most, { seconds }) => typeof seconds === "number" && seconds > most ? seconds : most, 0);
}

function parseLine(text: string): MetricsLine[] {
  if (text === "") return [];
  let line: unknown;
  try {
    line = JSON.parse(text);
  } catch {
    return [];
  }
  if (typeof line !== "object" || line === null) return [];
  const { epoch, step } = line as Record<string, unknown>;
  return Number.isInteger(epoch) && Number.isInteger(step) ? [withNewNames(line as MetricsLine)] : [];
}

/** A line of before a metric got its name: `align` was −‖centroid‖², `knn_auc` is the mean area. */
function withNewNames(line: MetricsLine): MetricsLine {
  const renamed = Object.entries(line).map(([name, value]): [string, MetricsLine[string]] => {
    if (name === "align" && typeof value === "number") return ["centroid_square", -value];
    return [name === "knn_auc" ? "knn_mean_auroc" : name, value];
  });
  return Object.fromEntries(renamed);
}
