import { type NdArray, ndarray, type OutputFolder, writeNpz } from "../../formats/mod.ts";
import { type DatasetFeatures, writeClassifiers } from "../../eval/mod.ts";
import { provenance } from "../provenance.ts";
import type { EncoderStatistics, LinearInput } from "./events.ts";
import { errorRows, linearReport } from "./linear_report.ts";
import { featurePictures } from "./pictures.ts";
import { type FittedTask, summaryOf } from "./summary.ts";
import { thumbnails } from "./thumbnails.ts";

/** Outcome of an evaluation. */
export interface Outcome {
  readonly encodedTrain: DatasetFeatures;
  readonly encodedTest: DatasetFeatures;
  readonly digest: string;
  readonly statistics: EncoderStatistics;
}

/** Writes classifiers, predictions and numbers of the tasks so far; returns the files. */
export async function writeNumbers(
  folder: OutputFolder,
  input: LinearInput,
  results: readonly FittedTask[],
  { digest, statistics }: Pick<Outcome, "digest"> & { readonly statistics: EncoderStatistics | null },
): Promise<string[]> {
  const { settings } = input;
  const files = ["classifier.safetensors", "predictions.npz", "linear_eval.json"].map((name) => folder.file(name));
  const notes = { feature: settings.feature, weights_sha256: digest };
  const named = results.map(({ task: { name, classes }, classifier }) => ({ name, classes, classifier }));
  if (!input.classifiers) await folder.change(() => writeClassifiers(files[0]!, named, notes));
  await folder.write("predictions.npz", [await writeNpz(predictionsOf(results), { compressed: true })]);
  const json = { facts: await factsOf(input, digest), settings, features: statistics, tasks: results.map(summaryOf) };
  await folder.write("linear_eval.json", `${JSON.stringify(json, null, 1)}\n`);
  return files;
}

/**
 * Predictions of every test image, by the name of the task: `NAME.rows` and `NAME.labels` `[n]`, `NAME.predicted`
 * `[n]`, and `NAME.scores` `[n, classes]`.
 */
function predictionsOf(results: readonly FittedTask[]): Map<string, NdArray> {
  const arrays = new Map<string, NdArray>();
  for (const { task: { name, classes, test: { rows, labels } }, scores: { predicted, scores } } of results) {
    const n = labels.length;
    for (const [what, values] of Object.entries({ rows, labels, predicted })) {
      arrays.set(`${name}.${what}`, ndarray([n], "i32", Int32Array.from(values)));
    }
    arrays.set(`${name}.scores`, ndarray([n, classes.length], "f32", Float32Array.from(scores)));
  }
  return arrays;
}

async function factsOf({ facts, loaded, device }: LinearInput, digest: string): Promise<Record<string, string>> {
  return {
    ...facts,
    network: loaded.network,
    weights_sha256: digest,
    device: device.info.description,
    deno: Deno.version.deno,
    ...await provenance(),
  };
}

/** Writes classifiers, numbers and report; returns the files. */
export async function writeResults(
  folder: OutputFolder,
  input: LinearInput,
  results: readonly FittedTask[],
  outcome: Outcome,
): Promise<string[]> {
  const { settings, train, test, device, loaded } = input;
  const files = [...await writeNumbers(folder, input, results, outcome), folder.file("report.html")];
  const facts = await factsOf(input, outcome.digest);
  const wrong = results.flatMap((result) => errorRows(result).map((i) => result.task.test.rows[i]!));
  const pictures = await thumbnails(device, test, wrong, settings.resolution);
  const { encodedTrain, encodedTest, statistics } = outcome;
  const sets = { train: { dataset: train, encoded: encodedTrain }, test: { dataset: test, encoded: encodedTest } };
  const extra = settings.maps ? await featurePictures(device, sets, statistics, settings) : [];
  const title = `Linear evaluation on ${test.name}${input.facts.demo ? " (demo data)" : ""}`;
  const lead = `${loaded.network}, ${
    settings.feature === "fc" ? "output of encoder.fc" : "pooled features"
  }, ${encodedTrain.features.dim} wide; ${encodedTrain.rows.length} training and ${encodedTest.rows.length} test images`;
  const shown = { ...facts, ...Object.fromEntries(Object.entries(settings).map(([name, v]) => [name, `${v ?? "–"}`])) };
  await folder.write("report.html", await linearReport({ title, lead, results, pictures, facts: shown, extra }));
  return files;
}
