import { add, argMax, cholesky, choleskySolve, matmul, noGrad, scope, tensor } from "../../mod.ts";
import type { Features } from "../../src/data/mod.ts";
import { meanOf } from "../../src/eval/mod.ts";

/** Weight of the ridge, in units of the mean variance of a feature. */
const RIDGE = 1e-2;

/**
 * Linear evaluation in one step: least squares from centred features to one-hot labels, with a small ridge, then the
 * label of the largest output. Deterministic, no step size to choose.
 *
 * @param train Features of the labelled samples, `[n, d]`.
 * @param labels Their labels, `[n]`, counted from 0.
 * @param tests Sets of features to classify.
 * @returns The label of each row of each set.
 */
export async function linearProbe(
  train: Features,
  labels: Int32Array,
  tests: readonly Features[],
): Promise<Int32Array[]> {
  using _ = scope();
  const { dim } = train;
  const n = labels.length;
  const mean = meanOf(train);
  const centred = ({ data }: Features) => data.map((v, i) => v - mean[i % dim]!);
  const own = centred(train);
  const variance = own.reduce((sum, v) => sum + v * v, 0) / own.length;
  const x = tensor(own, { shape: [n, dim] });
  const { rows: targets, shares } = oneHot(labels);
  const y = tensor(targets, { shape: [n, shares.length] });
  const bias = tensor(shares); // what the least squares give, features being centred
  const weights = noGrad(() => {
    const factor = cholesky(matmul(x, x, { transposeA: true }), { ridge: RIDGE * n * variance });
    return choleskySolve(factor, matmul(x, y, { transposeA: true }));
  });
  const results: Int32Array[] = [];
  for (const test of tests) {
    const rows = tensor(centred(test), { shape: [test.data.length / dim, dim] });
    results.push(Int32Array.from(await noGrad(() => argMax(add(matmul(rows, weights), bias), { dim: 1 })).data()));
  }
  return results;
}

/** One-hot rows `[n, classes]`, and the share of each class. */
function oneHot(labels: Int32Array): { rows: Float32Array<ArrayBuffer>; shares: Float32Array<ArrayBuffer> } {
  const classes = labels.reduce((most, label) => Math.max(most, label), 0) + 1;
  const rows = new Float32Array(labels.length * classes);
  const shares = new Float32Array(classes);
  labels.forEach((label, i) => {
    rows[i * classes + label] = 1;
    shares[label]! += 1 / labels.length;
  });
  return { rows, shares };
}
