import { add, mul } from "../ops/mod.ts";
import type { Tensor } from "../tensor/mod.ts";
import { checkOptions, checkSetting } from "../tensor/internal.ts";
import type { Kernel } from "./kernel.ts";

/** Prior that all kernels of a list take: a tensor, or a record with the priors of all of them. */
export type PriorOf<T extends readonly Kernel<never>[]> = [T[number]] extends [Kernel<infer P>] ? P : never;

/** Options of {@linkcode sumOf}. */
export interface SumOfOptions {
  /** Factors > 0 of the kernels; 1 each by default. */
  readonly weights?: readonly number[];
}

/**
 * The sum of kernels, itself a kernel: samples are alike when any of them says so.
 *
 * @param kernels One or more, of the same prior; or of several, through {@linkcode over}.
 * @param options `weights` of the kernels.
 * @throws {TypeError} If there are no kernels, or the weights do not match them.
 * @throws {RangeError} If a weight is not a positive finite number.
 *
 * @example Attributes and features together
 * ```ts
 * import { Device, tensor } from "@decoupled/uniformity";
 * import { centroidWeights, cosine, over, rbf, sumOf } from "@decoupled/uniformity/kernels";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const prior = { attributes: tensor([[0, 1], [1, 1]]), features: tensor([[0.2, 0.1, 3], [4, 5, 6]]) };
 * const kernel = sumOf([over("attributes", rbf({ sigma: 1 })), over("features", cosine())], { weights: [0.7, 0.3] });
 * assertEquals(centroidWeights(prior, { kernel }).shape, [2, 2]);
 * ```
 */
export function sumOf<const T extends readonly Kernel<never>[]>(
  kernels: T,
  options: SumOfOptions = {},
): Kernel<PriorOf<T>> {
  checkOptions("compute sumOf()", options, ["weights"]);
  checkSome("sumOf", kernels);
  const weights = options.weights ?? kernels.map(() => 1);
  if (weights.length !== kernels.length) {
    throw new TypeError(
      `Cannot make sumOf() as there must be one weight a kernel: got ${weights.length} weights and ${kernels.length} kernels`,
    );
  }
  for (const weight of weights) checkSetting("make sumOf()", "every weight", weight);
  return (x, y) => gramsOf(kernels, x, y).map((gram, i) => scaled(gram, weights[i]!)).reduce((a, b) => add(a, b));
}

/**
 * The product of kernels, itself a kernel: samples are alike when all of them say so.
 *
 * @param kernels One or more, of the same prior; or of several, through {@linkcode over}.
 * @throws {TypeError} If there are no kernels.
 *
 * @example Usage
 * ```ts
 * import { Device, tensor } from "@decoupled/uniformity";
 * import { cosine, productOf, rbf } from "@decoupled/uniformity/kernels";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const kernel = productOf([rbf({ gamma: 1 }), cosine()]);
 * const [x, y] = [tensor([[1, 0]]), tensor([[1, 1]])];
 * assertAlmostEquals(await kernel(x, y).item(), Math.exp(-1) * Math.SQRT1_2, 1e-6);
 * ```
 */
export function productOf<const T extends readonly Kernel<never>[]>(kernels: T): Kernel<PriorOf<T>> {
  checkSome("productOf", kernels);
  return (x, y) => gramsOf(kernels, x, y).reduce((a, b) => mul(a, b));
}

/**
 * A kernel of one of several priors: `kernel` of what is found under `key`, in a record of tensors or in an array.
 *
 * @param key Name or index of the prior.
 * @param kernel A kernel of that prior.
 * @returns A kernel of records (or arrays) that have the key; join several with {@linkcode sumOf} or
 *   {@linkcode productOf}.
 *
 * @example Usage
 * ```ts
 * import { Device, tensor } from "@decoupled/uniformity";
 * import { linearKernel, over } from "@decoupled/uniformity/kernels";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const kernel = over("age", linearKernel());
 * const patients = { age: tensor([3, 4]) };
 * assertEquals(await kernel(patients, patients).data(), new Float32Array([9, 12, 12, 16]));
 * ```
 */
export function over<K extends PropertyKey, P = Tensor>(key: K, kernel: Kernel<P>): Kernel<{ readonly [key in K]: P }> {
  return (x, y) => kernel(x[key], y[key]);
}

function gramsOf<T extends readonly Kernel<never>[]>(kernels: T, x: PriorOf<T>, y: PriorOf<T>): Tensor[] {
  return kernels.map((kernel) => kernel(x as never, y as never)); // PriorOf<T> is what each of them takes
}

function checkSome(name: string, kernels: readonly unknown[]): void {
  if (kernels.length === 0) throw new TypeError(`Cannot make ${name}() of no kernels`);
}

function scaled(gram: Tensor, weight: number): Tensor {
  return weight === 1 ? gram : mul(gram, weight);
}
