import type { FrozenSgdEpoch, KnnScores, Predictions, SearchResult, Task, TaskScores } from "../../eval/mod.ts";

/** Result of one task. */
export interface TaskResult {
  readonly task: Task;
  readonly scores: TaskScores & Predictions;
  readonly search: SearchResult | null;
  readonly epochs: readonly FrozenSgdEpoch[] | null;
  /** Scores of the same features classified by their 20 nearest neighbours. */
  readonly knn: KnnScores;
}
