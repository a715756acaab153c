import { assertEquals, assertThrows } from "@std/assert";
import { backward, requireGrad } from "../../../src/autograd/mod.ts";
import { Device } from "../../../src/device/mod.ts";
import { greater, log, sum, where } from "../../../src/ops/mod.ts";
import { ones, type Shape, sizeOf, tensor } from "../../../src/tensor/mod.ts";
import { gradcheck } from "../../../src/testing/mod.ts";
import { noise } from "../shared/_arrays.ts";
import { broadcast } from "../shared/_broadcast.ts";
import { checkGolden } from "../shared/_golden.ts";

await Device.open();

const CASES: readonly (readonly [Shape, Shape, Shape])[] = [
  [[], [], []],
  [[7], [7], [7]],
  [[5, 7], [7], [5, 1]],
  [[5, 8], [5, 1], [8]],
  [[2, 1, 4], [3, 1], [2, 3, 4]],
  [[1], [2, 3, 5], [3, 1]],
];

Deno.test("where() equals the loop for conditions of any dtype", async () => {
  for (const dtype of ["f32", "i32", "u32"] as const) {
    for (const shapes of CASES) {
      const arrays = shapes.map((shape, i) => ({ shape, values: noise(sizeOf(shape), i) }));
      arrays[0]!.values.forEach((v, i, values) => values[i] = v > 0 ? 1 : 0);
      const expected = broadcast(arrays, (c, x, y) => c ? x! : y!);
      const condition = tensor(arrays[0]!.values, { shape: shapes[0], dtype });
      const [x, y] = arrays.slice(1).map(({ values, shape }) => tensor(values, { shape }));
      assertEquals(await where(condition, x!, y!).data(), Float32Array.from(expected));
      assertEquals(
        await where(condition, 2, -1.5).data(),
        arrays[0]!.values.map((c) => c ? 2 : -1.5),
      );
    }
  }
});

Deno.test("where() gradient matches finite differences", async () => {
  for (const [c, a, b] of CASES) {
    const condition = greater(tensor(noise(sizeOf(c)), { shape: c }), 0);
    const [x, y] = [tensor(noise(sizeOf(a), 1), { shape: a }), tensor(noise(sizeOf(b), 2), { shape: b })];
    await gradcheck((x, y) => where(condition, x, y), [x, y]);
    await gradcheck((x) => where(condition, x, 3), x);
    await gradcheck((y) => where(condition, 3, y), y);
  }
});

Deno.test("where() equals PyTorch", () =>
  checkGolden("where", ([condition, x, y]) => where(condition!, x!, y!), { value: 0 }));

Deno.test("where() lets no NaN through from the operand that was not chosen", async () => {
  const x = requireGrad(tensor([-1, 1]));
  const y = where(tensor([0, 1]), log(x), 0);
  assertEquals(await y.data(), new Float32Array([0, 0]));
  assertEquals(await where(tensor([NaN, 0]), 1, 2).data(), new Float32Array([1, 2]));
});

Deno.test("where() gives no gradient to the condition", async () => {
  const x = requireGrad(tensor([0, 2]));
  backward(sum(where(x, x, 1)));
  assertEquals(await x.grad!.data(), new Float32Array([0, 1]));
});

Deno.test("where() throws when shapes do not broadcast or dtypes are wrong", () => {
  const x = ones([2]);
  assertThrows(
    () => where(ones([3]), x, x),
    TypeError,
    "Cannot compute where() as the shapes do not broadcast: got [3] and [2]",
  );
  assertThrows(
    () => where(ones([2], { dtype: "u8" }), x, x),
    TypeError,
    "Cannot compute where() as x must be f32, i32 or u32: got u8 [2]",
  );
  assertThrows(
    () => where(x, x, ones([2], { dtype: "u32" })),
    TypeError,
    "Cannot compute where() as x must be f32: got u32 [2]",
  );
});
