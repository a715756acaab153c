import type { PretrainReport } from "./pretrain.ts";
import type { MetricsLine } from "./run_folder.ts";

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
