import { benchOn } from "../_bench.ts";
import { backward, requireGrad } from "../../src/autograd/mod.ts";
import { Device } from "../../src/device/mod.ts";
import { layerNorm, selfAttention } from "../../src/ops/mod.ts";
import { full, key, normal, ones, type Tensor, zeros } from "../../src/tensor/mod.ts";
import { assertClose } from "../../src/testing/mod.ts";

const device = await Device.open();
const bench = await benchOn(device);
/** Sizes of ViT-S/16 at 224 px: 197 tokens of 384 features, 6 heads. */
const [TOKENS, FEATURES, HEADS] = [197, 384, 6];
const images = device.info.family === "gpu" ? 128 : 2;
const grad = full([images, TOKENS, FEATURES], 1);

function dropGrads(tensors: readonly Tensor[]): void {
  for (const tensor of tensors) {
    tensor.grad?.dispose();
    tensor.grad = null;
  }
}

/** Right first: the first token of each head of the first image, by loops in float64. */
async function checkAttention(qkv: Tensor): Promise<void> {
  const [x, y] = await Promise.all([qkv.data(), selfAttention(qkv, { heads: HEADS }).data()]);
  const d = FEATURES / HEADS;
  const row = (token: number, part: number, head: number) => (3 * token + part) * FEATURES + head * d;
  for (let head = 0; head < HEADS; head++) {
    const scores = Array.from({ length: TOKENS }, (_, token) => {
      let sum = 0;
      for (let j = 0; j < d; j++) sum += x[row(0, 0, head) + j]! * x[row(token, 1, head) + j]!;
      return sum / Math.sqrt(d);
    });
    const most = Math.max(...scores);
    const weights = scores.map((score) => Math.exp(score - most));
    const all = weights.reduce((sum, weight) => sum + weight, 0);
    const want = Array.from(
      { length: d },
      (_, j) => weights.reduce((sum, weight, token) => sum + weight / all * x[row(token, 2, head) + j]!, 0),
    );
    assertClose(y.slice(head * d, (head + 1) * d), want, { rtol: 1e-4, atol: 1e-5 });
  }
}

/** Right first: a token's features have mean 0 and variance 1. */
async function checkLayerNorm(x: Tensor, options: { weight: Tensor; bias: Tensor }): Promise<void> {
  const values = (await layerNorm(x, options).data()).slice(-FEATURES);
  const mean = values.reduce((sum, value) => sum + value, 0) / FEATURES;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / FEATURES;
  assertClose([mean, variance], [0, 1], { rtol: 1e-4, atol: 1e-5 });
}

const qkv = requireGrad(normal([images, TOKENS, 3 * FEATURES], { key: key(1) }));
await checkAttention(qkv);
const attended = `selfAttention [${images},${TOKENS},3 x ${FEATURES}], ${HEADS} heads`;
await bench(`${attended} forward`, () => selfAttention(qkv, { heads: HEADS }), { group: "attention", baseline: true });
await bench(`${attended} forward+backward`, () => {
  backward(selfAttention(qkv, { heads: HEADS }), { grad });
  dropGrads([qkv]);
}, { group: "attention" });

const x = requireGrad(normal([images, TOKENS, FEATURES], { key: key(2), mean: 3, std: 2 }));
const options = { weight: requireGrad(ones([FEATURES])), bias: requireGrad(zeros([FEATURES])) };
await checkLayerNorm(x, options);
const normalized = `layerNorm [${images},${TOKENS},${FEATURES}]`;
await bench(`${normalized} forward`, () => layerNorm(x, options), { group: "layerNorm", baseline: true });
await bench(`${normalized} forward+backward`, () => {
  backward(layerNorm(x, options), { grad });
  dropGrads([x, options.weight, options.bias]);
}, { group: "layerNorm" });
