import { noGrad } from "../autograd/mod.ts";
import { Device } from "../device/mod.ts";
import { matmul } from "../ops/mod.ts";
import { checkOptions } from "../tensor/internal.ts";
import { keep, type Tensor, tensor } from "../tensor/mod.ts";
import { checkFinite, checkRows } from "./check_finite.ts";
import { unitRows } from "./unit_rows.ts";
import { checkClasses } from "./class_labels.ts";
import { rowsAtOnce } from "../data/internal.ts";
import type { Features } from "../data/mod.ts";

/** Features with what is known of each sample. */
export interface LabelledFeatures {
  /** Features `[n, dim]`. */
  readonly features: Features;
  /** Labels. `Int32Array [n]`: a class each; `Float32Array [n, classes]`: 0, 1 or NaN for each class. */
  readonly labels: Int32Array | Float32Array;
}

/** Options of {@linkcode knn}. */
export interface KnnOptions {
  /** Number of classes. */
  classes: number;
  /** Neighbours that vote; 20 by default, all of them when there are fewer. */
  k?: number;
  /** Temperature of a vote: proportional to `exp(cosine / temperature)`; 0.07 by default. */
  temperature?: number;
  /** Whether the queries are the gallery, each sample judged by the others; false by default. */
  leaveOneOut?: boolean;
  /** Device; the default one by default. */
  device?: Device;
}

/** Scores of classification by neighbours. */
export interface KnnScores {
  /** Share of the queries whose class has the most votes; NaN for several labels a sample. */
  readonly top1: number;
  /** Share of the queries whose class is among the five with the most votes; NaN for several labels a sample. */
  readonly top5: number;
  /** Mean over classes of the area under the ROC curve of the votes; NaN for one class a sample. */
  readonly mean_auroc: number;
  /** Queries. */
  readonly queries: number;
}

/** Queries of one product. */
const CHUNK = 256;

/**
 * Classifies by weighted votes of the nearest neighbours in cosine similarity, the products on the device: of a part of
 * the gallery and some queries at a time, so that no number of samples is too large for an adapter.
 *
 * @param gallery Samples that vote.
 * @param queries Samples that are classified.
 * @throws {TypeError} If the widths of the features or the kinds of labels differ, or there is not a label for each sample.
 * @throws {RangeError} If there are no samples, a feature is not finite, or `k`, `temperature`, `classes` or a label is out
 * of range, or `leaveOneOut` is set and there are not as many queries as samples.
 *
 * @example Usage
 * ```ts
 * import { Device } from "@decoupled/uniformity";
 * import { knn } from "@decoupled/uniformity/eval";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const set = (data: number[], labels: number[]) => ({
 *   features: { data: new Float32Array(data), dim: 2 },
 *   labels: new Int32Array(labels),
 * });
 * const gallery = set([1, 0, 0, 1], [0, 1]);
 * const { top1 } = await knn(gallery, set([3, 1, 1, 4], [0, 1]), { classes: 2, k: 1 });
 * assertEquals(top1, 1);
 * ```
 *
 * @see Wu et al., "Unsupervised Feature Learning via Non-Parametric Instance Discrimination", arXiv:1805.01978.
 */
export async function knn(
  gallery: LabelledFeatures,
  queries: LabelledFeatures,
  options: KnnOptions,
): Promise<KnnScores> {
  checkOptions("run knn()", options, ["classes", "k", "temperature", "leaveOneOut", "device"]);
  const { classes, temperature = 0.07, leaveOneOut = false, device = Device.current } = options;
  const count = gallery.features.data.length / gallery.features.dim;
  const k = Math.min(options.k ?? 20, count - Number(leaveOneOut));
  check(gallery, queries, { k, temperature, classes });
  const n = queries.features.data.length / queries.features.dim;
  if (leaveOneOut && n !== count) {
    throw new RangeError(
      `Cannot run knn() as leaveOneOut takes the gallery for the queries: got ${count} samples and ${n} queries`,
    );
  }
  const votes = new Float64Array(n * classes);
  const neighbours = await nearestRows(gallery.features, queries.features, { k, leaveOneOut, device });
  for (let i = 0; i < n; i++) {
    vote(votes.subarray(i * classes, (i + 1) * classes), neighbours[i]!, gallery.labels, temperature);
  }
  return queries.labels instanceof Int32Array
    ? { ...accuracy(votes, queries.labels, classes), mean_auroc: NaN, queries: n }
    : { top1: NaN, top5: NaN, mean_auroc: meanAuc(votes, queries.labels, classes), queries: n };
}

function check(
  gallery: LabelledFeatures,
  queries: LabelledFeatures,
  { k, temperature, classes }: { k: number; temperature: number; classes: number },
): void {
  if (gallery.features.dim !== queries.features.dim) {
    throw new TypeError(
      `Cannot run knn() as the widths must agree: got ${gallery.features.dim} and ${queries.features.dim}`,
    );
  }
  for (const { features } of [gallery, queries]) checkRows("run knn()", features);
  if (gallery.labels.constructor !== queries.labels.constructor) {
    throw new TypeError("Cannot run knn() as gallery and queries must have the same kind of labels: got one of each");
  }
  if (!(k >= 1) || !Number.isInteger(k)) {
    throw new RangeError(`Cannot run knn() as k must be an integer >= 1: got ${k}`);
  }
  checkClasses("run knn()", classes);
  if (!(temperature > 0)) throw new RangeError(`Cannot run knn() as temperature must be > 0: got ${temperature}`);
  for (const { features, labels } of [gallery, queries]) {
    if (features.data.length === 0) throw new RangeError("Cannot run knn() as there must be samples: got none");
    checkFinite("run knn()", features);
    checkLabels(labels, features.data.length / features.dim, classes);
  }
}

function checkLabels(labels: Int32Array | Float32Array, n: number, classes: number): void {
  const single = labels instanceof Int32Array;
  if (labels.length !== (single ? n : n * classes)) {
    throw new TypeError(
      `Cannot run knn() as labels must be [${single ? n : `${n}, ${classes}`}]: got ${labels.length} of them`,
    );
  }
  const wrong = single
    ? labels.findIndex((label) => label < 0 || label >= classes)
    : labels.findIndex((label) => label !== 0 && label !== 1 && !Number.isNaN(label));
  if (wrong < 0) return;
  const [rule, row] = single ? [`in [0, ${classes})`, wrong] : ["0, 1 or NaN", Math.floor(wrong / classes)];
  throw new RangeError(`Cannot run knn() as a label must be ${rule}: got ${labels[wrong]} in row ${row}`);
}

/** The `k` gallery rows most alike to a query and their similarities, the most alike first. */
interface Nearest {
  readonly rows: Uint32Array;
  readonly similarities: Float32Array;
  count: number;
}

async function nearestRows(
  gallery: Features,
  queries: Features,
  { k, leaveOneOut, device }: { k: number; leaveOneOut: boolean; device: Device },
): Promise<Nearest[]> {
  const { dim } = gallery;
  const [count, n] = [gallery.data.length / dim, queries.data.length / dim];
  const found = Array.from({ length: n }, () => (
    { rows: new Uint32Array(k), similarities: new Float32Array(k), count: 0 }
  ));
  const most = Math.min(rowsAtOnce(device, dim), rowsAtOnce(device, CHUNK));
  for (let first = 0; first < count; first += most) {
    using bank = upload(gallery, first, Math.min(first + most, count), device);
    for (let from = 0; from < n; from += CHUNK) {
      const to = Math.min(from + CHUNK, n);
      const scores = await similarities(queries, from, to, bank);
      const width = bank.shape[0]!;
      for (let i = from; i < to; i++) {
        const row = scores.subarray((i - from) * width, (i - from + 1) * width);
        if (leaveOneOut && i >= first && i < first + width) row[i - first] = -Infinity;
        take(found[i]!, row, first);
      }
    }
  }
  return found;
}

function upload(features: Features, from: number, to: number, device: Device): Tensor {
  const rows = Float32Array.from(unitRows(features, from, to));
  return keep(tensor(rows, { shape: [to - from, features.dim], device }));
}

async function similarities(queries: Features, from: number, to: number, bank: Tensor): Promise<Float32Array> {
  using x = upload(queries, from, to, bank.device);
  using products = noGrad(() => matmul(x, bank, { transposeB: true }));
  return await products.data() as Float32Array;
}

/** Keeps the nearest of the rows so far and those from `first` on; of equals, the earlier ones stay. */
function take(nearest: Nearest, scores: Float32Array, first: number): void {
  const { rows, similarities } = nearest;
  const k = rows.length;
  for (let j = 0; j < scores.length; j++) {
    const score = scores[j]!;
    let at = nearest.count;
    if (at === k && !(score > similarities[k - 1]!)) continue;
    if (at < k) nearest.count++;
    else at--;
    for (; at > 0 && score > similarities[at - 1]!; at--) {
      rows[at] = rows[at - 1]!;
      similarities[at] = similarities[at - 1]!;
    }
    rows[at] = first + j;
    similarities[at] = score;
  }
}

/** Adds the votes of neighbours. */
function vote(
  votes: Float64Array,
  { rows, similarities }: Nearest,
  labels: Int32Array | Float32Array,
  temperature: number,
): void {
  // At most 1, however low the temperature. Votes of several labels are compared with those of other queries.
  const most = labels instanceof Int32Array ? similarities[0]! : 1;
  rows.forEach((row, i) => {
    const weight = Math.exp((similarities[i]! - most) / temperature);
    if (labels instanceof Int32Array) votes[labels[row]!]! += weight;
    else votes.forEach((_, c) => votes[c]! += labels[row * votes.length + c] === 1 ? weight : 0);
  });
}

function accuracy(votes: Float64Array, labels: Int32Array, classes: number): { top1: number; top5: number } {
  let [top1, top5] = [0, 0];
  labels.forEach((label, i) => {
    const row = votes.subarray(i * classes, (i + 1) * classes);
    const own = row[label]!;
    if (own === 0) return; // no neighbour has its class
    const better = row.reduce((count, each, c) => count + Number(each > own || (each === own && c < label)), 0);
    top1 += Number(better < 1);
    top5 += Number(better < 5);
  });
  return { top1: top1 / labels.length, top5: top5 / labels.length };
}

/** Area under the ROC curve of each class over the samples where its label is known; classes of one kind are left out. */
function meanAuc(votes: Float64Array, labels: Float32Array, classes: number): number {
  const areas: number[] = [];
  for (let c = 0; c < classes; c++) {
    const known = Array.from({ length: labels.length / classes }, (_, i) => i).filter((i) =>
      !Number.isNaN(labels[i * classes + c])
    );
    const area = rankArea(known.map((i) => [votes[i * classes + c]!, labels[i * classes + c] === 1]));
    if (!Number.isNaN(area)) areas.push(area);
  }
  return areas.reduce((sum, area) => sum + area, 0) / areas.length;
}

/** Mann and Whitney: the share of pairs of a positive and a negative that are in order, ties counting half. */
function rankArea(samples: [score: number, positive: boolean][]): number {
  samples.sort(([a], [b]) => a - b);
  const positives = samples.filter(([, positive]) => positive).length;
  let rankSum = 0;
  for (let i = 0; i < samples.length;) {
    let j = i + 1;
    while (j < samples.length && samples[j]![0] === samples[i]![0]) j++;
    const rank = (i + 1 + j) / 2;
    for (; i < j; i++) if (samples[i]![1]) rankSum += rank;
  }
  return (rankSum - positives * (positives + 1) / 2) / (positives * (samples.length - positives));
}
