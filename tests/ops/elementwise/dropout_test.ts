import { assertAlmostEquals, assertEquals, assertNotEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { backward, requireGrad } from "../../../src/autograd/mod.ts";
import { compile } from "../../../src/compile/mod.ts";
import { Device } from "../../../src/device/mod.ts";
import { dropout, mul, stochasticDepth } from "../../../src/ops/mod.ts";
import { key, normal, ones, type Tensor, tensor } from "../../../src/tensor/mod.ts";
import { castTo, uniformNumbers } from "../../../src/tensor/internal.ts";
import { assertClose, gradcheck } from "../../../src/testing/mod.ts";
import { testWith } from "../../device/_features.ts";

const device = await Device.open();

Deno.test("dropout() zeroes what the generator draws below p and scales the rest, in the gradient too", async () => {
  const draws = uniformNumbers(4001, key(3));
  const y = dropout(ones([4001]), { p: 0.3, key: key(3) });
  assertClose(await y.data(), Float32Array.from(draws, (u) => u < Math.fround(0.3) ? 0 : 1 / 0.7));
  assertAlmostEquals(draws.filter((u) => u < 0.3).length / 4001, 0.3, 0.03);
  await gradcheck((x) => dropout(x, { p: 0.5, key: key(1) }), normal([5, 7], { key: key(2) }));
});

testWith(device, "f16 that is not read", "dropout() of f16 gives f16, by the same draws", async () => {
  const draws = uniformNumbers(9, key(3));
  const half = dropout(castTo(ones([9]), "f16"), { p: 0.5, key: key(3) });
  assertEquals(half.dtype, "f16");
  assertClose(await castTo(half, "f32").data(), draws.map((u) => u < 0.5 ? 0 : 2));
});

Deno.test("stochasticDepth() draws once a sample", async () => {
  const draws = uniformNumbers(6, key(4));
  const y = await stochasticDepth(ones([6, 2, 2]), { p: 0.5, key: key(4) }).data();
  assertEquals(Array.from(y), Array.from(draws).flatMap((u) => new Array(4).fill(u < 0.5 ? 0 : 2)));
  await gradcheck((x) => stochasticDepth(x, { p: 0.5, key: key(4) }), normal([6, 3], { key: key(2) }));
});

Deno.test("dropout() asks for the key of each step, also where the step is replayed", async () => {
  let step = 0;
  const x = requireGrad(ones([64]));
  const run = compile((seed: Tensor) => {
    const y = dropout(x, { p: 0.5, key: () => key(step) });
    backward(y, { grad: seed });
    const grad = mul(x.grad!, 1);
    x.grad!.dispose();
    x.grad = null;
    return grad;
  }, { check: "never" });
  const found: Float32Array[] = [];
  for (; step < 5; step++) found.push(Float32Array.from(await run(ones([64])).data() as Float32Array));
  assertEquals(run.replays > 0, true);
  found.forEach((values, i) => assertEquals(values, uniformNumbers(64, key(i)).map((u) => u < 0.5 ? 0 : 2)));
  assertNotEquals(found[3], found[4]);
});

Deno.test("dropout() of p 0 or of nothing gives x, and throws on what it cannot use", () => {
  const x = tensor([1, 2]);
  assertStrictEquals(dropout(x, { p: 0, key: key(0) }), x);
  assertThrows(
    () => dropout(x, { p: 1, key: key(0) }),
    RangeError,
    "Cannot compute dropout() as p must be in [0, 1): current value is 1",
  );
  assertThrows(() => dropout(x, { p: 1 - 1e-9, key: key(0) }), RangeError, "is 0.999999999"); // 1 as f32
  assertThrows(
    () => stochasticDepth(tensor(1), { p: 0.5, key: key(0) }),
    TypeError,
    "x must be [batch, ...]: got x []",
  );
  assertThrows(
    () => dropout(ones([2], { dtype: "u32" }), { p: 0.5, key: key(0) }),
    TypeError,
    "x must be f32: got u32",
  );
});
