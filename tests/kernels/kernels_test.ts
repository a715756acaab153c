import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { Device } from "../../src/device/mod.ts";
import {
  columns,
  cosine,
  type Kernel,
  linearKernel,
  medianSigma,
  over,
  productOf,
  rbf,
  sumOf,
} from "../../src/kernels/mod.ts";
import { concat, cosineGram, linearGram, rbfGram } from "../../src/ops/mod.ts";
import { tensor } from "../../src/tensor/mod.ts";
import { assertClose, gradcheck } from "../../src/testing/mod.ts";
import { points } from "../ops/shared/_arrays.ts";

await Device.open();
const [x, y] = [points(5, 3), points(4, 3, 1)];

Deno.test("rbf() takes sigma as 1 / sqrt(2 gamma)", async () => {
  const expected = await rbfGram(x, y, { gamma: 0.125 }).data();
  assertEquals(await rbf({ sigma: 2 })(x, y).data(), expected);
  assertEquals(await rbf({ gamma: 0.125 })(x, y).data(), expected);
});

Deno.test("rbf(), cosine() and linearKernel() are the Gram matrices, and take a list of numbers as one attribute each", async () => {
  assertEquals(await cosine()(x, y).data(), await cosineGram(x, y).data());
  assertEquals(await linearKernel()(x, y).data(), await linearGram(x, y).data());
  const [ages, column] = [tensor([1, -2, 4]), tensor([[1], [-2], [4]])];
  for (const kernel of [rbf({ sigma: 3 }), cosine(), linearKernel()]) {
    assertEquals(await kernel(ages, ages).data(), await kernel(column, column).data());
  }
});

Deno.test("rbf() gradient matches finite differences", async () => {
  await gradcheck(rbf({ sigma: 1.5 }), [x, y]);
});

Deno.test("rbf() throws when not exactly one of sigma and gamma is given", () => {
  assertThrows(
    () => rbf({} as { sigma: number }),
    TypeError,
    "Cannot make rbf() as one of sigma and gamma must be given: got sigma undefined and gamma undefined",
  );
  assertThrows(
    () => rbf({ sigma: 1, gamma: 2 } as unknown as { sigma: number }),
    TypeError,
    "Cannot make rbf() as one of sigma and gamma must be given: got sigma 1 and gamma 2",
  );
});

Deno.test("rbf() throws when its width is not positive and finite", () => {
  for (const value of [0, -1, NaN, Infinity]) {
    assertThrows(
      () => rbf({ sigma: value }),
      RangeError,
      `Cannot make rbf() as sigma must be > 0 and finite: current value is ${value}`,
    );
    assertThrows(
      () => rbf({ gamma: value }),
      RangeError,
      `Cannot make rbf() as gamma must be > 0 and <= 1e+38: current value is ${value}`,
    );
  }
});

Deno.test("sumOf() adds kernels by their weights, productOf() multiplies them", async () => {
  const [a, b] = await Promise.all([rbf({ sigma: 1 })(x, y).data(), linearKernel()(x, y).data()]);
  const kernels = [rbf({ sigma: 1 }), linearKernel()];
  assertClose(await sumOf(kernels)(x, y).data(), a.map((v, i) => v + b[i]!));
  assertClose(await sumOf(kernels, { weights: [0.25, 3] })(x, y).data(), a.map((v, i) => 0.25 * v + 3 * b[i]!));
  assertClose(await productOf(kernels)(x, y).data(), a.map((v, i) => v * b[i]!));
  assertEquals(await sumOf([linearKernel()])(x, y).data(), b);
});

Deno.test("over() picks one of several priors, by name or by index", async () => {
  const named = sumOf([over("shape", linearKernel()), over("color", cosine())]);
  const [first, second] = [{ shape: x, color: points(5, 2, 2) }, { shape: y, color: points(4, 2, 3) }];
  const expected = sumOf([linearKernel(), () => cosineGram(first.color, second.color)])(x, y);
  assertEquals(await named(first, second).data(), await expected.data());
  const indexed: Kernel<readonly [typeof x, typeof x]> = productOf([over(0, linearKernel()), over(1, linearKernel())]);
  const squared = await indexed([x, x], [y, y]).data();
  (await linearKernel()(x, y).data()).forEach((v, i) => assertAlmostEquals(squared[i]!, v * v, 1e-5 * v * v));
});

Deno.test("columns() gives a kernel some columns of a prior", async () => {
  const [first, second] = [points(5, 2, 2), points(4, 2, 3)];
  const [left, right] = [concat([x, first], 1), concat([y, second], 1)];
  const kernel = sumOf([columns(0, 3, linearKernel()), columns(3, 5, rbf({ sigma: 1 }))]);
  const [a, b] = await Promise.all([linearKernel()(x, y).data(), rbf({ sigma: 1 })(first, second).data()]);
  assertClose(await kernel(left, right).data(), a.map((v, i) => v + b[i]!));
  assertThrows(
    () => columns(2, 4, linearKernel())(x, y),
    TypeError,
    "Cannot take columns() 2 to 4 as the prior must be [n, d >= 4]: got [5,3]",
  );
  for (const [from, to] of [[-1, 2], [2, 2], [0, 1.5]] as const) {
    assertThrows(
      () => columns(from, to, linearKernel()),
      RangeError,
      `Cannot make columns() as they must be integers with 0 <= from < to: got ${from} and ${to}`,
    );
  }
});

Deno.test("sumOf() and productOf() throw when there are no kernels", () => {
  assertThrows(() => sumOf([]), TypeError, "Cannot make sumOf() of no kernels");
  assertThrows(() => productOf([]), TypeError, "Cannot make productOf() of no kernels");
});

Deno.test("sumOf() throws when the weights do not match, or are not positive", () => {
  assertThrows(
    () => sumOf([linearKernel(), cosine()], { weights: [1] }),
    TypeError,
    "Cannot make sumOf() as there must be one weight a kernel: got 1 weights and 2 kernels",
  );
  assertThrows(
    () => sumOf([linearKernel(), cosine()], { weights: [1, 0] }),
    RangeError,
    "Cannot make sumOf() as every weight must be > 0 and finite: current value is 0",
  );
});

Deno.test("rbf(), cosine() and medianSigma() take priors and widths of any size that f32 holds", async () => {
  const prior = [[0, 1], [1, 1], [3, -2]];
  const expected = await rbf({ sigma: 2 })(tensor(prior), tensor(prior)).data();
  const directions = await cosine()(tensor(prior), tensor(prior)).data();
  const median = await medianSigma(tensor(prior));
  for (const size of [1e-30, 1e-20, 1e-10, 1e10, 1e20, 1e30]) {
    const x = tensor(prior.map((row) => row.map((v) => v * size)));
    assertClose(await rbf({ sigma: 2 * size })(x, x).data(), expected, { rtol: 1e-5 });
    assertClose(await cosine()(x, x).data(), directions, { rtol: 1e-5 });
    assertAlmostEquals(await medianSigma(x) / size / median, 1, 1e-5);
  }
  const far = tensor([[0], [1]]);
  for (const sigma of [1e-37, 1e-20]) assertEquals(Array.from(await rbf({ sigma })(far, far).data()), [1, 0, 0, 1]);
  for (const sigma of [1e20, 1e37]) assertClose(await rbf({ sigma })(far, far).data(), [1, 1, 1, 1], { rtol: 1e-6 });
});
