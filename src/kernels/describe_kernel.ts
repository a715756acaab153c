import { detach, noGrad } from "../autograd/mod.ts";
import { Tensor, tidy } from "../tensor/mod.ts";
import { centroidWeights, type CentroidWeightsOptions } from "./centroid_weights.ts";
import { medianSigma } from "./median_sigma.ts";
import { retainedVariance } from "./retained_variance.ts";
import { checkOptions, checkSizes } from "../tensor/internal.ts";

/** Description of what a kernel makes of a prior; see {@linkcode describeKernel}. */
export interface KernelDescription {
  /** Similarities of the pairs of different samples, `k(x, y) / √(k(x, x) k(y, y))`. */
  readonly similarity: { readonly min: number; readonly mean: number; readonly max: number };
  /** Number of similarities in each of the bins between `min` and `max`. */
  readonly histogram: readonly number[];
  /** Effective rank `trace(K)² / ‖K‖²`: n when all samples differ, 1 when all are alike. */
  readonly effectiveRank: number;
  /** Share of the centroids' variance that the weights leave; see {@linkcode retainedVariance}. */
  readonly retainedVariance: number;
  /** Part of the weight that samples give to others, in [0, 1): 0 when the weights are diagonal. */
  readonly mixing: number;
  /**
   * Verdict on the kernel: `"constant"` when less than 5 % of the variance is left, `"identity"` when less than 5 % of
   * the weight goes to other samples, else `"graded"`. In the first two cases the prior does not help.
   */
  readonly verdict: "constant" | "identity" | "graded";
  /** A sentence for the user when the verdict is not `"graded"`, else null. */
  readonly advice: string | null;
}

/** Part of the variance, or of the weight, below which a kernel is as good as constant, or the identity. */
const LEAST = 0.05;

/**
 * Describes what a kernel makes of a prior, before training: how alike it finds the samples, and whether it is nearly
 * constant or nearly the identity for this ridge, so that the prior would not help.
 *
 * Reads the Gram matrix and the weights back: call it once, on a sample of the prior as large as a batch.
 *
 * @param prior As for {@linkcode centroidWeights}; at least two samples.
 * @param options `kernel`, `ridge`, and `bins` of the histogram (default 20).
 * @throws {RangeError} If there are fewer than two samples, or the weights are not finite (a NaN in the prior, or a
 *   ridge too small), or `bins` is no integer ≥ 1.
 *
 * @example Usage
 * ```ts
 * import { Device, tensor } from "@decoupled/uniformity";
 * import { describeKernel, rbf } from "@decoupled/uniformity/kernels";
 * import { assertEquals, assertMatch } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const prior = tensor([[0, 0], [0, 1], [1, 0], [1, 1]]);
 * const { verdict, advice } = await describeKernel(prior, { kernel: rbf({ sigma: 100 }) });
 * assertEquals(verdict, "constant");
 * assertMatch(advice!, /sigma: 1\b/);
 * ```
 */
export async function describeKernel<P>(
  prior: P,
  options: CentroidWeightsOptions<P> & { readonly bins?: number },
): Promise<KernelDescription> {
  checkOptions("compute describeKernel()", options, ["kernel", "ridge", "bins"]);
  const { bins = 20 } = options;
  checkSizes("describe a kernel", { bins });
  const { weights, gram, retained, n } = await readBack(prior, options);
  if (!weights.every(Number.isFinite)) {
    throw new RangeError(
      "Cannot describe a kernel as its weights are not finite: the prior holds a NaN, or the ridge is too small",
    );
  }
  const similarities = pairSimilarities(gram, n);
  const mixing = mixingOf(weights, n);
  const verdict = retained < LEAST ? "constant" : mixing < LEAST ? "identity" : "graded";
  const similarity = summary(similarities);
  const sigma = verdict !== "graded" && prior instanceof Tensor ? await usefulSigma(prior) : null;
  return {
    similarity,
    histogram: histogram(similarities, similarity, bins),
    effectiveRank: effectiveRank(gram, n),
    retainedVariance: retained,
    mixing,
    verdict,
    advice: verdict === "graded" ? null : adviceOf(verdict, similarity, sigma),
  };
}

async function readBack<P>(
  prior: P,
  options: CentroidWeightsOptions<P>,
): Promise<{ weights: Float32Array; gram: Float32Array; retained: number; n: number }> {
  const { kernel, ridge } = options;
  using weights = centroidWeights(prior, { kernel, ridge });
  const n = weights.shape[0]!;
  if (n < 2) throw new RangeError(`Cannot describe a kernel as there must be at least 2 samples: got ${n}`);
  using gram = noGrad(() => tidy(() => detach(kernel(prior, prior)))); // the kernel may keep its own
  using left = retainedVariance(weights);
  const [w, k, retained] = await Promise.all([weights.data(), gram.data(), left.item()]);
  return { weights: Float32Array.from(w), gram: Float32Array.from(k), retained, n };
}

function pairSimilarities(gram: Float32Array, n: number): Float64Array {
  const similarities = new Float64Array(n * (n - 1) / 2);
  let k = 0;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) {
      const scale = Math.sqrt(gram[i * n + i]! * gram[j * n + j]!);
      similarities[k++] = scale > 0 ? gram[i * n + j]! / scale : 0;
    }
  }
  return similarities;
}

function summary(values: Float64Array): { min: number; mean: number; max: number } {
  let [min, max, sum] = [Infinity, -Infinity, 0];
  for (const v of values) [min, max, sum] = [Math.min(min, v), Math.max(max, v), sum + v];
  return { min, mean: sum / values.length, max };
}

function histogram(values: Float64Array, { min, max }: { min: number; max: number }, bins: number): number[] {
  const counts = new Array<number>(bins).fill(0);
  for (const v of values) counts[Math.min(bins - 1, Math.floor((v - min) / (max - min || 1) * bins))]! += 1;
  return counts;
}

function effectiveRank(gram: Float32Array, n: number): number {
  let [trace, squares] = [0, 0];
  for (let i = 0; i < n; i++) trace += gram[i * n + i]!;
  for (const k of gram) squares += k * k;
  return trace ** 2 / squares;
}

function mixingOf(weights: Float32Array, n: number): number {
  let part = 0;
  for (let i = 0; i < n; i++) {
    const row = weights.subarray(i * n, (i + 1) * n);
    const all = row.reduce((sum, w) => sum + Math.abs(w), 0);
    if (all > 0) part += 1 - Math.abs(row[i]!) / all;
  }
  return part / n;
}

/** The median distance, or null when all rows are alike. */
async function usefulSigma(prior: Tensor): Promise<number | null> {
  try {
    return await medianSigma(prior);
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

function adviceOf(verdict: "constant" | "identity", { min, max }: { min: number; max: number }, sigma: number | null) {
  const range = `similarities from ${Number(min.toPrecision(4))} to ${Number(max.toPrecision(4))}`;
  const what = verdict === "constant"
    ? `The kernel is nearly constant (${range}): all samples share one centroid and the loss learns nothing`
    : `The kernel is nearly the identity (${range}): samples share nothing and the prior does not help`;
  return sigma === null
    ? what
    : `${what}. The median distance suggests rbf({ sigma: ${Number(sigma.toPrecision(3))} })`;
}
