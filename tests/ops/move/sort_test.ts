import { assertEquals, assertThrows } from "@std/assert";
import { backward, requireGrad } from "../../../src/autograd/mod.ts";
import { Device } from "../../../src/device/mod.ts";
import { sort, type SortOptions, topK } from "../../../src/ops/mod.ts";
import { key, ones, type Shape, sizeOf, tensor, zeros } from "../../../src/tensor/mod.ts";
import { uniformNumbers } from "../../../src/tensor/internal.ts";
import { gradcheck } from "../../../src/testing/mod.ts";
import { casesOf } from "../../fixtures/golden.ts";
import { arrayOf, floatsOf, readFixture } from "../../fixtures/read.ts";
import { arrange, at } from "../shared/_arrange.ts";
import { checkGolden } from "../shared/_golden.ts";

await Device.open();

/** Row numbers along an axis in the order of the values, by JavaScript's stable sort. */
function reference(
  values: ArrayLike<number>,
  shape: Shape,
  dim: number,
  descending: boolean,
): Uint32Array<ArrayBuffer> {
  const rank = (v: number) => Number.isNaN(v) ? Infinity : v === Infinity ? Number.MAX_VALUE : v;
  return Uint32Array.from(arrange(shape, (...index) => {
    const slice = Array.from({ length: shape[dim]! }, (_, i) => rank(at(values, shape, index.with(dim, i))));
    const order = slice.map((_, i) => i).sort((a, b) => {
      const [x, y] = descending ? [slice[b]!, slice[a]!] : [slice[a]!, slice[b]!];
      return x < y ? -1 : x > y ? 1 : 0;
    });
    return order[index[dim]!]!;
  }));
}

// 32 rows are a run; later ones are merged, the last of odd length alone.
const CASES: readonly (readonly [Shape, number])[] = [[[1], 0], [[33], 0], [[3, 70], 1], [[200, 2], 0], [
  [2, 100, 3],
  1,
]];

Deno.test("sort() and its indices equal a stable sort along any axis, both ways", async () => {
  for (const [shape, dim] of CASES) {
    // Many are equal, some are not numbers.
    const special = [NaN, -0, 0, Infinity, -Infinity, 1e-42, -1e-42];
    const values = uniformNumbers(sizeOf(shape), key(1)).map((v) =>
      v < 0.3 ? special[Math.floor(v * 23)]! : Math.floor(v * 9) - 4
    );
    for (const descending of [false, true]) {
      const expected = reference(values, shape, dim, descending);
      const { values: sorted, indices } = sort(tensor(values, { shape }), { dim, descending });
      assertEquals(await indices.data(), expected);
      const taken = arrange(shape, (...index) => at(values, shape, index.with(dim, at(expected, shape, index))));
      assertEquals(await sorted.data(), taken);
    }
  }
});

Deno.test("sort() of integers compares them as integers", async () => {
  const signed = sort(tensor(new Int32Array([5, -1, 2 ** 31 - 1, -(2 ** 31)])));
  assertEquals(await signed.values.data(), new Int32Array([-(2 ** 31), -1, 5, 2 ** 31 - 1]));
  const unsigned = sort(tensor(new Uint32Array([5, 2 ** 32 - 1, 0])), { descending: true });
  assertEquals(await unsigned.values.data(), new Uint32Array([2 ** 32 - 1, 5, 0]));
});

Deno.test("sort() and topK() gradients go to where the values came from", async () => {
  const x = tensor(Float32Array.from({ length: 90 }, (_, i) => (i * 37 % 90) / 9), { shape: [2, 45] }); // far apart
  await gradcheck((x) => sort(x, { descending: true }).values, x);
  await gradcheck((x) => topK(x, 3, { largest: false }).values, x);
  await gradcheck((x) => topK(x, 1, { dim: 0 }).values, x);
  const ties = requireGrad(tensor([2, 2, 1]));
  backward(topK(ties, 1).values, { grad: tensor([5]) });
  assertEquals(await ties.grad!.data(), new Float32Array([5, 0, 0]));
});

Deno.test("topK() takes NaN as largest, none, all, and nothing of nothing", async () => {
  const { values, indices } = topK(tensor([1, NaN, 3]), 2);
  assertEquals(await values.data(), new Float32Array([NaN, 3]));
  assertEquals(await indices.data(), new Uint32Array([1, 2]));
  assertEquals(topK(ones([2, 3]), 0).values.shape, [2, 0]);
  assertEquals(await topK(tensor([1, 2]), 2, { largest: false }).values.data(), new Float32Array([1, 2]));
  assertEquals(sort(zeros([0, 3]), { dim: 0 }).indices.shape, [0, 3]);
});

Deno.test("topK() equals PyTorch", () => {
  type Attrs = { k: number; dim: number; largest: boolean };
  const run = ([x]: readonly Parameters<typeof topK>[0][], attrs: unknown) => {
    const { k, dim, largest } = attrs as Attrs;
    return topK(x!, k, { dim, largest }).values;
  };
  return checkGolden("topK", run, { value: 0 }, "transformers");
});

Deno.test("sort() equals PyTorch, and so do its indices", async () => {
  await checkGolden(
    "sort",
    ([x], attrs) => sort(x!, attrs as SortOptions).values,
    { value: 0, gradient: 0 },
    "transformers",
  );
  const golden = readFixture("transformers");
  for (const { name, attrs } of casesOf("transformers", "sort")) {
    const x = arrayOf(golden, `${name}.in0`);
    const { indices } = sort(tensor(floatsOf(golden, `${name}.in0`), { shape: x.shape }), attrs as SortOptions);
    assertEquals([...await indices.data()], [...arrayOf(golden, `${name}.indices`).data], name);
  }
});

Deno.test("sort() and topK() throw on what they cannot use", () => {
  const bytes = ones([3], { dtype: "u8" });
  assertThrows(() => sort(bytes), TypeError, "Cannot compute sort() as x must be f32, i32 or u32: got u8 [3]");
  assertThrows(() => topK(bytes, 1), TypeError, "Cannot compute topK() as x must be f32, i32 or u32: got u8 [3]");
  assertThrows(() => sort(ones([])), RangeError, "Cannot compute sort() as dim must be in");
  const rule = "Cannot compute topK() as k must be an integer in [0, 3]: got";
  assertThrows(() => topK(ones([2, 3]), 4), RangeError, `${rule} 4 for x [2,3]`);
  assertThrows(() => topK(ones([2, 3]), 0.5), RangeError, `${rule} 0.5 for x [2,3]`);
});
