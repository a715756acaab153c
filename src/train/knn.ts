import { noGrad } from "../autograd/mod.ts";
import { Device } from "../device/mod.ts";
import { l2Normalize, matmul } from "../ops/mod.ts";
import { keep, type Tensor, tensor, tidy } from "../tensor/mod.ts";
import type { Features } from "./retrieval.ts";

/** Features with what is known of each sample. */
export interface LabelledFeatures {
  /** `[n, dim]`. */
  readonly features: Features;
  /** `Int32Array [n]`: a class each; `Float32Array [n, classes]`: 0, 1 or NaN for each class. */
  readonly labels: Int32Array | Float32Array;
}

/** Options of {@linkcode knn}. */
export interface KnnOptions {
  /** Number of classes. */
  classes: number;
  /** Neighbours that vote; 20 by default, all of them when there are fewer. */
  k?: number;
  /** Temperature of a vote: `exp(cosine / temperature)`; 0.07 by default. */
  temperature?: number;
  /** The queries are the gallery: each sample is judged by the others. */
  leaveOneOut?: boolean;
  /** Device; the default one by default. */
  device?: Device;
}

/** How well neighbours tell labels. */
export interface KnnScores {
  /** Share of the queries whose class has the most votes; NaN for several labels a sample. */
  readonly top1: number;
  /** Share of the queries whose class is among the five with the most votes; NaN for several labels a sample. */
  readonly top5: number;
  /** Mean over classes of the area under the ROC curve of the votes; NaN for one class a sample. */
  readonly auc: number;
  /** Queries. */
  readonly queries: number;
}

/** Queries of one product. */
const CHUNK = 256;

/**
 * Classifies by weighted votes of the nearest neighbours in cosine similarity, the products on the device.
 *
 * @param gallery Samples that vote.
 * @param queries Samples that are classified.
 * @throws {TypeError} If the widths of the features or the kinds of labels differ.
 * @throws {RangeError} If there are no samples, or `k` or `temperature` is out of range.
 *
 * @see Wu et al., "Unsupervised Feature Learning via Non-Parametric Instance Discrimination", arXiv:1805.01978.
 */
export async function knn(
  gallery: LabelledFeatures,
  queries: LabelledFeatures,
  options: KnnOptions,
): Promise<KnnScores> {
  const { classes, temperature = 0.07, leaveOneOut = false, device = Device.current } = options;
  const count = gallery.features.data.length / gallery.features.dim;
  const k = Math.min(options.k ?? 20, count - Number(leaveOneOut));
  check(gallery, queries, k, temperature);
  using bank = unitRows(gallery.features, device);
  const n = queries.features.data.length / queries.features.dim;
  const votes = new Float64Array(n * classes);
  for (let from = 0; from < n; from += CHUNK) {
    const to = Math.min(from + CHUNK, n);
    const scores = await similarities(queries.features, from, to, bank);
    for (let i = from; i < to; i++) {
      const row = scores.subarray((i - from) * count, (i - from + 1) * count);
      if (leaveOneOut) row[i] = -Infinity;
      vote(votes.subarray(i * classes, (i + 1) * classes), row, gallery.labels, k, temperature);
    }
  }
  return queries.labels instanceof Int32Array
    ? { ...accuracy(votes, queries.labels, classes), auc: NaN, queries: n }
    : { top1: NaN, top5: NaN, auc: meanAuc(votes, queries.labels, classes), queries: n };
}

function check(gallery: LabelledFeatures, queries: LabelledFeatures, k: number, temperature: number): void {
  if (gallery.features.dim !== queries.features.dim) {
    throw new TypeError(
      `Cannot run knn() as the widths must agree: got ${gallery.features.dim} and ${queries.features.dim}`,
    );
  }
  if (gallery.labels.constructor !== queries.labels.constructor) {
    throw new TypeError("Cannot run knn() as gallery and queries must have the same kind of labels: got one of each");
  }
  if (!(k >= 1) || !Number.isInteger(k)) {
    throw new RangeError(`Cannot run knn() as k must be an integer >= 1: got ${k}`);
  }
  if (!(temperature > 0)) throw new RangeError(`Cannot run knn() as temperature must be > 0: got ${temperature}`);
}

function unitRows({ data, dim }: Features, device: Device): Tensor {
  return keep(noGrad(() => tidy(() => l2Normalize(tensor(data, { shape: [data.length / dim, dim], device })))));
}

async function similarities({ data, dim }: Features, from: number, to: number, bank: Tensor): Promise<Float32Array> {
  using x = unitRows({ data: data.slice(from * dim, to * dim), dim }, bank.device);
  using products = noGrad(() => matmul(x, bank, { transposeB: true }));
  return await products.data() as Float32Array;
}

/** Adds the votes of the `k` largest similarities. */
function vote(
  votes: Float64Array,
  similarities: Float32Array,
  labels: Int32Array | Float32Array,
  k: number,
  temperature: number,
): void {
  const nearest: number[] = [];
  for (let j = 0; j < similarities.length; j++) {
    if (nearest.length === k && !(similarities[j]! > similarities[nearest[k - 1]!]!)) continue;
    let at = nearest.length;
    while (at > 0 && similarities[j]! > similarities[nearest[at - 1]!]!) at--;
    nearest.splice(at, 0, j);
    if (nearest.length > k) nearest.pop();
  }
  for (const j of nearest) {
    const weight = Math.exp(similarities[j]! / temperature);
    if (labels instanceof Int32Array) votes[labels[j]!]! += weight;
    else votes.forEach((_, c) => votes[c]! += labels[j * votes.length + c] === 1 ? weight : 0);
  }
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
    let j = i;
    while (j < samples.length && samples[j]![0] === samples[i]![0]) j++;
    const rank = (i + 1 + j) / 2;
    for (; i < j; i++) if (samples[i]![1]) rankSum += rank;
  }
  return (rankSum - positives * (positives + 1) / 2) / (positives * (samples.length - positives));
}
