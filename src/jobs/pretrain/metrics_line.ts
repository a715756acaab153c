import type { PretrainReport, TrainingPosition } from "../../train/mod.ts";

/** One line of `metrics.jsonl`. */
export type MetricsLine = Readonly<Record<string, number | string | boolean>>;

/** The line of `metrics.jsonl` for a report of a run that took `before` seconds until it was stopped. */
export function metricsLine(report: PretrainReport, before: number, demo: boolean): MetricsLine {
  const { epoch, step, steps, loss, align, lr, imagesPerSecond, seconds, sentBytes, communicationMs } = report;
  return {
    epoch,
    step,
    steps,
    loss,
    align,
    lr,
    images_per_second: Math.round(10 * imagesPerSecond) / 10,
    seconds: Math.round(1000 * (before + seconds)) / 1000,
    // Per step and rank, when several ranks train.
    ...sentBytes === undefined ? {} : { sent_bytes: Math.round(sentBytes) },
    ...communicationMs === undefined ? {} : { communication_ms: Math.round(1000 * communicationMs) / 1000 },
    ...demo ? { demo } : {},
  };
}

/** Lines up to a position. Those that a crash cut short, or that are no records of an epoch and a step, are left out. */
export function linesUpTo(text: string, { epoch, step }: TrainingPosition): MetricsLine[] {
  return text.split("\n").flatMap(parseLine).filter((line) =>
    Number(line.epoch) < epoch || (Number(line.epoch) === epoch && Number(line.step) <= step)
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
  return Number.isInteger(epoch) && Number.isInteger(step) ? [line as MetricsLine] : [];
}
