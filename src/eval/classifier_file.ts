import {
  type NdArray,
  ndarray,
  readFrom,
  readSafetensors,
  type Safetensors,
  safetensorsChunks,
  toF32,
  writeWhole,
} from "../formats/mod.ts";
import { checkSeal, isRecord, parseJson, quoted, quotedSome, readAll, sealed } from "../formats/internal.ts";
import type { LinearClassifier } from "./linear_classifier.ts";

/** A classifier with what it tells apart. */
export interface NamedClassifier {
  /** Name of the task: `classes`, or the pathology. */
  readonly name: string;
  /** Names of the classes. */
  readonly classes: readonly string[];
  /** The weights. */
  readonly classifier: LinearClassifier;
  /** Facts about the features that the classifier was fitted on, as far as its file tells. */
  readonly fittedOn?: Partial<FittedOn>;
}

/** Features of one encoder. */
export interface FittedOn {
  /** Name of the feature: `fc` or `pooled`. */
  readonly feature: string;
  /** SHA-256 of the encoder's weights, from {@linkcode weightsDigest}. */
  readonly weights: string;
}

/**
 * Writes classifiers as safetensors, in PyTorch's layout: `NAME.weight [classes, dim]` and `NAME.bias [classes]` in
 * f32; without `NAME.` when there is one.
 *
 * @param notes More metadata.
 */
export async function writeClassifiers(
  path: string,
  all: readonly NamedClassifier[],
  notes: Readonly<Record<string, string>>,
): Promise<void> {
  const tensors = new Map<string, NdArray>(all.flatMap(({ name, classifier: { weight, bias, dim, classes } }) => {
    const prefix = all.length > 1 ? `${name}.` : "";
    const transposed = Float32Array.from(weight, (_, i) => weight[(i % dim) * classes + Math.floor(i / dim)]!);
    return [
      [`${prefix}weight`, ndarray([classes, dim], "f32", transposed)],
      [`${prefix}bias`, ndarray([classes], "f32", Float32Array.from(bias))],
    ] as const;
  }));
  const tasks = JSON.stringify(all.map(({ name, classes }) => ({ name, classes })));
  await writeWhole(path, safetensorsChunks(tensors, await sealed(tensors, { ...notes, tasks })));
}

/**
 * Reads what {@linkcode writeClassifiers} wrote; its notes `feature` and `weights_sha256` say what they were fitted on.
 *
 * @throws {SyntaxError} If the file is no such file, or its checksum does not match.
 */
export async function readClassifiers(path: string): Promise<NamedClassifier[]> {
  return await readFrom(path, async (source) => {
    const file = readSafetensors(await readAll(source));
    const { tensors, metadata } = file;
    await checkClassifiers(file);
    const tasks = parseTasks(metadata.tasks);
    const fittedOn = { feature: metadata.feature, weights: metadata.weights_sha256 };
    return tasks.map((task) => ({
      ...readClassifier(task, tensors, tasks.length > 1 ? `${task.name}.` : ""),
      fittedOn,
    }));
  });
}

async function checkClassifiers(file: Safetensors): Promise<void> {
  try {
    await checkSeal(file);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : cause;
    throw new SyntaxError(`Cannot read linear classifiers: ${reason}; fit them anew`, { cause });
  }
}

type Task = Pick<NamedClassifier, "name" | "classes">;

function parseTasks(text: string | undefined): Task[] {
  const tasks = text === undefined ? undefined : parseJson(text, "the names of its classifiers");
  if (Array.isArray(tasks) && tasks.every(isTask)) return tasks;
  throw new SyntaxError(
    `Cannot read linear classifiers as their names and classes must be in it: got ${quoted(tasks)}`,
  );
}

function isTask(value: unknown): value is Task {
  return isRecord(value) && typeof value.name === "string" && Array.isArray(value.classes) &&
    value.classes.every((name) => typeof name === "string");
}

function readClassifier(
  { name, classes }: Task,
  tensors: ReadonlyMap<string, NdArray>,
  prefix: string,
): NamedClassifier {
  const [weight, bias] = [tensors.get(`${prefix}weight`), tensors.get(`${prefix}bias`)];
  const [count, dim] = weight?.shape ?? [];
  const fits = weight?.shape.length === 2 && bias?.shape.length === 1 && bias.shape[0] === count;
  if (!weight || !bias || !fits || count !== classes.length) {
    const got = [weight, bias].map((tensor) => tensor ? `[${tensor.shape}]` : "none").join(" and ");
    throw new SyntaxError(
      `Cannot read linear classifiers as ${quoted(name)} must have a weight [${classes.length}, dim] and a bias ` +
        `[${classes.length}]: got ${got}`,
    );
  }
  const values = toF32(weight);
  const own = Float64Array.from(values, (_, i) => values[(i % count) * dim! + Math.floor(i / count)]!);
  return {
    name,
    classes,
    classifier: { weight: own, bias: Float64Array.from(toF32(bias)), dim: dim!, classes: count },
  };
}

/**
 * Refuses a classifier that was fitted on other features.
 *
 * @param features The features that it shall classify, `dim` wide.
 * @throws {TypeError} If their kind, their width or the weights of their encoder differ; it names both.
 */
export function checkFittedOn(
  { name, classifier, fittedOn = {} }: NamedClassifier,
  { feature, dim, weights }: FittedOn & { readonly dim: number },
): void {
  const rule = `Cannot evaluate ${name} as the classifier must be`;
  if ((fittedOn.feature ?? feature) !== feature) {
    throw new TypeError(`${rule} for ${quoted(feature)} features: got one for ${quoted(fittedOn.feature)}`);
  }
  if (classifier.dim !== dim) {
    throw new TypeError(`${rule} for features ${dim} wide, as this encoder's: got one for ${classifier.dim}`);
  }
  if ((fittedOn.weights ?? weights) !== weights) {
    throw new TypeError(
      `${rule} fitted on this encoder, weights_sha256 ${weights}: got one fitted on ${quoted(fittedOn.weights)}`,
    );
  }
}

/**
 * The classifier with its classes in another order: they are joined by name.
 *
 * @throws {TypeError} If it does not tell exactly these classes apart.
 */
export function inOrderOf({ name, classes, classifier }: NamedClassifier, order: readonly string[]): LinearClassifier {
  const index = new Map(classes.map((each, i) => [each.normalize("NFC"), i]));
  const missing = order.filter((each) => !index.has(each.normalize("NFC")));
  const wanted = new Set(order.map((each) => each.normalize("NFC")));
  const unknown = [...index.keys()].filter((each) => !wanted.has(each));
  if (missing.length + unknown.length > 0 || index.size !== classes.length || wanted.size !== order.length) {
    const some = quotedSome;
    throw new TypeError(
      `Cannot evaluate ${name} as the classifier must be for its ${order.length} classes: got one for ${classes.length}, ` +
        `which lacks ${some(missing)} and has ${some(unknown)} besides`,
    );
  }
  const from = order.map((each) => index.get(each.normalize("NFC"))!);
  const { weight, bias, dim, classes: width } = classifier;
  return {
    weight: Float64Array.from(weight, (_, i) => weight[i - i % width + from[i % width]!]!),
    bias: Float64Array.from(from, (c) => bias[c]!),
    dim,
    classes: width,
  };
}
