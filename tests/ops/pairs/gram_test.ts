import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { Device } from "../../../src/device/mod.ts";
import { cosineGram, linearGram, rbfGram, squaredDistances } from "../../../src/ops/mod.ts";
import { ones, type Tensor, tensor } from "../../../src/tensor/mod.ts";
import { gradcheck } from "../../../src/testing/mod.ts";
import { assertGolden, casesOf } from "../../fixtures/golden.ts";
import { readFixture } from "../../fixtures/read.ts";
import { points } from "../shared/_arrays.ts";
import { eachForm } from "../shared/_forms.ts";

const device = await Device.open();

const GRAMS: Record<string, (x: Tensor, y: Tensor, gamma: number) => Tensor> = {
  cosineGram,
  linearGram,
  rbfGram: (x, y, gamma) => rbfGram(x, y, { gamma }),
  squaredDistances,
};

for (const [name, gram] of Object.entries(GRAMS)) {
  Deno.test(`${name}() equals PyTorch in value and gradient`, () =>
    eachForm(device, async () => {
      const golden = readFixture("ops");
      for (const one of casesOf("ops", name)) {
        // The cosine of rows of one element is ±1: its gradient is 0 but for rounding.
        const run = (x: Tensor, y?: Tensor) => gram(x, y ?? x, one.attrs.gamma as number);
        await assertGolden(golden, one, run, { absolute: name === "cosineGram" ? 1e-6 : 0 });
      }
    }));
}

Deno.test("cosineGram() and linearGram() gradients match finite differences", async () => {
  for (const gram of [cosineGram, linearGram]) {
    await gradcheck(gram, [points(11, 3), points(9, 3, 1)]);
    await gradcheck((x) => gram(x, x), points(11, 3));
  }
});

Deno.test("cosineGram() has a unit diagonal, and 0 for a row of zeros", async () => {
  const x = tensor([[3, 4], [0, 0], [-1, 0]]);
  const k = await cosineGram(x, x).data();
  assertAlmostEquals(k[0]!, 1, 1e-6);
  assertEquals([...k.subarray(3, 6)], [0, 0, 0]);
  assertAlmostEquals(k[2]!, -0.6, 1e-6);
});

Deno.test("cosineGram() and linearGram() throw when the widths differ", () => {
  for (const [name, gram] of [["cosineGram", cosineGram], ["linearGram", linearGram]] as const) {
    assertThrows(
      () => gram(ones([5, 3]), ones([5, 4])),
      TypeError,
      `Cannot compute ${name}() as x must be [n, d] and y [m, d]: got x [5,3] and y [5,4]`,
    );
  }
});
