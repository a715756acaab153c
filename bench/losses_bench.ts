import { benchOn } from "./_bench.ts";
import { Device } from "../src/device/mod.ts";
import { backward, requireGrad } from "../src/autograd/mod.ts";
import { centroidWeights, rbf } from "../src/kernels/mod.ts";
import { alignUniform, decoupledUniformity, infoNCE, supCon } from "../src/losses/mod.ts";
import { key, normal, type Tensor, tensor } from "../src/tensor/mod.ts";
import { assertClose, TOLERANCE } from "../src/testing/mod.ts";

const device = await Device.open();
const bench = await benchOn(device);
const FEATURES = 256;

/** The centroids of unit-length views in float64, weighted. */
function centroids(z: Float32Array, batch: number, weights?: Float32Array): Float64Array[] {
  const plain = Array.from({ length: batch }, (_, b) => {
    const [x, y] = [0, 1].map((v) => Float64Array.from(z.subarray((2 * b + v) * FEATURES, (2 * b + v + 1) * FEATURES)));
    const [p, q] = [Math.hypot(...x!), Math.hypot(...y!)];
    return x!.map((value, f) => (value / p + y![f]! / q) / 2);
  });
  if (!weights) return plain;
  return plain.map((_, i) => {
    const sum = new Float64Array(FEATURES);
    plain.forEach((c, j) => c.forEach((value, f) => sum[f]! += weights[i * batch + j]! * value));
    return sum;
  });
}

function reference(c: Float64Array[]): number {
  let sum = 0;
  for (let i = 0; i < c.length; i++) {
    for (let j = 0; j < i; j++) sum += Math.exp(-2 * c[i]!.reduce((d, v, f) => d + (v - c[j]![f]!) ** 2, 0));
  }
  return Math.log(sum / (c.length * (c.length - 1) / 2));
}

/** Right first: the loss, with and without weights, against float64. */
async function check(z: Tensor, weights: Tensor): Promise<void> {
  const [values, w] = await Promise.all([z.data(), weights.data()]);
  const [plain, weighted] = [centroids(Float32Array.from(values), z.shape[0]!), Float32Array.from(w)];
  const got = [await decoupledUniformity(z).item(), await decoupledUniformity(z, { weights }).item()];
  const want = [reference(plain), reference(centroids(Float32Array.from(values), z.shape[0]!, weighted))];
  assertClose(got, want, { rtol: TOLERANCE.sum });
}

for (const batch of [256, 1024, 2048]) {
  const z = requireGrad(normal([batch, 2, FEATURES], { key: key(1) }));
  const prior = normal([batch, 312], { key: key(2) });
  const kernel = rbf({ sigma: Math.sqrt(312) });
  const weights = centroidWeights(prior, { kernel });
  const labels = tensor(Uint32Array.from({ length: batch }, (_, i) => i % 10));
  await check(z, weights);
  const losses: Record<string, () => Tensor> = {
    "decoupledUniformity": () => decoupledUniformity(z),
    "decoupledUniformity, weights given": () => decoupledUniformity(z, { weights }),
    "decoupledUniformity, weights from a prior of 312": () =>
      decoupledUniformity(z, { weights: centroidWeights(prior, { kernel }) }),
    "infoNCE": () => infoNCE(z),
    "supCon": () => supCon(z, { labels }),
    "alignUniform": () => alignUniform(z),
  };
  // The losses that are compared with are timed at one size on a software adapter.
  const all = Object.entries(losses);
  for (const [name, loss] of batch === 256 || device.info.family === "gpu" ? all : all.slice(0, 3)) {
    const options = { group: `loss [${batch},2,${FEATURES}]`, baseline: name === "decoupledUniformity" };
    await bench(`${name} forward+backward [${batch},2,${FEATURES}]`, () => {
      backward(loss());
      z.grad?.dispose();
      z.grad = null;
    }, options);
  }
}
