import { assert, assertEquals, assertThrows } from "@std/assert";
import { Device } from "../../../src/device/mod.ts";
import { noGrad } from "../../../src/autograd/mod.ts";
import { rbfGram } from "../../../src/ops/mod.ts";
import { assertClose, gradcheck, TOLERANCE } from "../../../src/testing/mod.ts";
import { distances, points, read } from "../shared/_arrays.ts";
import { eachForm } from "../shared/_forms.ts";

const device = await Device.open();

Deno.test("rbfGram() equals the float64 loop", () =>
  eachForm(device, async () => {
    for (const [n, m, d] of [[1, 1, 1], [5, 3, 2], [33, 41, 126], [70, 65, 20]] as const) {
      const [x, y] = [points(n, d), points(m, d, 1)];
      const gamma = 0.5 / d;
      const expected = distances(await read(x), await read(y)).values.map((d2) => Math.exp(-gamma * d2));
      assertClose(await rbfGram(x, y, { gamma }).data(), expected, { rtol: TOLERANCE.value });
    }
  }));

Deno.test("rbfGram() is symmetric with a unit diagonal when y is x", () =>
  eachForm(device, async () => {
    const n = 45;
    const x = points(n, 3);
    const k = await rbfGram(x, x, { gamma: 0.5 }).data();
    for (let i = 0; i < n; i++) {
      assertEquals(k[i * n + i], 1);
      for (let j = 0; j < i; j++) assertEquals(k[i * n + j], k[j * n + i]);
    }
  }));

Deno.test("rbfGram() is positive semi-definite", async () => {
  const n = 24;
  const k = await rbfGram(points(n, 3), points(n, 3), { gamma: 0.5 }).data();
  // Every quadratic form is >= 0 up to rounding: try the signs of many directions.
  for (let seed = 1; seed < 50; seed++) {
    let form = 0;
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) form += Math.sin(seed * i) * Math.sin(seed * j) * k[i * n + j]!;
    }
    assert(form > -1e-5);
  }
});

Deno.test("rbfGram() gradient matches finite differences", () =>
  eachForm(device, async () => {
    const gamma = 0.7;
    await gradcheck((x, y) => rbfGram(x, y, { gamma }), [points(11, 3), points(9, 3, 1)]);
    await gradcheck((x, y) => rbfGram(x, y, { gamma: 0.1 }), [points(37, 20), points(35, 20, 1)]);
    await gradcheck((x) => rbfGram(x, x, { gamma }), points(11, 3));
  }));

Deno.test("rbfGram() makes nothing but the matrix when rows need no padding", () => {
  const x = points(8, 4);
  const { live } = device.memory;
  const gram = noGrad(() => rbfGram(x, x, { gamma: 1 }));
  assertEquals(device.memory.live - live, gram.bytes);
});

Deno.test("rbfGram() throws when the widths differ", () => {
  assertThrows(() => rbfGram(points(5, 3), points(5, 4), { gamma: 1 }), TypeError, "got x [5,3] and y [5,4]");
});

Deno.test("rbfGram() throws when gamma is not positive and finite", () => {
  for (const gamma of [0, -1, NaN, Infinity]) {
    assertThrows(
      () => rbfGram(points(2, 3), points(2, 3), { gamma }),
      RangeError,
      `Cannot compute rbfGram() as gamma must be > 0 and <= 1e+38: current value is ${gamma}`,
    );
  }
});
