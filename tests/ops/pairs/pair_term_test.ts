import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { Device } from "../../../src/device/mod.ts";
import { backward, requireGrad } from "../../../src/autograd/mod.ts";
import { ones, tensor } from "../../../src/tensor/mod.ts";
import { pairTerm } from "../../../src/ops/mod.ts";
import { assertClose, gradcheck, TOLERANCE } from "../../../src/testing/mod.ts";
import { distances, type Matrix, matrix, points, read } from "../shared/_arrays.ts";
import { eachForm } from "../shared/_forms.ts";

const device = await Device.open();

function reference(x: Matrix, t: number): number {
  const d = distances(x, x).values;
  let nearest = Infinity;
  let sum = 0;
  for (let i = 0; i < x.rows; i++) for (let j = 0; j < i; j++) nearest = Math.min(nearest, d[i * x.rows + j]!);
  for (let i = 0; i < x.rows; i++) for (let j = 0; j < i; j++) sum += Math.exp(t * (nearest - d[i * x.rows + j]!));
  return Math.log(sum / (x.rows * (x.rows - 1) / 2)) - t * nearest;
}

Deno.test("pairTerm() equals the float64 loop", () =>
  eachForm(device, async () => {
    for (const [n, d, t] of [[2, 1, 1], [33, 5, 2], [70, 20, 0.1], [129, 3, 2]] as const) {
      const x = points(n, d);
      assertClose([await pairTerm(x, { t }).item()], [reference(await read(x), t)], { rtol: TOLERANCE.sum });
    }
  }));

Deno.test("pairTerm() does not underflow for a large t", async () => {
  const x = points(9, 4);
  const expected = reference(await read(x), 1e4);
  assert(expected < -1000);
  assertClose([await pairTerm(x, { t: 1e4 }).item()], [expected], { rtol: TOLERANCE.sum });
});

Deno.test("pairTerm() gradient matches finite differences", () =>
  eachForm(device, async () => {
    await gradcheck((x) => pairTerm(x, { t: 0.5 }), points(11, 3));
    await gradcheck((x) => pairTerm(x, { t: 0.2 }), points(37, 10));
  }));

Deno.test("pairTerm() gradient equals the float64 loop near collapse", () =>
  eachForm(device, async () => {
    const [n, d, t] = [20, 6, 2];
    const spread = (await points(n, d).data()).map((v) => Math.fround(1 + 1e-3 * v));
    const x = requireGrad(tensor(spread, { shape: [n, d] }));
    backward(pairTerm(x, { t }));
    const host = await read(x);
    const d2 = distances(host, host).values;
    const loss = reference(host, t);
    const at = (i: number, f: number) => host.values[i * d + f]!;
    const expected = matrix(n, d, (i, f) => {
      let sum = 0;
      for (let j = 0; j < n; j++) sum += Math.exp(-t * d2[i * n + j]! - loss) * (at(i, f) - at(j, f));
      return -4 * t * sum / (n * (n - 1));
    });
    assertClose(await x.grad!.data(), expected.values, { rtol: TOLERANCE.goldenGradient });
  }));

Deno.test("pairTerm() and its gradient are 0 when all rows are equal", () =>
  eachForm(device, async () => {
    const x = requireGrad(ones([40, 5]));
    const loss = pairTerm(x);
    backward(loss);
    assertEquals(await loss.item(), 0);
    for (const g of await x.grad!.data()) assertEquals(Math.abs(g), 0);
  }));

Deno.test("pairTerm() does not depend on the order of rows", async () => {
  const x = await points(30, 4).data();
  const reversed = Float32Array.from(x, (_, k) => x[(29 - Math.floor(k / 4)) * 4 + k % 4]!);
  const [a, b] = [tensor(x, { shape: [30, 4] }), tensor(reversed, { shape: [30, 4] })];
  assertAlmostEquals(await pairTerm(a).item(), await pairTerm(b).item(), 1e-6);
});

Deno.test("pairTerm() is NaN when an element is", async () => {
  assert(Number.isNaN(await pairTerm(tensor([[1], [NaN], [2]])).item()));
});

Deno.test("pairTerm() throws when x is not [n, d]", () => {
  assertThrows(
    () => pairTerm(tensor([1, 2])),
    TypeError,
    "Cannot compute pairTerm() as x must be [n, d]: got x [2]",
  );
});

Deno.test("pairTerm() throws when there is no pair", () => {
  assertThrows(
    () => pairTerm(tensor([[1, 2]])),
    RangeError,
    "Cannot compute pairTerm() as a pair needs at least 2 rows: got x [1,2]",
  );
});

Deno.test("pairTerm() throws when t is not positive and finite", () => {
  for (const t of [0, -1, NaN, Infinity]) {
    assertThrows(
      () => pairTerm(points(3, 2), { t }),
      RangeError,
      `Cannot compute pairTerm() as t must be > 0 and <= 8e+37: current value is ${t}`,
    );
  }
});
