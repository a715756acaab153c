import { assertEquals, assertThrows } from "@std/assert";
import { backward, requireGrad } from "../../../src/autograd/mod.ts";
import { Device } from "../../../src/device/mod.ts";
import { embedding, gather, indexSelect, sum } from "../../../src/ops/mod.ts";
import { key, ones, type Shape, sizeOf, tensor } from "../../../src/tensor/mod.ts";
import { uniformNumbers } from "../../../src/tensor/internal.ts";
import { gradcheck } from "../../../src/testing/mod.ts";
import { noise } from "../shared/_arrays.ts";
import { arrange, at } from "../shared/_arrange.ts";
import { checkGolden } from "../shared/_golden.ts";

await Device.open();

const CASES: readonly (readonly [Shape, number, readonly number[]])[] = [
  [[1], 0, [0, 0]],
  [[5], 0, [4, 0, 2, 2]],
  [[5, 3], 0, [1, 4, 4]],
  [[3, 8], 0, [2, 0]],
  [[3, 5], 1, [4, 4, 0, 1, 2, 3, 3]],
  [[2, 3, 4], -2, [2, 2, 0]],
  [[2, 3, 5], 1, []],
];

Deno.test("indexSelect() equals the loop along any axis", async () => {
  for (const [shape, dim, indices] of CASES) {
    const axis = dim < 0 ? dim + shape.length : dim;
    const values = noise(sizeOf(shape));
    const to = shape.with(axis, indices.length);
    const expected = arrange(to, (...index) => at(values, shape, index.with(axis, indices[index[axis]!]!)));
    const x = tensor(values, { shape });
    for (const given of [indices, tensor(Uint32Array.from(indices)), tensor(Int32Array.from(indices))]) {
      const y = indexSelect(x, dim, given);
      assertEquals(y.shape, to);
      assertEquals(await y.data(), expected);
    }
  }
});

Deno.test("indexSelect() and gather() gradients match finite differences", async () => {
  for (const [shape, dim, indices] of CASES.slice(0, -1)) {
    await gradcheck((x) => indexSelect(x, dim, indices), tensor(noise(sizeOf(shape)), { shape }));
  }
  const rows = tensor([[0, 2], [2, 1]], { dtype: "u32" });
  await gradcheck((x) => gather(x, rows), tensor(noise(15), { shape: [3, 5] }));
});

Deno.test("indexSelect() equals PyTorch", () =>
  checkGolden("indexSelect", ([x, index], attrs) => indexSelect(x!, attrs.dim as number, index!), { value: 0 }));

Deno.test("gather() equals PyTorch", () => checkGolden("gather", ([x, index]) => gather(x!, index!), { value: 0 }));

Deno.test("indexSelect() gradient of thousands of indices is their count, the same every time", async () => {
  const indices = Uint32Array.from(uniformNumbers(5000, key(1)), (v) => Math.floor(v * 7));
  const counts = new Float32Array(7);
  for (const i of indices) counts[i]!++;
  const weights = tensor(uniformNumbers(5000 * 4, key(2)), { shape: [5000, 4] });
  const gradients: ArrayLike<number>[] = [];
  for (const grad of [ones([5000, 4]), weights, weights]) {
    const x = requireGrad(ones([7, 4]));
    backward(indexSelect(x, 0, tensor(indices)), { grad });
    gradients.push(await x.grad!.data());
  }
  assertEquals(gradients[0], Float32Array.from({ length: 28 }, (_, i) => counts[i >> 2]!));
  assertEquals(gradients[1], gradients[2]);
});

Deno.test("indexSelect() of no indices has a gradient of zeros", async () => {
  const x = requireGrad(ones([3]));
  backward(sum(indexSelect(x, 0, [])));
  assertEquals(await x.grad!.data(), new Float32Array(3));
});

Deno.test("indexSelect() takes NaN or the last number for an index of a tensor that is out of range", async () => {
  const bad = tensor(new Int32Array([-5, 1, 3, 2 ** 31 - 1]));
  for (const width of [1, 4]) { // elements, and vectors of four
    const rows = (...values: number[]) => Float32Array.from(values.flatMap((value) => new Array(width).fill(value)));
    const x = requireGrad(tensor(rows(10, 20, 30), { shape: [3, width] }));
    const y = indexSelect(x, 0, bad);
    assertEquals(await y.data(), rows(NaN, 20, NaN, NaN));
    backward(y, { grad: tensor(rows(1, 2, 4, 8), { shape: [4, width] }) });
    assertEquals(await x.grad!.data(), rows(0, 2, 0));
  }
  assertEquals([...await gather(tensor(new Int32Array([7, 8])), bad).data()], [-(2 ** 31), 8, -(2 ** 31), -(2 ** 31)]);
  const far = tensor(new Uint32Array([2 ** 32 - 1, 0]));
  assertEquals([...await gather(tensor(new Uint32Array([7])), far).data()], [2 ** 32 - 1, 7]);
  assertEquals(await embedding(tensor([[1, 2]]), far).data(), new Float32Array([NaN, NaN, 1, 2]));
});

Deno.test("indexSelect() gradient adds rows in the order of their indices, in any number of rows", async () => {
  const rows = 3000;
  const index = Uint32Array.from(uniformNumbers(6000, key(3)), (v, i) => i % 2 ? 7 : Math.floor(v * rows));
  const grad = uniformNumbers(6000, key(4));
  const expected = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    const own = [...grad.filter((_, k) => index[k] === row)];
    for (let first = 0; first < own.length; first += 2048) { // row 7 comes 3,000 times: a sum of two parts
      expected[row]! += own.slice(first, first + 2048).reduce((sum, value) => Math.fround(sum + value), 0);
    }
  }
  const x = requireGrad(ones([rows]));
  backward(indexSelect(x, 0, tensor(index)), { grad: tensor(grad) });
  assertEquals(await x.grad!.data(), expected);
});

Deno.test("indexSelect() and gather() keep the dtype", async () => {
  const x = tensor(new Uint32Array([5, 6, 7]));
  assertEquals(await indexSelect(x, 0, [2, 0]).data(), new Uint32Array([7, 5]));
  const y = gather(x, tensor(new Uint32Array([1, 1, 0, 2]), { shape: [2, 2] }));
  assertEquals(y.shape, [2, 2]);
  assertEquals(await y.data(), new Uint32Array([6, 6, 5, 7]));
});

for (
  const [name, fn] of [["indexSelect", (x, i) => indexSelect(x, 0, i)], ["gather", gather]] as const satisfies [
    string,
    typeof gather,
  ][]
) {
  Deno.test(`${name}() throws on wrong indices`, () => {
    const x = ones([3, 2]);
    const rule = `Cannot compute ${name}() as indices must be in [0, 2]: got`;
    assertThrows(() => fn(x, [0, 3]), RangeError, `${rule} 3`);
    assertThrows(() => fn(x, [-1]), RangeError, `${rule} -1`);
    assertThrows(() => fn(x, [0.5]), RangeError, `${rule} 0.5`);
    assertThrows(
      () => fn(x, ones([2])),
      TypeError,
      `Cannot compute ${name}() as indices must be u32 or i32: got f32 [2]`,
    );
    assertThrows(
      () => fn(ones([0, 2]), ones([1], { dtype: "u32" })),
      TypeError,
      `Cannot compute ${name}() as x must have rows to take: got x [0,2]`,
    );
    assertThrows(
      () => fn(ones([4], { dtype: "u8" }), [0]),
      TypeError,
      `${name}() as x must be f32, i32 or u32: got u8`,
    );
    assertThrows(() => fn(ones([]), [0]), RangeError, `Cannot compute ${name}() as dim must be in`);
  });
}

Deno.test("indexSelect() throws when the indices are not a vector or the dim is out of range", () => {
  const rows = ones([2, 2], { dtype: "u32" });
  assertThrows(
    () => indexSelect(ones([3]), 0, rows),
    TypeError,
    "Cannot compute indexSelect() as indices must be [k]: got [2,2]",
  );
  assertThrows(() => indexSelect(ones([3]), 1, [0]), RangeError, "indexSelect() as dim must be in [-1, 0]: got 1");
});
