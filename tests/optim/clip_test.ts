import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { Device, key, normal, requireGrad, scope, Tensor, tensor } from "../../mod.ts";
import { clipGradNorm, GradScaler, SGD } from "../../src/optim/mod.ts";
import { assertClose } from "../../src/testing/mod.ts";

await Device.open();

/** Parameters with gradients, of a workgroup and of several, whose sizes fill no vector. */
function withGradients(): Tensor[] {
  return [[7], [33, 35], [3, 3, 2], [1]].map((shape, i) => {
    const weight = requireGrad(normal(shape, { key: key(1, i) }));
    weight.grad = normal(shape, { key: key(2, i) });
    return weight;
  });
}

async function gradientsOf(weights: readonly Tensor[]): Promise<number[]> {
  return (await Promise.all(weights.map(({ grad }) => grad!.data()))).flatMap((values) => [...values]);
}

Deno.test("clipGradNorm() scales all gradients to the norm, and leaves smaller ones as they are", async () => {
  using _ = scope();
  const weights = withGradients();
  const before = await gradientsOf(weights);
  const norm = Math.hypot(...before);
  assertAlmostEquals(await clipGradNorm(weights, 2 * norm).item(), norm, 1e-5 * norm);
  assertEquals(await gradientsOf(weights), before);
  assertAlmostEquals(await clipGradNorm(weights, 1.5).item(), norm, 1e-5 * norm);
  assertClose(await gradientsOf(weights), before.map((value) => value * 1.5 / norm), { rtol: 1e-5 });
});

Deno.test("clipGradNorm() counts elements, not what lies behind them, and passes parameters without a gradient over", async () => {
  using _ = scope();
  const [weight, idle] = [tensor([0, 0, 0]), tensor([1])].map(requireGrad) as [Tensor, Tensor];
  weight.grad = new Tensor(weight.device, [3], { storage: tensor([2, 3, 6, 1e9]).storage.retain() });
  assertEquals(await clipGradNorm([idle, weight], 100).item(), 7);
  assertEquals(idle.grad, null);
});

Deno.test("clipGradNorm() changes no tensor but gradients, where two share one", async () => {
  using _ = scope();
  const shared = tensor([3, 4]);
  const weights = [0, 1].map(() => requireGrad(tensor([0, 0])));
  for (const weight of weights) weight.grad = shared.alias();
  assertAlmostEquals(await clipGradNorm(weights, 1).item(), Math.hypot(5, 5), 1e-5);
  assertEquals(await shared.data(), new Float32Array([3, 4]));
  assertClose(await gradientsOf(weights), [3, 4, 3, 4].map((value) => value / Math.hypot(5, 5)), { rtol: 1e-5 });
});

Deno.test("clipGradNorm() of a scaled loss clips what the step divides by the scale, and a bad step is skipped still", async () => {
  using _ = scope();
  const weight = requireGrad(tensor([0, 0]));
  const optimizer = new SGD([weight], { lr: 1 });
  const scaler = new GradScaler({ initScale: 1024 });
  weight.grad = tensor([3 * 1024, 4 * 1024]);
  assertAlmostEquals(await clipGradNorm([weight], 1, { scaler }).item(), 5, 1e-5);
  optimizer.step(scaler);
  assertClose(await weight.data(), [-0.6, -0.8], { rtol: 1e-5 });
  for (const bad of [Infinity, NaN]) {
    weight.grad = tensor([bad, 1]);
    clipGradNorm([weight], 1, { scaler });
    assertEquals(await weight.grad.data(), Float32Array.of(bad, 1));
    optimizer.step(scaler);
  }
  assertEquals((await scaler.state()).skipped, 2);
  assertClose(await weight.data(), [-0.6, -0.8], { rtol: 1e-5 });
  for (const each of [optimizer, scaler]) each.dispose();
});

Deno.test("clipGradNorm() refuses a norm that is not > 0, parameters without gradients, and what is no list of tensors", () => {
  using _ = scope();
  const weight = requireGrad(tensor([1]));
  assertThrows(() => clipGradNorm([weight], 0), RangeError, "maxNorm must be > 0 and finite: current value is 0");
  assertThrows(() => clipGradNorm([weight], 1), TypeError, "Cannot clipGradNorm() as no parameter has a gradient");
  for (const [given, got] of [[weight, "Tensor"], [undefined, "undefined"], [[weight, null], "a list with null"]]) {
    const message =
      `Cannot clipGradNorm() as parameters must be a list of tensors, as parameters() of a network gives: got ${got}`;
    assertThrows(() => clipGradNorm(given as Tensor[], 1), TypeError, message);
  }
  const twice = "Cannot clipGradNorm() of a tensor twice: got parameter 1 [1] before";
  assertThrows(() => clipGradNorm([weight, weight], 1), TypeError, twice);
});
