import { assertEquals, assertThrows } from "@std/assert";
import { noGrad, requireGrad } from "../../../src/autograd/mod.ts";
import { Device } from "../../../src/device/mod.ts";
import { equal, greater, greaterEqual, less, lessEqual, notEqual } from "../../../src/ops/mod.ts";
import { ones, type Shape, sizeOf, tensor } from "../../../src/tensor/mod.ts";
import { noise } from "../shared/_arrays.ts";
import { broadcast } from "../shared/_broadcast.ts";
import { checkGolden } from "../shared/_golden.ts";

await Device.open();

const OPS = { equal, notEqual, greater, greaterEqual, less, lessEqual };
type Name = keyof typeof OPS;
const EXPECTED: Record<Name, (x: number, y: number) => boolean> = {
  equal: (x, y) => x === y,
  notEqual: (x, y) => x !== y,
  greater: (x, y) => x > y,
  greaterEqual: (x, y) => x >= y,
  less: (x, y) => x < y,
  lessEqual: (x, y) => x <= y,
};
const SHAPES: readonly (readonly [Shape, Shape])[] = [[[], []], [[7], [7]], [[5, 8], [8]], [[5, 7], [5, 1]]];

for (const name of Object.keys(OPS) as Name[]) {
  Deno.test(`${name}() equals the loop for f32, i32 and u32`, async () => {
    for (const dtype of ["f32", "i32", "u32"] as const) {
      const whole = (n: number, seed: number) =>
        noise(n, seed).map((v) => Math.round(3 * v) + (dtype === "u32" ? 3 : 0));
      for (const [a, b] of SHAPES) {
        const x = { shape: a, values: whole(sizeOf(a), 1) };
        const y = { shape: b, values: whole(sizeOf(b), 2) };
        const [left, right] = [x, y].map(({ values, shape }) => tensor(values, { shape, dtype }));
        const test = (x: number, y: number) => Number(EXPECTED[name](x, y));
        assertEquals(await OPS[name](left!, right!).data(), Float32Array.from(broadcast([x, y], test)));
        assertEquals(await OPS[name](left!, 1).data(), x.values.map((v) => test(v, 1)));
        assertEquals(await OPS[name](2, right!).data(), y.values.map((v) => test(2, v)));
      }
    }
  });

  Deno.test(`${name}() with NaN is as the standard has it`, async () => {
    const [x, y] = [[NaN, 1, NaN, Infinity, -0], [1, NaN, NaN, Infinity, 0]];
    const expected = x.map((v, i) => Number(EXPECTED[name](v, y[i]!)));
    assertEquals(await OPS[name](tensor(x), tensor(y)).data(), Float32Array.from(expected));
  });

  Deno.test(`${name}() of integers and any number is that of the numbers`, async () => {
    const integers = {
      i32: [-(2 ** 31), -(2 ** 31) + 1, -16777217, -1, 0, 1, 2, 16777216, 16777217, 2 ** 31 - 2, 2 ** 31 - 1],
      u32: [0, 1, 2, 16777216, 16777217, 2 ** 31, 2 ** 32 - 2, 2 ** 32 - 1],
    };
    const others = [
      -1e300,
      -3e9,
      -1,
      -0.5,
      -0,
      0.5,
      1,
      1.5,
      16777217,
      2 ** 31 - 1.5,
      2 ** 31 - 0.5,
      3e9,
      2 ** 32 - 0.5,
    ];
    for (const dtype of ["i32", "u32"] as const) {
      const x = tensor(integers[dtype], { dtype });
      for (const n of [...others, ...integers.i32, ...integers.u32, 2 ** 32, 1e300, Infinity, -Infinity, NaN]) {
        const [after, before] = [OPS[name](x, n), OPS[name](n, x)];
        const [right, left] = await Promise.all([after.data(), before.data()]);
        assertEquals(Array.from(right), integers[dtype].map((v) => Number(EXPECTED[name](v, n))), `${dtype} ${n}`);
        assertEquals(Array.from(left), integers[dtype].map((v) => Number(EXPECTED[name](n, v))), `${n} ${dtype}`);
      }
    }
  });

  Deno.test(`${name}() equals PyTorch`, () => checkGolden(name, ([x, y]) => OPS[name](x!, y!), { value: 0 }));

  Deno.test(`${name}() throws on wrong operands, and when a gradient is wanted`, () => {
    const x = requireGrad(ones([2]));
    assertThrows(
      () => OPS[name](x, 0),
      TypeError,
      `Cannot differentiate ${name}() as it is piecewise constant: call it inside noGrad() or on detach()ed inputs`,
    );
    assertEquals(noGrad(() => OPS[name](x, 0)).link, null);
    assertThrows(
      () => OPS[name](ones([2]), ones([3])),
      TypeError,
      `Cannot compute ${name}() as the shapes do not broadcast: got [2] and [3]`,
    );
    assertThrows(
      () => OPS[name](ones([2]), ones([2], { dtype: "u32" })),
      TypeError,
      `Cannot compute ${name}() as the dtypes must agree: got f32 and u32`,
    );
    assertThrows(
      () => OPS[name](1, 2),
      TypeError,
      `Cannot compute ${name}() as one operand must be a tensor: got 1 and 2`,
    );
    assertThrows(
      () => OPS[name](ones([2], { dtype: "u8" }), 1),
      TypeError,
      `Cannot compute ${name}() as x must be f32, i32 or u32: got u8 [2]`,
    );
  });
}
