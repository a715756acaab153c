import { defineProgram } from "../../device/mod.ts";
import { lib_flat, lib_nan } from "../../shaders/lib.ts";
import { pair_term as code } from "../../shaders/pairs.ts";
import { defineOp } from "../../autograd/mod.ts";
import { Tensor } from "../../tensor/mod.ts";
import { checkOptions, checkSetting } from "../../tensor/internal.ts";
import { checkFloat } from "../shared/check.ts";
import { pairMatrix, pairPrograms, weightedDifferences } from "./_pairs.ts";

const EXPONENTS = pairPrograms("pairTerm", "-params.gamma * d2");

function program(entryPoint: string) {
  const types = "alias F = f32; alias U = u32; alias B = bool;";
  return defineProgram({ name: "pairTerm", code: [types, lib_flat, lib_nan, code], entryPoint });
}

const PARTIAL = program("partial");
const FINISH = program("finish");
const WEIGHTS = program("weights");

/** The exponent of the furthest unit vectors, 4 t, is an f32 up to here. */
const MOST_T = 8e37;

/** Rows of the exponents that one invocation sums: enough chunks to share the work, few enough to merge. */
function chunkOf(n: number): number {
  return Math.max(32, Math.ceil(n / 64));
}

function logMeanExp(exponent: Tensor): Tensor {
  const { device } = exponent;
  const n = exponent.shape[0]!;
  const chunk = chunkOf(n);
  const chunks = Math.ceil(n / chunk);
  const params = { n, chunk, chunks, scale: 0 };
  const partials = new Tensor(device, [chunks, n, 2]);
  const loss = new Tensor(device, []);
  device.dispatch(PARTIAL, {
    params,
    buffers: { 1: exponent.storage, 2: partials.storage },
    workgroups: [Math.ceil(n / 64), chunks, 1],
  });
  device.dispatch(FINISH, { params, buffers: { 2: partials.storage, 3: loss.storage }, workgroups: [1, 1, 1] });
  return loss;
}

/** Computes `−4t / (n (n − 1)) · grad · exp(exponent − loss)`: the weights of the differences in the gradient. */
function pairWeights(exponent: Tensor, loss: Tensor, grad: Tensor, t: number): Tensor {
  const { device } = exponent;
  const n = exponent.shape[0]!;
  const w = new Tensor(device, [n, n]);
  device.dispatch(WEIGHTS, {
    params: { n, chunk: 0, chunks: 0, scale: -4 * t / (n * (n - 1)) },
    buffers: { 1: exponent.storage, 3: loss.storage, 4: grad.storage, 5: w.storage },
    workgroups: device.groups(n * n, 64),
  });
  return w;
}

const pairTermOp = defineOp<[Tensor], { readonly t: number }>({
  name: "pairTerm",
  forward(context, [x], { t }) {
    const exponent = pairMatrix(EXPONENTS, x, x, t);
    const loss = logMeanExp(exponent);
    context.save(x, exponent, loss);
    return loss;
  },
  backward({ saved: [x, exponent, loss] }, grad, { t }) {
    return [weightedDifferences(pairWeights(exponent!, loss!, grad, t), x!, x!)];
  },
});

/**
 * Log of the mean potential of all pairs of rows: `log mean_{i<j} exp(−t ‖x[i] − x[j]‖²)`, the uniformity of Wang and
 * Isola.
 *
 * It is a log-sum-exp, so no `t` underflows. Value and gradient are exactly 0 when all rows are equal. Needs memory for
 * two `[n, n]` matrices in the backward, none of `[n, n, d]`.
 *
 * @param x Rows, f32 `[n, d]`, n ≥ 2.
 * @param options `t` > 0 (default 2), in 1/length².
 * @returns f32 `[]`, ≤ 0.
 * @throws {TypeError} If the rank is not 2 or the dtype not f32.
 * @throws {RangeError} If `n < 2` or `t` is not > 0 and ≤ 8e37 as an f32.
 *
 * @example Usage
 * ```ts
 * import { Device, tensor } from "@decoupled/uniformity";
 * import { pairTerm } from "@decoupled/uniformity/ops";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const opposite = tensor([[1, 0], [-1, 0]]);
 * assertAlmostEquals(await pairTerm(opposite, { t: 2 }).item(), -8, 1e-5);
 * ```
 *
 * @see Wang and Isola, "Understanding Contrastive Representation Learning through Alignment and Uniformity on the
 * Hypersphere", arXiv:2005.10242, equation 6.
 */
export function pairTerm(x: Tensor, options: { readonly t?: number } = {}): Tensor<"f32"> {
  checkOptions("compute pairTerm()", options, ["t"]);
  const { t = 2 } = options;
  if (x.rank !== 2) throw new TypeError(`Cannot compute pairTerm() as x must be [n, d]: got x [${x.shape}]`);
  checkFloat("pairTerm", x);
  if (x.shape[0]! < 2) {
    throw new RangeError(`Cannot compute pairTerm() as a pair needs at least 2 rows: got x [${x.shape}]`);
  }
  checkSetting("compute pairTerm()", "t", t, { most: MOST_T });
  return pairTermOp([x], { t });
}
