import { benchOn } from "../_bench.ts";
import { Device } from "../../src/device/mod.ts";
import { centroidWeights, rbf } from "../../src/kernels/mod.ts";
import { cholesky, choleskySolve, hatMatrix, rbfGram } from "../../src/ops/mod.ts";
import { key, normal, type Tensor, tidy } from "../../src/tensor/mod.ts";
import { assertClose } from "../../src/testing/mod.ts";

const device = await Device.open();
const bench = await benchOn(device);
const FEATURES = 2048;
const RIDGE = 0.01;
const kernel = rbf({ sigma: Math.sqrt(FEATURES) });

function product(a: ArrayLike<number>, v: Float64Array, transpose = false): Float64Array {
  const n = v.length;
  const out = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < n; k++) out[transpose ? k : i]! += a[i * n + k]! * v[transpose ? i : k]!;
  }
  return out;
}

/** Right first, in float64: L Lᵀ v = (K + λI) v and (K + λI) W v = K v for one vector. */
async function check(gram: Tensor, l: Tensor, weights: Tensor): Promise<void> {
  const [k, factor, w] = await Promise.all([gram.data(), l.data(), weights.data()]);
  const v = Float64Array.from({ length: gram.shape[0]! }, (_, i) => Math.sin(i));
  const ridged = (u: Float64Array) => product(k, u).map((value, i) => value + RIDGE * u[i]!);
  assertClose(product(factor, product(factor, v, true)), ridged(v), { rtol: 2e-5 });
  assertClose(ridged(product(w, v)), product(k, v), { rtol: 2e-4 }); // times the condition of K + λI
}

for (const n of [256, 1024, 2048]) {
  const prior = normal([n, FEATURES], { key: key(1) });
  const gram = rbfGram(prior, prior, { gamma: 0.5 / FEATURES });
  const l = cholesky(gram, { ridge: RIDGE });
  using first = tidy(() => centroidWeights(prior, { kernel, ridge: RIDGE }));
  await check(gram, l, first);
  const group = `cholesky ${n}`;
  const weights = () => centroidWeights(prior, { kernel, ridge: RIDGE });
  await bench(`cholesky [${n},${n}]`, () => cholesky(gram, { ridge: RIDGE }), { group, baseline: true });
  await bench(`choleskySolve [${n},${n}]`, () => choleskySolve(l, gram), { group });
  await bench(`hatMatrix [${n},${n}]`, () => hatMatrix(gram, { ridge: RIDGE }), { group });
  await bench(`centroidWeights ${n} <- [${n},${FEATURES}] rbf`, weights, { group });
}
