import { assert, assertEquals, assertThrows } from "@std/assert";
import { Device } from "../../../src/device/mod.ts";
import { tensor } from "../../../src/tensor/mod.ts";
import { squaredDistances } from "../../../src/ops/mod.ts";
import { assertClose, gradcheck, TOLERANCE } from "../../../src/testing/mod.ts";
import { distances, points, read } from "../shared/_arrays.ts";
import { eachForm } from "../shared/_forms.ts";

const device = await Device.open();

// Neither is a multiple of a tile; widths with and without padding.
const SIZES = [[1, 1, 1], [5, 3, 2], [33, 41, 126], [70, 65, 20]] as const;

Deno.test("squaredDistances() equals the float64 loop", () =>
  eachForm(device, async () => {
    for (const [n, m, d] of SIZES) {
      const [x, y] = [points(n, d), points(m, d, 1)];
      const expected = distances(await read(x), await read(y));
      assertClose(await squaredDistances(x, y).data(), expected.values, { rtol: TOLERANCE.value });
    }
  }));

Deno.test("squaredDistances() computes half and mirrors it when y is x", () =>
  eachForm(device, async () => {
    for (const n of [1, 31, 70, 97]) {
      const x = points(n, 7);
      const expected = distances(await read(x), await read(x));
      const actual = await squaredDistances(x, x).data();
      assertClose(actual, expected.values, { rtol: TOLERANCE.value });
      for (let i = 0; i < n; i++) assertEquals(actual[i * n + i], 0);
    }
  }));

Deno.test("squaredDistances() keeps the digits of near rows far from the origin", () =>
  eachForm(device, async () => {
    const x = tensor([[1000, 1000], [1000.0625, 1000]]);
    assertEquals(await squaredDistances(x, x).data(), new Float32Array([0, 2 ** -8, 2 ** -8, 0]));
  }));

Deno.test("squaredDistances() gradient matches finite differences", () =>
  eachForm(device, async () => {
    await gradcheck(squaredDistances, [points(11, 3), points(9, 3, 1)]);
    await gradcheck(squaredDistances, [points(37, 20), points(35, 20, 1)]);
    await gradcheck((x) => squaredDistances(x, x), points(11, 5));
  }));

Deno.test("squaredDistances() passes NaN on and makes an empty matrix of no rows", async () => {
  const [zero, nan] = await squaredDistances(tensor([[1], [NaN]]), tensor([[1]])).data();
  assertEquals(zero, 0);
  assert(Number.isNaN(nan));
  assertEquals(squaredDistances(points(0, 3), points(2, 3)).shape, [0, 2]);
});

Deno.test("squaredDistances() throws when the widths differ", () => {
  assertThrows(
    () => squaredDistances(points(5, 3), points(5, 4)),
    TypeError,
    "Cannot compute squaredDistances() as x must be [n, d] and y [m, d]: got x [5,3] and y [5,4]",
  );
  assertThrows(() => squaredDistances(tensor([1, 2]), points(5, 2)), TypeError, "got x [2] and y [5,2]");
});

Deno.test("squaredDistances() throws when the dtype is not f32", () => {
  const indices = tensor([[1, 2]], { dtype: "u32" });
  assertThrows(
    () => squaredDistances(indices, indices),
    TypeError,
    "Cannot compute squaredDistances() as x must be f32",
  );
});
