import { assertEquals, assertThrows } from "@std/assert";
import { backward, requireGrad } from "../../../src/autograd/mod.ts";
import { Device } from "../../../src/device/mod.ts";
import type { Pool2dOptions } from "../../../src/ops/conv/pool_geometry.ts";
import { avgPool2d, type AvgPool2dOptions } from "../../../src/ops/conv/avg_pool2d.ts";
import { globalAvgPool } from "../../../src/ops/conv/global_avg_pool.ts";
import { maxPool2d } from "../../../src/ops/conv/max_pool2d.ts";
import { key, normal, ones, permutation, type Shape, sizeOf, type Tensor, tensor } from "../../../src/tensor/mod.ts";
import { assertClose, gradcheck } from "../../../src/testing/mod.ts";

await Device.open();

/** Values of the windows of an image, padding left out, in the order of the output. */
function windows(x: ArrayLike<number>, shape: Shape, options: Pool2dOptions): { values: number[]; area: number }[] {
  const [n, h, w, c] = shape as [number, number, number, number];
  const [kh, kw] = [options.kernelSize].flat().length === 2 ? options.kernelSize as [number, number] : [
    options.kernelSize as number,
    options.kernelSize as number,
  ];
  const [sh, sw] = options.stride === undefined
    ? [kh, kw]
    : [options.stride, options.stride].flat() as [number, number];
  const [ph, pw] = options.padding === undefined
    ? [0, 0]
    : [options.padding, options.padding].flat() as [number, number];
  const result: { values: number[]; area: number }[] = [];
  for (let i = 0; i < n; i++) {
    for (let top = -ph; top + kh <= h + ph; top += sh) {
      for (let left = -pw; left + kw <= w + pw; left += sw) {
        for (let k = 0; k < c; k++) {
          const values: number[] = [];
          for (let y = Math.max(0, top); y < Math.min(h, top + kh); y++) {
            for (let z = Math.max(0, left); z < Math.min(w, left + kw); z++) {
              values.push(x[((i * h + y) * w + z) * c + k]!);
            }
          }
          result.push({ values, area: kh * kw });
        }
      }
    }
  }
  return result;
}

const CASES: [Shape, Pool2dOptions][] = [
  [[2, 4, 6, 3], { kernelSize: 2 }],
  [[2, 7, 9, 4], { kernelSize: 3, stride: 2, padding: 1 }],
  [[1, 5, 5, 1], { kernelSize: 3, stride: 1, padding: 1 }],
  [[3, 6, 5, 8], { kernelSize: [3, 2], stride: [1, 3], padding: [1, 0] }],
  [[1, 1, 1, 5], { kernelSize: 1 }],
  [[1, 8, 8, 12], { kernelSize: 2, stride: 3 }],
];

/** Distinct values, 0.1 apart: no maximum changes hands within a finite difference. */
async function distinct(shape: Shape): Promise<Tensor> {
  const order = await permutation(sizeOf(shape), { key: key(1) }).data();
  return tensor(Float32Array.from(order, (i) => 0.1 * i - 3), { shape });
}

for (const [shape, options] of CASES) {
  const name = `[${shape}] with ${JSON.stringify(options)}`;

  Deno.test(`maxPool2d() takes the maximum of each window of ${name}`, async () => {
    const x = await distinct(shape);
    const expected = windows(await x.data(), shape, options).map(({ values }) => Math.max(...values));
    assertEquals(Array.from(await maxPool2d(x, options).data()), expected);
    assertEquals(Array.from(await maxPool2d(requireGrad(x), options).data()), expected);
  });

  Deno.test(`maxPool2d() gradient matches finite differences on ${name}`, async () => {
    await gradcheck((x) => maxPool2d(x, options), await distinct(shape));
  });

  for (const countIncludePad of [true, false]) {
    Deno.test(`avgPool2d() averages ${name}, countIncludePad ${countIncludePad}`, async () => {
      const x = normal(shape, { key: key(2) });
      const all: AvgPool2dOptions = { ...options, countIncludePad };
      const expected = windows(await x.data(), shape, options).map(({ values, area }) =>
        values.reduce((a, b) => a + b, 0) / (countIncludePad ? area : values.length)
      );
      assertClose(await avgPool2d(x, all).data(), expected);
      await gradcheck((x) => avgPool2d(x, all), x);
    });
  }
}

Deno.test("avgPool2d() counts padding unless told not to", async () => {
  const x = ones([1, 2, 2, 1]);
  const options = { kernelSize: 2, stride: 2, padding: 1 };
  assertEquals(await avgPool2d(x, options).data(), new Float32Array([0.25, 0.25, 0.25, 0.25]));
  assertEquals(await avgPool2d(x, { ...options, countIncludePad: false }).data(), new Float32Array([1, 1, 1, 1]));
});

Deno.test("maxPool2d() gives ties to the first, and lets NaN through", async () => {
  const x = requireGrad(tensor(new Float32Array([5, 5, 5, 5]), { shape: [1, 2, 2, 1] }));
  backward(maxPool2d(x, { kernelSize: 2 }));
  assertEquals(await x.grad!.data(), new Float32Array([1, 0, 0, 0]));
  const broken = tensor(new Float32Array([1, NaN, 5, -Infinity]), { shape: [1, 2, 2, 1] });
  assertEquals(await maxPool2d(broken, { kernelSize: 2 }).data(), new Float32Array([NaN]));
  const low = tensor(new Float32Array(4).fill(-Infinity), { shape: [1, 2, 2, 1] });
  assertEquals(await maxPool2d(low, { kernelSize: 2 }).data(), new Float32Array([-Infinity]));
});

for (const shape of [[2, 1, 1, 1], [3, 4, 4, 8], [2, 5, 3, 7], [1, 17, 31, 4], [2, 40, 40, 3]]) {
  Deno.test(`globalAvgPool() averages [${shape}]`, async () => {
    const [n, h, w, c] = shape as [number, number, number, number];
    const x = normal(shape, { key: key(3), mean: 1 });
    const values = await x.data();
    const expected = new Float64Array(n * c);
    values.forEach((value, i) => expected[Math.floor(i / (h * w * c)) * c + i % c]! += value / (h * w));
    const y = globalAvgPool(x);
    assertEquals(y.shape, [n, c]);
    assertClose(await y.data(), expected);
    await gradcheck((x) => globalAvgPool(x), x);
  });
}

Deno.test("maxPool2d(), avgPool2d() and globalAvgPool() throw on what they cannot use", () => {
  const x = ones([1, 4, 4, 3]);
  for (const [name, op] of Object.entries({ maxPool2d, avgPool2d })) {
    const start = `Cannot compute ${name}() as `;
    assertThrows(() => op(ones([4, 4]), { kernelSize: 2 }), TypeError, `${start}x must be [n, h, w, c]: got x [4,4]`);
    assertThrows(
      () => op(ones([1, 4, 4, 3], { dtype: "u32" }), { kernelSize: 2 }),
      TypeError,
      "x must be f32: got u32",
    );
    assertThrows(
      () => op(x, { kernelSize: 5 }),
      TypeError,
      `${start}a window of [5,5] must fit into the padded image: got x [1,4,4,3]`,
    );
    assertThrows(
      () => op(x, { kernelSize: 0 }),
      RangeError,
      `${start}kernelSize must be one or two integers >= 1: got 0`,
    );
    assertThrows(
      () => op(x, { kernelSize: 2, stride: [1, 1.5] }),
      RangeError,
      `${start}stride must be one or two integers >= 1: got [1,1.5]`,
    );
    assertThrows(
      () => op(x, { kernelSize: 2, padding: -1 }),
      RangeError,
      `${start}padding must be one or two integers >= 0: got -1`,
    );
    assertThrows(
      () => op(x, { kernelSize: 3, padding: 2 }),
      RangeError,
      `${start}padding must be at most half of kernelSize: got [2,2] and [3,3]`,
    );
  }
  for (const shape of [[4, 3], [1, 0, 4, 3]]) {
    assertThrows(
      () => globalAvgPool(ones(shape)),
      TypeError,
      `Cannot compute globalAvgPool() as x must be [n, h, w, c] with h, w >= 1: got x [${shape}]`,
    );
  }
  assertThrows(() => globalAvgPool(ones([1, 4, 4, 3], { dtype: "u32" })), TypeError, "x must be f32: got u32");
});
