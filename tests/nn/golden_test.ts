// Whole networks against PyTorch: outputs, loss, every parameter's gradient, and ten training steps. The weights come
// from a formula that Python and TypeScript share, so the fixtures hold results only (tests/fixtures/README.md).
import { backward, Device, noGrad, scope, tensor } from "../../mod.ts";
import { centroidWeights, rbf } from "../../src/kernels/mod.ts";
import { decoupledUniformity } from "../../src/losses/mod.ts";
import type { Contrastive } from "../../src/nn/mod.ts";
import { type Forced, policyOf } from "../../src/ops/shared/policy.ts";
import { assertClose } from "../../src/testing/mod.ts";
import { formula, images } from "../fixtures/formula.ts";
import { type Fixture, floatsOf, readFixture } from "../fixtures/read.ts";
import { type Config, load, makeOptimizer, type Name, NETWORKS } from "./_golden.ts";

const device = await Device.open();

/**
 * Factor on the fixture's `spread`, which is how far PyTorch's own float32 is from its float64; we may be a few times
 * that.
 */
const SPREADS = 8;

for (const name of ["small", "resnet18", "resnet50"] as const) {
  Deno.test(`${name}: outputs, loss and every gradient are PyTorch's`, async () => {
    const { model, golden, config, views } = load(name);
    for (const kind of ["plain", "weighted"] as const) {
      using _ = scope();
      const weights = kind === "weighted"
        ? tensor(floatsOf(golden, "weights"), { shape: [config.shape[0], config.shape[0]] })
        : undefined;
      const z = model.forward(views());
      assertClose(await z.data(), floatsOf(golden, "z"), { rtol: SPREADS * config.spread.z });
      const loss = decoupledUniformity(z, { weights });
      backward(loss);
      const limit = SPREADS * config.spread[kind].loss;
      assertClose([await loss.item()], floatsOf(golden, `${kind}.loss`), { rtol: Math.max(limit, 1e-6) });
      await assertGradients(name, model, golden, kind, config.spread[kind].grad);
    }
    model.dispose();
  });
}

Deno.test("centroidWeights() of the golden prior are PyTorch's", async () => {
  for (const name of ["small", "resnet18"] as const) {
    using _ = scope();
    const golden = readFixture(NETWORKS[name].file);
    const { shape, sigma, ridge } = JSON.parse(golden.metadata.config!) as Config;
    const prior = tensor(formula(`${name}/prior`, [shape[0], 5]), { shape: [shape[0], 5] });
    const weights = centroidWeights(prior, { kernel: rbf({ sigma }), ridge });
    assertClose(await weights.data(), floatsOf(golden, "weights"), { rtol: 2e-4 }); // condition of K + λI: about 1,000
  }
});

for (const name of ["small", "resnet18"] as const) {
  const { runs } = JSON.parse(readFixture(NETWORKS[name].file).metadata.config!) as Config;
  for (const run of runs) {
    // Every optimizer with the small network; the large one with two, to end in seconds.
    if (name === "resnet18" && run.name !== "sgd/weighted" && run.name !== "lars/plain") continue;
    // Ten steps let rounding grow, and Winograd's transforms, which a CPU adapter takes for narrow layers, have more of it;
    // the test above holds them to the spread of one step.
    const forced = name === "small" ? { conv2d: "direct" } : {};
    testSteps(`${name}: ten steps of ${run.name} follow PyTorch`, forced, async () => {
      const { model, golden, config, views } = load(name);
      const optimizer = makeOptimizer(run.optimizer, model, run.options);
      const n = config.shape[0];
      const [losses, input] = [[] as number[], views()];
      for (let step = 0; step < 10; step++) {
        using _ = scope();
        const weights = run.name.endsWith("weighted")
          ? tensor(floatsOf(golden, "weights"), { shape: [n, n] })
          : undefined;
        const loss = decoupledUniformity(model.forward(input), { weights });
        backward(loss);
        optimizer.step();
        losses.push(await loss.item());
      }
      const { spread } = run;
      const close = async (key: string, values: ArrayLike<number> | Promise<ArrayLike<number>>) =>
        assertClose(await values, floatsOf(golden, `${run.name}.${key}`), {
          rtol: Math.max(SPREADS * spread[key]!, 1e-4),
        });
      await close("losses", losses);
      const state = model.stateDict();
      const norms = [...state.keys()].filter((key) => key.endsWith("running_mean"));
      await close("first.runningMean", state.get(norms[0]!)!.data());
      await close("last.runningVar", state.get(norms.at(-1)!.replace("mean", "var"))!.data());
      model.eval();
      using _ = scope();
      const first = tensor(images(config.images, config.shape).subarray(0, input.size / n), {
        shape: [1, ...config.shape.slice(1)],
      });
      await close("evalZ", noGrad(() => model.forward(first)).data());
      for (const each of [model, optimizer, input]) each.dispose();
    });
  }
}

function testSteps(name: string, forced: Forced, body: () => Promise<void>): void {
  Deno.test(name, () => policyOf(device).with(forced, body));
}

/** Norm, sum, product with a direction, and sixteen elements of every gradient. */
async function assertGradients(
  name: Name,
  model: Contrastive,
  golden: Fixture,
  kind: string,
  spread: number,
): Promise<void> {
  const stats = floatsOf(golden, `${kind}.grad.stats`);
  const elements = floatsOf(golden, `${kind}.grad.elements`);
  const indices = floatsOf(golden, "indices");
  const rtol = SPREADS * spread;
  const grads = [...model.namedParameters()].map(([key, weight]) => ({ key, weight, grad: weight.grad!.data() }));
  for (const [i, { key, weight, grad }] of grads.entries()) {
    const values = await grad as Float32Array;
    const direction = formula(`${name}/direction/${key}`, weight.shape);
    let [square, sum, dot] = [0, 0, 0];
    values.forEach((v, j) => {
      square += v * v;
      sum += v;
      dot += v * direction[j]!;
    });
    const norm = stats[3 * i]!;
    const scale = { rtol: 0, atol: rtol * norm + 1e-9 };
    try {
      assertClose([Math.sqrt(square)], [norm], { rtol });
      assertClose([sum, dot], [stats[3 * i + 1]!, stats[3 * i + 2]!], {
        rtol: 0,
        atol: scale.atol * Math.sqrt(values.length),
      });
      const chosen = Array.from({ length: 16 }, (_, k) => values[indices[16 * i + k]!]!);
      assertClose(chosen, elements.subarray(16 * i, 16 * i + 16), scale);
    } catch (cause) {
      throw new Error(`The gradient of ${key} is not PyTorch's: ${(cause as Error).message}`, { cause });
    }
    weight.grad?.dispose();
    weight.grad = null;
  }
}
