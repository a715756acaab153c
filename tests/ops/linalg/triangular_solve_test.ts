import { assert, assertThrows } from "@std/assert";
import { Device } from "../../../src/device/mod.ts";
import { cholesky, choleskySolve, matmul, triangularSolve } from "../../../src/ops/mod.ts";
import { ones, type Tensor, tensor } from "../../../src/tensor/mod.ts";
import { assertClose, gradcheck, TOLERANCE } from "../../../src/testing/mod.ts";
import { assertGolden, casesOf } from "../../fixtures/golden.ts";
import { readFixture } from "../../fixtures/read.ts";
import { type Matrix, matrix, points, product, read, transposed } from "../shared/_arrays.ts";
import { eachForm } from "../shared/_forms.ts";

const device = await Device.open();

function upload(a: Matrix): Tensor {
  return tensor(Float32Array.from(a.values), { shape: [a.rows, a.cols] });
}

/** A full matrix whose triangles are both well conditioned; the one not named by the test must not be read. */
async function dense(n: number): Promise<Matrix> {
  const x = await points(n, n).data();
  return matrix(n, n, (i, j) => Math.fround(i === j ? 1 + x[i * n + i]! ** 2 : x[i * n + j]! / n));
}

const MODES = [false, true].flatMap((upper) => [false, true].map((transpose) => ({ upper, transpose })));

async function givesBack(n: number, m: number): Promise<void> {
  const a = await dense(n);
  const x = await read(points(n, m));
  for (const mode of MODES) {
    const half = matrix(n, n, (i, j) => (mode.upper ? j >= i : j <= i) ? a.values[i * n + j]! : 0);
    const b = product(mode.transpose ? transposed(half) : half, x);
    const solved = await triangularSolve(upload(a), upload(b), mode).data();
    assertClose(solved, x.values, { rtol: TOLERANCE.sum });
  }
}

Deno.test("triangularSolve() of a product with the triangle gives the factor back, in all four modes", () =>
  eachForm(device, async () => {
    for (const [n, m] of [[1, 1], [5, 3], [32, 4], [33, 35], [128, 6]] as const) await givesBack(n, m);
  }));

Deno.test("triangularSolve() gives the factor back when it takes several groups of rows", async () => {
  for (const [n, m] of [[161, 7], [300, 5], [384, 4]] as const) await givesBack(n, m);
});

Deno.test("triangularSolve() and choleskySolve() equal PyTorch in value and gradient", () =>
  eachForm(device, async () => {
    const golden = readFixture("ops");
    for (const one of casesOf("ops", "triangularSolve")) {
      const transpose = one.attrs.transposed === true;
      await assertGolden(golden, one, (a, b) => triangularSolve(a!, b!, { transpose }));
    }
    for (const one of casesOf("ops", "choleskySolve")) {
      await assertGolden(golden, one, (a, b) => choleskySolve(cholesky(a!), b!));
    }
  }));

Deno.test("triangularSolve() gradient matches finite differences in all four modes", async () => {
  for (const mode of MODES) {
    const solve = (a: Tensor, b: Tensor) => triangularSolve(a, b, mode);
    await gradcheck(solve, [upload(await dense(6)), points(6, 3)]);
    await gradcheck(solve, [upload(await dense(37)), points(37, 2)]);
  }
});

Deno.test("choleskySolve() gradient matches finite differences", async () => {
  const solve = (x: Tensor, b: Tensor) => choleskySolve(cholesky(matmul(x, x, { transposeB: true }), { ridge: 2 }), b);
  await gradcheck(solve, [points(7, 3), points(7, 2, 1)]);
});

Deno.test("choleskySolve() is NaN when the factor is", async () => {
  const x = await choleskySolve(cholesky(tensor([[1, 2], [2, 1]])), ones([2, 1])).data();
  assert(x.every(Number.isNaN));
});

Deno.test("triangularSolve() throws when the shapes do not fit", () => {
  assertThrows(
    () => triangularSolve(ones([3, 3]), ones([2, 1])),
    TypeError,
    "Cannot compute triangularSolve() as a must be [n, n] and b [n, m]: got a [3,3] and b [2,1]",
  );
  assertThrows(() => triangularSolve(ones([2, 3]), ones([2, 1])), TypeError, "got a [2,3] and b [2,1]");
  assertThrows(() => triangularSolve(ones([2, 2]), ones([2])), TypeError, "got a [2,2] and b [2]");
});

Deno.test("choleskySolve() throws when the shapes do not fit", () => {
  assertThrows(
    () => choleskySolve(ones([3, 3]), ones([2, 1])),
    TypeError,
    "Cannot compute choleskySolve() as l must be [n, n] and b [n, m]: got l [3,3] and b [2,1]",
  );
});

Deno.test("triangularSolve() throws when a dtype is not f32", () => {
  assertThrows(
    () => triangularSolve(ones([2, 2]), ones([2, 1], { dtype: "i32" })),
    TypeError,
    "Cannot compute triangularSolve() as x must be f32: got i32 [2,1]",
  );
});
