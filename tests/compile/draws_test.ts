import { assertEquals, assertNotEquals } from "@std/assert";
import { backward } from "../../src/autograd/mod.ts";
import { compile } from "../../src/compile/mod.ts";
import { Device } from "../../src/device/mod.ts";
import { Vit } from "../../src/nn/mod.ts";
import { dropout, mean, square } from "../../src/ops/mod.ts";
import { SGD } from "../../src/optim/mod.ts";
import { key, normal, scope, type Tensor } from "../../src/tensor/mod.ts";

await Device.open();

const LAYOUT = { dim: 8, heads: 2, depth: 2, patchSize: 4, imageSize: 8 } as const;

/** Losses, weights and draws of a ViT with stochastic depth and dropout in five steps. */
async function trained(compiled: boolean, options: { checkpoint?: boolean } = {}) {
  const model = new Vit(LAYOUT, { numClasses: 4, dropPath: 0.5, ...options });
  const optimizer = new SGD(model.parameters(), { lr: 0.1 });
  let draws = 0;
  const plain = (x: Tensor) => {
    const loss = mean(square(dropout(model.forward(x), { p: 0.3, key: () => key(9, draws++) })));
    backward(loss);
    optimizer.step();
    return loss;
  };
  using step = compile(plain, { check: "never" });
  const losses = [];
  for (let i = 0; i < 5; i++) {
    using _ = scope();
    losses.push(await (compiled ? step : plain)(normal([6, 8, 8, 3], { key: key(1, i) })).item());
  }
  const weights = await Promise.all(model.parameters().map(async (each) => [...await each.data()]));
  for (const each of [model, optimizer]) each.dispose();
  return { losses, weights, draws, replays: step.replays };
}

Deno.test("compile() draws the masks of dropout and stochastic depth that ordinary calls draw", async () => {
  const { replays: none, ...eager } = await trained(false);
  const { replays, ...compiled } = await trained(true);
  assertEquals([none, replays, eager.draws], [0, 2, 5]);
  assertEquals(compiled, eager);
  assertNotEquals(eager.losses[3], eager.losses[4]);
});

Deno.test("compile() draws the same masks where blocks are checkpointed", async () => {
  const { replays: _, ...plain } = await trained(false);
  const { replays, ...compiled } = await trained(true, { checkpoint: true });
  assertEquals(replays, 2);
  assertEquals(compiled, plain);
});
