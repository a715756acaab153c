import { benchOn } from "../_bench.ts";
import { keep, key, normal, requireGrad } from "../../mod.ts";
import { Device } from "../../src/device/mod.ts";
import { AdamW } from "../../src/optim/mod.ts";
import { assertClose } from "../../src/testing/mod.ts";

const device = await Device.open();
const bench = await benchOn(device);
const [LR, EPS, DECAY] = [0.001, 1e-8, 0.01];

/** AdamW that keeps the gradients, so that steps alone are timed. */
class Repeated extends AdamW {
  override zeroGrad(): void {}
}

/** Parameters of 512 × 512 numbers, each with a gradient. */
function parameters(count: number) {
  return Array.from({ length: count }, (_, i) => {
    const w = requireGrad(keep(normal([512, 512], { key: key(2 * i) })));
    w.grad = keep(normal([512, 512], { key: key(2 * i + 1) }));
    return w;
  });
}

/** Right first: the first step is `w (1 − lr · decay) − lr · g / (|g| + eps)`, as both means are corrected to g and g². */
async function check(weights: ReturnType<typeof parameters>, optimizer: AdamW): Promise<void> {
  const some = [weights[0]!, weights.at(-1)!];
  const before = await Promise.all(some.map((w) => w.data()));
  const grads = await Promise.all(some.map((w) => w.grad!.data()));
  optimizer.step();
  const after = await Promise.all(some.map((w) => w.data()));
  for (const [i, got] of after.entries()) {
    const want = Array.from(before[i]!, (w, j) => {
      const g = grads[i]![j]!;
      return w * (1 - LR * DECAY) - LR * g / (Math.abs(g) + EPS);
    });
    assertClose(got, want, { rtol: 1e-5, atol: 1e-6 });
  }
}

for (const millions of [11, 25]) {
  const weights = parameters(Math.round(millions * 1e6 / 512 ** 2));
  const optimizer = new Repeated(weights, { lr: LR, weightDecay: DECAY });
  await check(weights, optimizer);
  await bench(`AdamW ${millions} M parameters`, () => optimizer.step(), {
    group: "AdamW",
    baseline: millions === 11,
    n: 10,
    warmup: 2,
    parameters: weights.length * 512 ** 2,
  });
}
