import { someFeatures } from "../../eval/internal.ts";
import type { OutputFolder } from "../../formats/mod.ts";
import { EventLog } from "../tensorboard/event_log.ts";
import { histogramOf } from "../tensorboard/histogram_of.ts";
import { writeProjector } from "../tensorboard/projector.ts";
import type { LinearInput } from "./events.ts";
import { type FittedTask, summaryOf } from "./summary.ts";
import type { Outcome } from "./write_results.ts";

/** Images of the projector. */
const MOST = 512;

/** Writes scores, what was tried, and features for TensorBoard; an earlier evaluation in the folder is replaced. */
export async function writeTensorboard(
  output: OutputFolder,
  { test }: Pick<LinearInput, "test">,
  { results, encodedTest, statistics }: Pick<Outcome, "encodedTest" | "statistics"> & {
    readonly results: readonly FittedTask[];
  },
): Promise<void> {
  const events = await EventLog.open(output, -1);
  for (const result of results) addTask(events, result, results.length > 1 ? `${result.task.name}/` : "");
  const { alignment, uniformity, effective_rank } = statistics;
  events.add(0, { alignment, uniformity, effective_rank });
  const histogram = histogramOf(encodedTest.features.data);
  if (histogram) events.add(0, { features: histogram });
  const { features, kept } = someFeatures(encodedTest.features, MOST);
  await writeProjector(output, { features, rows: kept.map((i) => encodedTest.rows[i]!), dataset: test });
}

/** The scores at step 0; what was tried and trained, a step each. */
function addTask(events: EventLog, result: FittedTask, prefix: string): void {
  const add = (step: number, values: Readonly<Record<string, number | null>>) => {
    const known = Object.entries(values).filter((entry): entry is [string, number] => entry[1] !== null);
    events.add(step, Object.fromEntries(known.map(([name, value]) => [prefix + name, value])));
  };
  const { top1, top5, balanced_accuracy, mean_auroc, knn_top1, knn_top5, trials } = summaryOf(result);
  add(0, { top1, top5, balanced_accuracy, mean_auroc, knn_top1, knn_top5 });
  trials.forEach(({ value, mean }, i) => add(i, { tried_value: value, tried_balanced_accuracy: mean }));
  for (const { epoch, loss, top1 } of result.epochs ?? []) add(epoch, { loss, validation_top1: top1 });
}
