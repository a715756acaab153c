import { assert, assertEquals, assertThrows } from "@std/assert";
import { Device } from "../../../src/device/mod.ts";
import { cholesky, isFactored, matmul } from "../../../src/ops/mod.ts";
import { ones, type Tensor, tensor } from "../../../src/tensor/mod.ts";
import { assertClose, gradcheck, TOLERANCE } from "../../../src/testing/mod.ts";
import { assertGolden, casesOf } from "../../fixtures/golden.ts";
import { readFixture } from "../../fixtures/read.ts";
import { type Matrix, matrix, points, product, read, transposed } from "../shared/_arrays.ts";
import { eachForm } from "../shared/_forms.ts";

const device = await Device.open();

/** A well-conditioned positive definite matrix: x xᵀ / d + I. */
async function positive(n: number): Promise<Matrix> {
  const x = await read(points(n, 8));
  const gram = product(x, transposed(x));
  return matrix(n, n, (i, j) => Math.fround(gram.values[i * n + j]! / 8 + (i === j ? 1 : 0)));
}

function upload(a: Matrix): Tensor {
  return tensor(Float32Array.from(a.values), { shape: [a.rows, a.cols] });
}

function reference(a: Matrix): Matrix {
  const n = a.rows;
  const l = matrix(n, n, () => 0);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = a.values[i * n + j]!;
      for (let k = 0; k < j; k++) sum -= l.values[i * n + k]! * l.values[j * n + k]!;
      l.values[i * n + j] = i === j ? Math.sqrt(sum) : sum / l.values[j * n + j]!;
    }
  }
  return l;
}

Deno.test("cholesky() equals the float64 loop", () =>
  eachForm(device, async () => {
    for (const n of [1, 2, 31, 32, 33, 64, 128, 161, 260]) {
      const a = await positive(n);
      const l = await cholesky(upload(a)).data();
      assertClose(l, reference(a).values, { rtol: TOLERANCE.sum });
      for (let i = 0; i < n; i++) for (let j = i + 1; j < n; j++) assertEquals(l[i * n + j], 0);
    }
  }));

Deno.test("cholesky() adds the ridge and does not read above the diagonal", () =>
  eachForm(device, async () => {
    const a = matrix(3, 3, (i, j) => j > i ? NaN : i === j ? 3 : 1);
    const full = matrix(3, 3, (i, j) => i === j ? 3.5 : 1);
    assertClose(await cholesky(upload(a), { ridge: 0.5 }).data(), reference(full).values, { rtol: TOLERANCE.value });
  }));

Deno.test("cholesky() equals PyTorch in value and gradient", () =>
  eachForm(device, async () => {
    const golden = readFixture("ops");
    for (const one of casesOf("ops", "cholesky")) await assertGolden(golden, one, (a) => cholesky(a!));
  }));

Deno.test("cholesky() gradient matches finite differences", async () => {
  const factor = (x: Tensor) => cholesky(matmul(x, x, { transposeB: true }), { ridge: 2 });
  await gradcheck(factor, points(5, 3));
  await gradcheck(factor, points(35, 4));
});

Deno.test("cholesky() gives NaN from the failing pivot to the last, which isFactored() tells", () =>
  eachForm(device, async () => {
    for (const [n, bad] of [[1, 0], [5, 2], [40, 3], [70, 69]] as const) {
      const a = matrix(n, n, (i, j) => i === j ? (i === bad ? -1 : 2) : 0.01);
      const l = cholesky(upload(a));
      const values = await l.data();
      for (let i = 0; i < n; i++) assertEquals(Number.isNaN(values[i * n + i]!), i >= bad);
      assertEquals(await isFactored(l), false);
    }
    assert(await isFactored(cholesky(upload(await positive(40)))));
    assert(await isFactored(cholesky(tensor(new Float32Array(), { shape: [0, 0] }))));
  }));

Deno.test("cholesky() throws when a is not square or not f32", () => {
  assertThrows(
    () => cholesky(ones([2, 3])),
    TypeError,
    "Cannot compute cholesky() as a must be [n, n]: got a [2,3]",
  );
  assertThrows(() => cholesky(ones([2, 2], { dtype: "u32" })), TypeError, "Cannot compute cholesky() as x must be f32");
});

Deno.test("cholesky() throws when the ridge is negative or not finite", () => {
  for (const ridge of [-1, NaN, Infinity]) {
    assertThrows(
      () => cholesky(ones([2, 2]), { ridge }),
      RangeError,
      `Cannot compute cholesky() as ridge must be >= 0 and finite: current value is ${ridge}`,
    );
  }
});
