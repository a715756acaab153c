import { assert, assertEquals, assertThrows } from "@std/assert";
import { Device } from "../../../src/device/mod.ts";
import { cholesky, choleskySolve, hatMatrix, matmul, rbfGram } from "../../../src/ops/mod.ts";
import { ones, scope, type Tensor, tensor } from "../../../src/tensor/mod.ts";
import { assertClose, gradcheck, TOLERANCE } from "../../../src/testing/mod.ts";
import { type Matrix, matrix, points, product, read, transposed } from "../shared/_arrays.ts";
import { formsOn } from "../product/_forms.ts";
import { eachForm } from "../shared/_forms.ts";
import { policyOf } from "../../../src/ops/shared/policy.ts";

const device = await Device.open();
const policy = policyOf(device);

/** Computes `(a + ridge I)⁻¹ a` by Gauss-Jordan elimination in float64. */
function reference(a: Matrix, ridge: number): Matrix {
  const n = a.rows;
  const left = matrix(n, n, (i, j) => a.values[i * n + j]! + (i === j ? ridge : 0));
  const right = matrix(n, n, (i, j) => a.values[i * n + j]!);
  const addRow = (m: Matrix, from: number, to: number, factor: number) => {
    for (let j = 0; j < n; j++) m.values[to * n + j]! += factor * m.values[from * n + j]!;
  };
  for (let c = 0; c < n; c++) {
    for (let i = 0; i < n; i++) {
      if (i === c) continue;
      const factor = -left.values[i * n + c]! / left.values[c * n + c]!;
      addRow(right, c, i, factor);
      addRow(left, c, i, factor);
    }
  }
  return matrix(n, n, (i, j) => right.values[i * n + j]! / left.values[i * n + i]!);
}

/** A well-conditioned Gram matrix. */
async function gramOf(n: number): Promise<Tensor> {
  const x = await read(points(n, 8));
  const { values } = product(x, transposed(x));
  const gram = matrix(n, n, (i, j) => values[i * n + j]! / (8 + n) + (i === j ? 0.5 : 0));
  return tensor(Float32Array.from(gram.values), { shape: [n, n] });
}

function onAndOff({ rows, values }: Pick<Matrix, "rows" | "values">): [on: Float64Array, off: Float64Array] {
  return [values.filter((_, i) => i % (rows + 1) === 0), values.filter((_, i) => i % (rows + 1) !== 0)];
}

async function equalsReference(n: number, ridge: number): Promise<void> {
  using _ = scope();
  const a = await gramOf(n);
  const h = await read(hatMatrix(a, { ridge }));
  const expected = reference(await read(a), ridge);
  // Apart, as the elements off the diagonal are far smaller than those on it where the ridge is large or small.
  const [on, off] = onAndOff(h);
  const [wantedOn, wantedOff] = onAndOff(expected);
  assertClose(on, wantedOn, { rtol: TOLERANCE.sum });
  assertClose(off, wantedOff, { rtol: TOLERANCE.sum });
  assertEquals(h.values, transposed(h).values);
}

Deno.test("hatMatrix() equals the float64 elimination on and off the diagonal, and is symmetric", () =>
  eachForm(device, async () => {
    for (const n of [2, 65, 161]) await equalsReference(n, 0.3);
  }));

Deno.test("hatMatrix() equals the float64 elimination at the ends of blocks", async () => {
  for (const n of [1, 31, 64, 97, 128, 260]) await equalsReference(n, 0.3);
});

Deno.test("hatMatrix() equals the float64 elimination for small and large ridges", async () => {
  for (const ridge of [1e-6, 1e-3, 10, 1e6]) await equalsReference(70, ridge);
});

Deno.test("hatMatrix() is the same with the forms of a product that reach the farthest past a diagonal", async () => {
  const forms = formsOn(device).filter((name) => name === "subgroup32" || name === "tile128" || name === "rows");
  for (const name of forms) await policy.with({ matmul: name }, () => equalsReference(330, 0.3));
});

Deno.test("hatMatrix() loses no more than two solves where the matrix is badly conditioned", async () => {
  using _ = scope();
  const x = points(200, 20);
  const gram = rbfGram(x, x, { gamma: 1e-3 });
  for (const ridge of [1e-3, 0.1]) {
    const expected = reference(await read(gram), ridge).values;
    const worst = (values: ArrayLike<number>) =>
      expected.reduce((most, value, i) => Math.max(most, Math.abs(values[i]! - value)), 0);
    const mine = worst(await hatMatrix(gram, { ridge }).data());
    const solved = worst(await choleskySolve(cholesky(gram, { ridge }), gram).data());
    assert(mine < 4 * solved, `got an error of ${mine} with ridge ${ridge}; two solves lose ${solved}`);
  }
});

/** Gram matrices of which small ridges make bad systems: rows that are all alike, groups of alike rows, and a smooth kernel. */
async function illGrams(): Promise<Record<string, Tensor>> {
  const groups = await points(8, 3).data();
  const alike = tensor(Float32Array.from({ length: 64 * 3 }, (_, i) => groups[3 * (Math.floor(i / 3) >> 3) + i % 3]!), {
    shape: [64, 3],
  });
  const smooth = points(64, 2);
  return {
    "one group": ones([64, 64]),
    "one group, no multiple of a block": ones([67, 67]),
    "groups of eight": rbfGram(alike, alike, { gamma: 0.5 }),
    smooth: rbfGram(smooth, smooth, { gamma: 0.1 }),
  };
}

Deno.test("hatMatrix() of alike rows is right to f32, or NaN everywhere, however small the ridge", async () => {
  for (const [name, gram] of Object.entries(await illGrams())) {
    const a = await read(gram);
    for (const ridge of [1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-9]) {
      const expected = reference(a, Math.fround(ridge)).values;
      const h = await hatMatrix(gram, { ridge }).data();
      const scale = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      const error = expected.reduce((most, value, i) => Math.max(most, Math.abs(h[i]! - value)), 0) / scale;
      const unknown = h.filter(Number.isNaN).length;
      assert(unknown === 0 ? error < 1e-2 : unknown === h.length, `${name}, ridge ${ridge}: ${error}, ${unknown} NaN`);
      if (ridge >= 1e-3) assert(error < 1e-6, `${name}, ridge ${ridge}: ${error}`);
      if (ridge >= 1e-4) assert(error < 1e-5, `${name}, ridge ${ridge}: ${error}`);
    }
  }
});

Deno.test("hatMatrix() of n equal rows is right from a ridge of 1e-6 n on, and NaN from 1e-8 n down", async () => {
  for (const [n, most] of [[64, 1e-6], [256, 1e-5], [512, 1e-4]] as const) {
    using _ = scope();
    const errorOf = async (ridge: number) => {
      const h = await hatMatrix(ones([n, n]), { ridge }).data();
      return h.reduce((worst, value) => Math.max(worst, Math.abs(value * (n + ridge) - 1)), 0);
    };
    for (const ridge of [1e-6 * n, 0.05]) {
      const error = await errorOf(ridge);
      assert(error < most, `${n} rows, ridge ${ridge}: an error of ${error}`);
    }
    assert(Number.isNaN(await errorOf(1e-8 * n)), `${n} rows: not NaN`);
  }
});

Deno.test("hatMatrix() loses less than two solves where rows are alike", async () => {
  for (const [name, gram] of Object.entries(await illGrams())) {
    const expected = reference(await read(gram), Math.fround(0.01)).values;
    const worst = (values: ArrayLike<number>) =>
      expected.reduce((most, value, i) => Math.max(most, Math.abs(values[i]! - value)), 0);
    const mine = worst(await hatMatrix(gram, { ridge: 0.01 }).data());
    const solved = worst(await choleskySolve(cholesky(gram, { ridge: 0.01 }), gram).data());
    assert(mine < solved / 10 + 1e-7, `${name}: got an error of ${mine}; two solves lose ${solved}`);
  }
});

Deno.test("hatMatrix() is the identity without a ridge", async () => {
  const h = await hatMatrix(await gramOf(5)).data();
  assertClose(h, matrix(5, 5, (i, j) => i === j ? 1 : 0).values, { rtol: TOLERANCE.value });
});

Deno.test("hatMatrix() does not read above the diagonal", async () => {
  const h = await hatMatrix(tensor([[2, NaN], [1, 2]]), { ridge: 1 }).data();
  assertClose(h, [0.625, 0.125, 0.125, 0.625], { rtol: TOLERANCE.value });
});

Deno.test("hatMatrix() gradient matches finite differences", async () => {
  const hat = (x: Tensor) => hatMatrix(matmul(x, x, { transposeB: true }), { ridge: 2 });
  await gradcheck(hat, points(5, 3));
  await gradcheck(hat, points(35, 4));
});

Deno.test("hatMatrix() is NaN when the matrix is not positive definite", async () => {
  for (const n of [2, 70]) {
    const a = matrix(n, n, (i, j) => i === j ? (i === n - 2 ? -1 : 2) : 0.01);
    const h = await hatMatrix(tensor(Float32Array.from(a.values), { shape: [n, n] }), { ridge: 0.1 }).data();
    assert(h.every(Number.isNaN));
  }
});

Deno.test("hatMatrix() of nothing is nothing", async () => {
  assertEquals((await hatMatrix(tensor(new Float32Array(), { shape: [0, 0] }), { ridge: 1 }).data()).length, 0);
});

Deno.test("hatMatrix() throws when a is not square or not f32, or the ridge is bad", () => {
  assertThrows(
    () => hatMatrix(ones([2, 3])),
    TypeError,
    "Cannot compute hatMatrix() as a must be [n, n]: got a [2,3]",
  );
  assertThrows(
    () => hatMatrix(ones([2, 2], { dtype: "i32" })),
    TypeError,
    "Cannot compute hatMatrix() as x must be f32: got i32 [2,2]",
  );
  for (const ridge of [-1, NaN]) {
    assertThrows(
      () => hatMatrix(ones([2, 2]), { ridge }),
      RangeError,
      `Cannot compute hatMatrix() as ridge must be >= 0 and finite: current value is ${ridge}`,
    );
  }
});
