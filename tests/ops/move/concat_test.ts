import { assertEquals, assertThrows } from "@std/assert";
import { backward, requireGrad } from "../../../src/autograd/mod.ts";
import { Device } from "../../../src/device/mod.ts";
import { concat, mul, stack, sum } from "../../../src/ops/mod.ts";
import { arange, ones, type Shape, sizeOf, tensor } from "../../../src/tensor/mod.ts";
import { gradcheck } from "../../../src/testing/mod.ts";
import { noise } from "../shared/_arrays.ts";
import { arrange, at } from "../shared/_arrange.ts";
import { checkGolden } from "../shared/_golden.ts";

await Device.open();

const CASES: readonly (readonly [readonly Shape[], number])[] = [
  [[[3]], 0],
  [[[1], [3], [2]], 0],
  [[[2, 3], [1, 3], [4, 3]], 0],
  [[[2, 4], [2, 8]], 1],
  [[[3, 2], [3, 5]], -1],
  [[[2, 3, 3, 4], [2, 3, 3, 1]], 3],
  [[[2, 1, 5], [2, 0, 5], [2, 3, 5]], 1],
];

Deno.test("concat() equals the loop along any axis", async () => {
  for (const [shapes, dim] of CASES) {
    const axis = dim < 0 ? dim + shapes[0]!.length : dim;
    const arrays = shapes.map((shape, i) => noise(sizeOf(shape), i));
    const owner = shapes.flatMap((shape, i) => Array.from({ length: shape[axis]! }, (_, k) => [i, k] as const));
    const expected = arrange(shapes[0]!.with(axis, owner.length), (...index) => {
      const [i, k] = owner[index[axis]!]!;
      return at(arrays[i]!, shapes[i]!, index.with(axis, k));
    });
    const y = concat(arrays.map((values, i) => tensor(values, { shape: shapes[i]! })), dim);
    assertEquals(await y.data(), expected);
  }
});

Deno.test("concat() and stack() gradients match finite differences", async () => {
  for (const [shapes, dim] of CASES.slice(0, 6)) {
    await gradcheck(
      (...inputs) => concat(inputs, dim),
      shapes.map((shape, i) => tensor(noise(sizeOf(shape), i), { shape })),
    );
  }
  for (const dim of [0, 1, -1]) {
    await gradcheck((...inputs) => stack(inputs, dim), [tensor([[1, 2]]), tensor([[3, 4]]), tensor([[5, 6]])]);
  }
});

Deno.test("concat() equals PyTorch", () =>
  checkGolden("concat", (inputs, attrs) => concat(inputs, attrs.dim as number), { value: 0, gradient: 0 }));

Deno.test("stack() equals PyTorch", () =>
  checkGolden("stack", (inputs, attrs) => stack(inputs, attrs.dim as number), { value: 0, gradient: 0 }));

Deno.test("concat() passes the gradient to the inputs that want one", async () => {
  const [x, y] = [requireGrad(tensor([1, 2])), tensor([3])];
  backward(sum(mul(concat([y, x, x]), tensor([1, 2, 3, 4, 5]))));
  assertEquals(await x.grad!.data(), new Float32Array([2 + 4, 3 + 5]));
  assertEquals(y.grad, null);
});

Deno.test("stack() puts the new axis anywhere and keeps the dtype", async () => {
  const [a, b] = [arange(0, 3, { dtype: "u32" }), arange(3, 6, { dtype: "u32" })];
  assertEquals(await stack([a, b]).data(), new Uint32Array([0, 1, 2, 3, 4, 5]));
  assertEquals(await stack([a, b], -1).data(), new Uint32Array([0, 3, 1, 4, 2, 5]));
});

for (const [name, fn] of Object.entries({ concat, stack })) {
  Deno.test(`${name}() throws when there are none, or shapes, dtypes or the dim are wrong`, () => {
    const x = ones([2, 3]);
    assertThrows(() => fn([]), TypeError, `Cannot compute ${name}() as there must be at least one tensor: got none`);
    assertThrows(
      () => fn([x, ones([2, 3], { dtype: "i32" })]),
      TypeError,
      `Cannot compute ${name}() as the dtypes must agree: got f32 and i32`,
    );
    assertThrows(
      () => fn([x, ones([3, 4])]),
      TypeError,
      `Cannot compute ${name}() as the shapes must agree${
        fn === concat ? " except along dim 0" : ""
      }: got [2,3] and [3,4]`,
    );
    assertThrows(() => fn([x, ones([2])]), TypeError, "got [2,3] and [2]");
    assertThrows(() => fn([x, x], 3), RangeError, `Cannot compute ${name}() as dim must be in`);
    assertThrows(() => fn([ones([2], { dtype: "u8" })]), TypeError, `${name}() as x must be f32, i32 or u32: got u8`);
  });
}
