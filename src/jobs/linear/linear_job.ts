import { type ImageDataset, joinClasses } from "../../data/mod.ts";
import { groupOf } from "../../distributed/internal.ts";
import { OutputFolder } from "../../formats/mod.ts";
import { checkRanks } from "../distributed_start.ts";
import {
  type DatasetFeatures,
  datasetFeatures,
  knn,
  makeTask,
  scoreTask,
  viewAlignment,
  weightsDigest,
} from "../../eval/mod.ts";
import { checkFittedOn } from "../../eval/internal.ts";
import { assistLinear, fitLinear } from "./linear_fit.ts";
import { type FittedTask, summaryOf } from "./summary.ts";
import { writeNumbers, writeResults } from "./write_results.ts";
import { featureStatistics } from "./pictures.ts";
import { writeTensorboard } from "./write_tensorboard.ts";
import { withProgress } from "./progress_events.ts";
import type { LinearEvent, LinearInput, LinearSettings } from "./events.ts";

/** Name of the folder of features in that of the results. */
const FEATURES = "features";

/**
 * Evaluates an encoder by linear classifiers, as the original's `main_lincls`, and writes `classifier.safetensors`,
 * `linear_eval.json`, `predictions.npz` and `report.html`; the numbers and classifiers of a task as soon as it is fitted. Encoded features
 * are kept in `features/` of the folder.
 *
 * Several ranks share the encoding; rank 0 fits, scores, writes and tells, with the results of one process.
 *
 * @throws {TypeError} If a set has no labels, a named column does not exist, or a given classifier was fitted on other features.
 * @throws {RangeError} If a set is empty, features are not finite, or classes are missing (see `makeTask`).
 */
export async function* linearJob(given: LinearInput): AsyncGenerator<LinearEvent> {
  const input = { ...given, test: joinedTest(given) };
  const { loaded, train, test, settings, saveDir } = input;
  const group = groupOf(input);
  const digest = await weightsDigest(loaded.encoder);
  await checkRanks(group, { ...settings, "pretrained (SHA-256)": digest }, [train, test]);
  checkGiven(input, digest);
  using folder = group.rank === 0 ? await OutputFolder.open(saveDir, [FEATURES]) : null;
  for (const message of [...loaded.notes, ...train.notes, ...test.notes]) yield { type: "note", message };
  const columns = columnsOf(train, settings);
  const encodedTrain = yield* encodeWith(input, train, digest);
  const encodedTest = yield* encodeWith(input, test, digest);
  if (!encodedTrain || !encodedTest || !folder) { // not rank 0
    await assistLinear(input);
    await alignmentOf(input);
    return;
  }
  const sets = [{ dataset: train, encoded: encodedTrain }, { dataset: test, encoded: encodedTest }] as const;
  const results: FittedTask[] = [];
  for (const column of columns) {
    const result = yield* evaluateColumn(input, sets, column, columns.length > 1);
    if (!result) continue;
    results.push(result);
    await writeNumbers(folder, input, results, { digest, statistics: null });
    yield { type: "result", ...summaryOf(result) };
  }
  if (results.length === 0) {
    throw new RangeError(`Cannot evaluate "${train.name}" as none of its labels could be evaluated`);
  }
  const alignment = (await alignmentOf(input))!;
  const statistics = { ...await featureStatistics(input.device, encodedTest.features), alignment };
  const files = await writeResults(folder, input, results, { encodedTrain, encodedTest, digest, statistics });
  if (settings.tensorboard) await writeTensorboard(folder, input, { results, encodedTest, statistics });
  yield { type: "end", files, statistics };
}

/** Refuses given classifiers of another encoder before anything is encoded. */
function checkGiven(
  { classifiers = [], loaded: { encoder }, settings: { feature } }: LinearInput,
  weights: string,
): void {
  const dim = feature === "fc" ? encoder.fc.weight.shape[1]! : encoder.pooledFeatures;
  for (const each of classifiers) checkFittedOn(each, { feature, dim, weights });
}

/** Measures how well two views of a test image agree; null on ranks other than 0. */
async function alignmentOf({ device, loaded, test, settings, group }: LinearInput): Promise<number | null> {
  const { feature, resolution, workers, seed, batch_size } = settings;
  const batchSize = Math.min(batch_size, 64);
  return await viewAlignment(device, loaded.encoder, test, { feature, resolution, workers, seed, batchSize, group });
}

/** The test set with the training set's classes. */
function joinedTest({ train, test }: LinearInput): ImageDataset {
  if (train.labels !== null) return joinClasses(test, train.classes);
  throw new TypeError(`Cannot evaluate on "${train.name}" as its ${train.split} set has no labels`);
}

type EncodedSets = readonly [Parameters<typeof makeTask>[0], Parameters<typeof makeTask>[1]];

/** Evaluates one task; with several, one whose labels do not allow it is left out, and said so. */
async function* evaluateColumn(
  input: LinearInput,
  sets: EncodedSets,
  column: number | null,
  several: boolean,
): AsyncGenerator<LinearEvent, FittedTask | null> {
  const { label_share: share, seed } = input.settings;
  try {
    const task = makeTask(...sets, { column, share, seed });
    const fitted = yield* fitLinear(input, task);
    const neighbours = await knn(task.train, task.test, { classes: task.classes.length, device: input.device });
    return { task, scores: scoreTask(task, fitted.classifier, seed), knn: neighbours, ...fitted };
  } catch (error) {
    if (!several || !(error instanceof RangeError)) throw error;
    yield { type: "note", message: `Left out: ${error.message}` };
    return null;
  }
}

/** Columns to evaluate; one null for classes. */
function columnsOf(train: ImageDataset, { columns }: LinearSettings): (number | null)[] {
  const several = train.labels instanceof Float32Array;
  if (!several || columns === null) {
    if (several) {
      throw new TypeError(`Cannot evaluate "${train.name}" as it has several labels an image: name one of them`);
    }
    return [null];
  }
  return columns.map((name) => {
    const column = train.classes.indexOf(name);
    if (column >= 0) return column;
    throw new TypeError(`Cannot evaluate "${name}" as it must be one of ${train.classes.join(", ")}`);
  });
}

async function* encodeWith(
  { device, loaded, settings, saveDir, group }: LinearInput,
  dataset: ImageDataset,
  digest: string,
): AsyncGenerator<LinearEvent, DatasetFeatures | null> {
  const { feature, resolution, batch_size, workers } = settings;
  const encoded = yield* withProgress(
    `encode ${dataset.split}`,
    (tell) =>
      datasetFeatures(device, loaded.encoder, dataset, {
        ...{ feature, resolution, workers, digest, group },
        batchSize: Math.min(batch_size, 256),
        cache: `${saveDir}/${FEATURES}`,
        onProgress: (done) => tell(done / dataset.length, `${done} of ${dataset.length} images`),
      }),
  );
  if (!encoded) return null;
  const { rows: { length }, features: { dim }, cached } = encoded;
  const from = cached ? "read from the cache" : "encoded";
  yield { type: "note", message: `${dataset.split}: ${length} images, ${dim} features, ${from}` };
  return encoded;
}
