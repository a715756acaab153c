import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { Device } from "../../src/device/mod.ts";
import { backward, requireGrad } from "../../src/autograd/mod.ts";
import { alignUniform, infoNCE, supCon } from "../../src/losses/mod.ts";
import { full, key, normal, ones, type Tensor, tensor } from "../../src/tensor/mod.ts";
import { gradcheck } from "../../src/testing/mod.ts";
import { assertGolden, casesOf } from "../fixtures/golden.ts";
import { readFixture } from "../fixtures/read.ts";
import { eachFamily } from "../ops/shared/_forms.ts";

const device = await Device.open();

type Loss = (z: Tensor) => Tensor;
const LABELS = [2, 0, 2, 1, 0, 1];
const LOSSES: Record<string, Loss> = {
  alignUniform: (z) => alignUniform(z, { alpha: 1.5 }),
  infoNCE: (z) => infoNCE(z),
  supCon: (z) => supCon(z, { labels: LABELS }),
};

function views(batch: number, count: number, features: number): Tensor<"f32"> {
  return normal([batch, count, features], { key: key(5, batch, count, features), device });
}

/** The loss of embeddings whose elements are picked or made by a function of their indices. */
async function lossOf(loss: Loss, z: Tensor, element: (b: number, v: number, f: number) => number): Promise<number> {
  const [, count, features] = z.shape as [number, number, number];
  const values = Float32Array.from({ length: z.size }, (_, i) => {
    return element(Math.floor(i / (count * features)), Math.floor(i / features) % count, i % features);
  });
  return await loss(tensor(values, { shape: z.shape })).item();
}

Deno.test("infoNCE(), supCon() and alignUniform() equal PyTorch in value and gradient", () =>
  eachFamily(device, async () => {
    const golden = readFixture("losses");
    for (const one of casesOf("losses", "infoNCE")) {
      // Two samples that are told apart: the gradient is the difference of almost equal parts.
      await assertGolden(golden, one, (z) => infoNCE(z!, one.attrs), { absolute: 1e-6 });
    }
    for (const one of casesOf("losses", "supCon")) {
      await assertGolden(golden, one, (z, labels) => supCon(z!, { labels: labels!, ...one.attrs }), { absolute: 1e-6 });
    }
    for (const one of casesOf("losses", "alignUniform")) {
      await assertGolden(golden, one, (z) => alignUniform(z!, one.attrs));
    }
  }));

for (const [name, loss] of Object.entries(LOSSES)) {
  Deno.test(`${name}() gradient matches finite differences`, async () => {
    await gradcheck(loss, views(6, 2, 5));
  });

  Deno.test(`${name}() does not depend on the order of views, their length, or a rotation`, async () => {
    const z = views(6, 2, 4);
    const values = await z.data();
    const at = (b: number, v: number, f: number) => values[(b * 2 + v) * 4 + f]!;
    const expected = await lossOf(loss, z, at);
    assertAlmostEquals(await lossOf(loss, z, (b, v, f) => at(b, 1 - v, f)), expected, 2e-5);
    assertAlmostEquals(await lossOf(loss, z, (b, v, f) => (1 + b + v) * at(b, v, f)), expected, 2e-5);
    const [cos, sin] = [Math.cos(2), Math.sin(2)];
    const turned = (b: number, v: number, f: number) =>
      f > 1 ? at(b, v, f) : f === 0 ? cos * at(b, v, 0) - sin * at(b, v, 1) : sin * at(b, v, 0) + cos * at(b, v, 1);
    assertAlmostEquals(await lossOf(loss, z, turned), expected, 2e-5);
  });

  Deno.test(`${name}() has a finite gradient, 0, at collapse`, async () => {
    const z = requireGrad(full([6, 2, 3], 0.5));
    backward(loss(z));
    for (const g of await z.grad!.data()) assertAlmostEquals(g, 0, 1e-5);
  });

  Deno.test(`${name}() throws when z is not f32 [batch, views, features]`, () => {
    assertThrows(
      () => loss(ones([6, 4])),
      TypeError,
      `Cannot compute ${name}() as z must be f32 [batch, views, features]: got z f32 [6,4]`,
    );
    assertThrows(
      () => loss(ones([1, 2, 4])),
      RangeError,
      `Cannot compute ${name}() as a pair needs a batch of at least 2: got z [1,2,4]`,
    );
  });
}

Deno.test("infoNCE() and alignUniform() do not depend on the order of samples, supCon() takes labels along", async () => {
  const z = views(6, 2, 4);
  const values = await z.data();
  const reversed = (b: number, v: number, f: number) => values[((5 - b) * 2 + v) * 4 + f]!;
  for (const loss of [LOSSES.infoNCE!, LOSSES.alignUniform!]) {
    assertAlmostEquals(await lossOf(loss, z, reversed), await loss(z).item(), 2e-5);
  }
  const backwards = (x: Tensor) => supCon(x, { labels: LABELS.toReversed() });
  assertAlmostEquals(await lossOf(backwards, z, reversed), await supCon(z, { labels: LABELS }).item(), 2e-5);
});

Deno.test("infoNCE() is log(1 + 2 exp(-2 / temperature)) for two opposite samples", async () => {
  const z = tensor([[[1, 0], [1, 0]], [[-1, 0], [-1, 0]]]);
  for (const temperature of [0.1, 0.5, 2]) {
    const expected = Math.log(1 + 2 * Math.exp(-2 / temperature));
    assertAlmostEquals(await infoNCE(z, { temperature }).item(), expected, 1e-6);
  }
});

Deno.test("supCon() with a label a sample is infoNCE(), and takes a u32 tensor", async () => {
  const z = views(5, 3, 4);
  const expected = await infoNCE(z, { temperature: 0.1 }).item();
  assertAlmostEquals(await supCon(z, { labels: [4, 3, 2, 1, 0] }).item(), expected, 1e-5);
  assertAlmostEquals(await supCon(z, { labels: tensor(new Uint32Array([9, 7, 5, 3, 1])) }).item(), expected, 1e-5);
});

Deno.test("alignUniform() is the sum of its two terms", async () => {
  const z = views(5, 2, 4);
  const both = await alignUniform(z, { alignWeight: 3, unifWeight: 0.5 }).item();
  const align = await alignUniform(z, { unifWeight: 0 }).item();
  const unif = await alignUniform(z, { alignWeight: 0 }).item();
  assertAlmostEquals(both, 3 * align + 0.5 * unif, 1e-5);
  assertEquals(await alignUniform(full([5, 2, 4], 1)).item(), 0);
});

Deno.test("infoNCE() and supCon() throw when there is one view, or the temperature is not positive", () => {
  for (const [name, loss] of [["infoNCE", infoNCE], ["supCon", supCon]] as const) {
    const call = (z: Tensor, temperature?: number) =>
      loss(z, { ...name === "supCon" && { labels: [0, 1] }, temperature } as never);
    assertThrows(
      () => call(ones([2, 1, 3])),
      RangeError,
      `Cannot compute ${name}() as a sample needs at least 2 views: got z [2,1,3]`,
    );
    for (const temperature of [0, -1, NaN]) {
      assertThrows(
        () => call(ones([2, 2, 3]), temperature),
        RangeError,
        `Cannot compute ${name}() as temperature must be > 0 and <= 8e+37: current value is ${temperature}`,
      );
    }
  }
});

Deno.test("supCon() throws when the labels do not fit", () => {
  const z = ones([3, 2, 4]);
  assertThrows(
    () => supCon(z, { labels: [0, 1] }),
    TypeError,
    "Cannot compute supCon() as there must be one label a sample: got 2 labels and z [3,2,4]",
  );
  assertThrows(
    () => supCon(z, { labels: [0, 1.5, 2] }),
    RangeError,
    "Cannot compute supCon() as a label must be an integer >= 0: got 1.5 at 1",
  );
  assertThrows(
    () => supCon(z, { labels: ones([3]) }),
    TypeError,
    "Cannot compute supCon() as labels must be u32 [3]: got labels f32 [3] and z [3,2,4]",
  );
});

Deno.test("alignUniform() throws when there are not two views, or an option is out of range", () => {
  assertThrows(
    () => alignUniform(ones([3, 3, 4])),
    RangeError,
    "Cannot compute alignUniform() as there must be exactly 2 views: got z [3,3,4]",
  );
  const z = ones([3, 2, 4]);
  for (const name of ["alpha", "t"]) {
    assertThrows(
      () => alignUniform(z, { [name]: 0 }),
      RangeError,
      `Cannot compute alignUniform() as ${name} must be > 0 and <= 8e+37: current value is 0`,
    );
  }
  for (const name of ["alignWeight", "unifWeight"]) {
    assertThrows(
      () => alignUniform(z, { [name]: -1 }),
      RangeError,
      `Cannot compute alignUniform() as ${name} must be >= 0 and finite: current value is -1`,
    );
  }
});
