import type { LinearClassifier } from "../../eval/mod.ts";
import type { TaskSummary } from "./events.ts";
import type { TaskResult } from "./task_result.ts";

/** A task, its scores, and what was fitted. */
export type FittedTask = TaskResult & { readonly classifier: LinearClassifier };

/** The row of `linear_eval.json` of a task. */
export function summaryOf({ task, scores, search, epochs, knn }: TaskResult): TaskSummary {
  const number = (v: number) => Number.isNaN(v) ? null : v;
  const best = epochs?.reduce((first, each) => first && first.top1 >= each.top1 ? first : each, epochs[0]);
  return {
    task: task.name,
    classes: task.classes,
    train_samples: task.train.labels.length,
    test_samples: scores.samples,
    method: search ? search.method : epochs ? "augmented_sgd" : "given",
    chosen: search ? { [search.parameter]: search.best } : best ? { epoch: best.epoch } : {},
    trials: search?.trials.map(({ value, mean, folds }) => ({ value, mean, folds })) ?? [],
    top1: scores.top1,
    top5: number(scores.top5),
    balanced_accuracy: scores.balanced_accuracy,
    mean_auroc: number(scores.mean_auroc),
    mean_auroc_interval: scores.mean_auroc_interval,
    auroc: scores.auroc,
    confusion_matrix: scores.confusion,
    knn_top1: knn.top1,
    knn_top5: task.classes.length > 5 ? knn.top5 : null,
    per_class_accuracy: scores.per_class_accuracy.map(number),
  };
}
