import { fullPrecision } from "../autograd/mod.ts";
import { contrastiveTerm, l2Normalize, matmul, reshape } from "../ops/mod.ts";
import { Tensor } from "../tensor/mod.ts";
import { checkOptions } from "../tensor/internal.ts";
import { checkPositive, checkViews } from "./_check.ts";
import { checkLabels, uploadLabels } from "./_labels.ts";

/** The option of losses that compare by a softmax. */
export interface TemperatureOptions {
  /** τ > 0, dimensionless; 0.5 by default in `infoNCE`, 0.2 in `moCo`, 0.1 in the others. */
  readonly temperature?: number;
}

/**
 * InfoNCE as SimCLR has it (NT-Xent): each view must find the other views of its sample among all views of the batch.
 *
 * `L = mean_i (log Σ_{a≠i} exp(uᵢ·uₐ / τ) − mean_{p∈P(i)} uᵢ·uₚ / τ)`, where `u` are the unit-length views, i and a run
 * over all batch · views of them, and P(i) are the other views of i's sample (one for two views, as in the paper).
 *
 * @param z Embeddings of the views, f32 `[batch, views, features]`, batch ≥ 2, views ≥ 2; normalised here.
 * @param options `temperature` (default 0.5, SimCLR's for CIFAR-10).
 * @returns The loss, f32 `[]`; `log(batch · views − 1)` at collapse.
 * @throws {TypeError} If `z` is not of rank 3 or not f32.
 * @throws {RangeError} If there are fewer than two samples or views, or `temperature` is not positive and finite.
 *
 * @example Usage
 * ```ts
 * import { Device, ones } from "@decoupled/uniformity";
 * import { infoNCE } from "@decoupled/uniformity/losses";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * assertAlmostEquals(await infoNCE(ones([4, 2, 8])).item(), Math.log(7), 1e-5); // collapse
 * ```
 *
 * @see Chen et al., "A Simple Framework for Contrastive Learning of Visual Representations", arXiv:2002.05709, equation 1.
 */
export function infoNCE(z: Tensor, options: TemperatureOptions = {}): Tensor<"f32"> {
  checkOptions("compute infoNCE()", options, ["temperature"]);
  return contrastive("infoNCE", z, options.temperature ?? 0.5);
}

/**
 * Supervised contrastive loss: each view must find all views of its class among all views of the batch (`L_out`).
 *
 * The formula of {@linkcode infoNCE} with P(i) all other views of samples with i's label. The original's factor
 * `temperature / baseTemperature` is left out (it is 1 at its defaults).
 *
 * @param z Embeddings of the views, f32 `[batch, views, features]`, batch ≥ 2, views ≥ 2; normalised here.
 * @param options `labels`: a class for each sample, u32 `[batch]`, or numbers, which are uploaded; `temperature`
 *   (default 0.1, the paper's).
 * @returns The loss, f32 `[]`.
 * @throws {TypeError} If `z` is not of rank 3 or not f32, or there are not batch labels of u32.
 * @throws {RangeError} If there are fewer than two samples or views, `temperature` is not positive and finite, or a
 *   label given as a number is not an integer ≥ 0.
 *
 * @example Usage
 * ```ts
 * import { Device, ones } from "@decoupled/uniformity";
 * import { supCon } from "@decoupled/uniformity/losses";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const loss = supCon(ones([4, 2, 8]), { labels: [0, 1, 0, 1] });
 * assertAlmostEquals(await loss.item(), Math.log(7), 1e-5); // collapse
 * ```
 *
 * @see Khosla et al., "Supervised Contrastive Learning", arXiv:2004.11362, equation 2.
 */
export function supCon(
  z: Tensor,
  options: TemperatureOptions & { readonly labels: Tensor | ArrayLike<number> },
): Tensor<"f32"> {
  checkOptions("compute supCon()", options, ["labels", "temperature"]);
  const { labels, temperature = 0.1 } = options;
  checkViews("supCon", z, 2);
  if (labels instanceof Tensor) return contrastive("supCon", z, temperature, checkLabels("supCon", z, labels));
  using uploaded = uploadLabels("supCon", z, labels);
  return contrastive("supCon", z, temperature, uploaded);
}

function contrastive(loss: string, z: Tensor, temperature: number, labels?: Tensor): Tensor<"f32"> {
  checkViews(loss, z, 2);
  checkPositive(loss, "temperature", temperature);
  const [batch, views, features] = z.shape as [number, number, number];
  const u = l2Normalize(reshape(z, [batch * views, features]));
  const products = fullPrecision(() => matmul(u, u, { transposeB: true }));
  return contrastiveTerm(products, { views, temperature, labels });
}
