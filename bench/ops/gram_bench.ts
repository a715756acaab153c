import { benchOn } from "../_bench.ts";
import { Device } from "../../src/device/mod.ts";
import { noGrad } from "../../src/autograd/mod.ts";
import { cosineGram, linearGram, rbfGram, squaredDistances } from "../../src/ops/mod.ts";
import { key, normal, type Tensor } from "../../src/tensor/mod.ts";
import { assertClose, TOLERANCE } from "../../src/testing/mod.ts";

const device = await Device.open();
const bench = await benchOn(device);

interface Gram {
  readonly run: (x: Tensor, y: Tensor) => Tensor;
  /** Reference of an element, in float64. */
  readonly element: (a: Float32Array, b: Float32Array) => number;
}

function fold(a: Float32Array, b: Float32Array, term: (p: number, q: number) => number): number {
  let sum = 0;
  for (let f = 0; f < a.length; f++) sum += term(a[f]!, b[f]!);
  return sum;
}

const squared = (a: Float32Array, b: Float32Array) => fold(a, b, (p, q) => (p - q) ** 2);
const dot = (a: Float32Array, b: Float32Array) => fold(a, b, (p, q) => p * q);

function grams(features: number): Record<string, Gram> {
  const gamma = 0.5 / features;
  return {
    rbfGram: { run: (x, y) => rbfGram(x, y, { gamma }), element: (a, b) => Math.exp(-gamma * squared(a, b)) },
    squaredDistances: { run: squaredDistances, element: squared },
    cosineGram: { run: cosineGram, element: (a, b) => dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b)) },
    linearGram: { run: linearGram, element: dot },
  };
}

/** Right first: a wrong matrix is not timed. Every 37th element is compared. */
async function check({ run, element }: Gram, x: Tensor, y: Tensor): Promise<void> {
  const [xs, ys, got] = await Promise.all([x.data(), y.data(), run(x, y).data()]);
  const [features, cols] = [x.shape[1]!, y.shape[0]!];
  const row = (values: typeof xs, i: number) => Float32Array.from(values.subarray(i * features, (i + 1) * features));
  const picked = Array.from({ length: Math.ceil(got.length / 37) }, (_, k) => 37 * k);
  const want = picked.map((k) => element(row(xs, Math.floor(k / cols)), row(ys, k % cols)));
  assertClose(picked.map((k) => got[k]!), want, { rtol: TOLERANCE.sum });
}

const SIZES = [[256, 2048], [1024, 256], ...(device.info.family === "gpu" ? [[4096, 2048]] : [])];

for (const [n, features] of SIZES as [number, number][]) {
  const [x, y] = [normal([n, features], { key: key(1) }), normal([n, features], { key: key(2) })];
  for (const [name, gram] of Object.entries(grams(features))) {
    for (const other of name.endsWith("rbfGram") ? [x, y] : [y]) {
      await check(gram, x, other);
      const which = other === x ? " of itself" : "";
      await bench(`${name} ${n} <- [${n},${features}]${which}`, () => noGrad(() => gram.run(x, other)), {
        group: `gram [${n},${features}]`,
        baseline: name === "rbfGram" && other === x,
      });
    }
  }
}
