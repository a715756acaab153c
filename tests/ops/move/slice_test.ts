import { assertEquals, assertThrows } from "@std/assert";
import { Device } from "../../../src/device/mod.ts";
import { slice, type SliceRange } from "../../../src/ops/mod.ts";
import { arange, ones, type Shape, sizeOf, tensor } from "../../../src/tensor/mod.ts";
import { gradcheck } from "../../../src/testing/mod.ts";
import { noise } from "../shared/_arrays.ts";
import { arrange, at } from "../shared/_arrange.ts";
import { checkGolden } from "../shared/_golden.ts";

await Device.open();

/** Ranges, and the indices that Python's slices would give (worked out by hand). */
const RANGES: readonly (readonly [SliceRange | null, readonly number[]])[] = [
  [null, [0, 1, 2, 3, 4]],
  [{}, [0, 1, 2, 3, 4]],
  [{ start: 2 }, [2, 3, 4]],
  [{ stop: 2 }, [0, 1]],
  [{ start: -2 }, [3, 4]],
  [{ stop: -2 }, [0, 1, 2]],
  [{ start: 1, stop: 4, step: 2 }, [1, 3]],
  [{ step: 2 }, [0, 2, 4]],
  [{ step: 7 }, [0]],
  [{ step: -1 }, [4, 3, 2, 1, 0]],
  [{ step: -3 }, [4, 1]],
  [{ start: 3, stop: 0, step: -1 }, [3, 2, 1]],
  [{ start: -1, stop: -4, step: -2 }, [4, 2]],
  [{ start: -9, stop: 9 }, [0, 1, 2, 3, 4]],
  [{ start: 9, stop: -9, step: -2 }, [4, 2, 0]],
  [{ start: 3, stop: 3 }, []],
  [{ start: 4, stop: 1 }, []],
  [{ start: 1, stop: 4, step: -1 }, []],
  [{ start: 7 }, []],
];

Deno.test("slice() takes what Python's start:stop:step takes", async () => {
  for (const [range, expected] of RANGES) {
    const y = slice(arange(0, 5), [range]);
    assertEquals([...await y.data()], expected, JSON.stringify(range));
  }
});

const CASES: readonly (readonly [Shape, readonly (SliceRange | null)[], readonly (readonly number[])[]])[] = [
  [[4, 6], [{ start: 1, stop: 3 }], [[1, 2], [0, 1, 2, 3, 4, 5]]],
  [[4, 6], [null, { start: -1, step: -2 }], [[0, 1, 2, 3], [5, 3, 1]]],
  [[3, 12], [{ step: -2 }, { start: 4, stop: 8 }], [[2, 0], [4, 5, 6, 7]]],
  [[2, 5, 4], [null, { start: 1, stop: 5, step: 3 }], [[0, 1], [1, 4], [0, 1, 2, 3]]],
  [[3, 4, 5], [{ start: 2 }, null, { stop: 1 }], [[2], [0, 1, 2, 3], [0]]],
];

Deno.test("slice() equals the loop along several axes", async () => {
  for (const [shape, ranges, indices] of CASES) {
    const values = noise(sizeOf(shape));
    const expected = arrange(
      indices.map((list) => list.length),
      (...index) => at(values, shape, index.map((i, axis) => indices[axis]![i]!)),
    );
    assertEquals(await slice(tensor(values, { shape }), ranges).data(), expected);
  }
});

Deno.test("slice() gradient matches finite differences", async () => {
  for (const [shape, ranges] of CASES) {
    await gradcheck((x) => slice(x, ranges), tensor(noise(sizeOf(shape)), { shape }));
  }
});

Deno.test("slice() equals PyTorch", () =>
  checkGolden("slice", ([x], attrs) => {
    const { start, end } = attrs as { start: number[]; end: number[] };
    return slice(x!, start.map((first, axis) => ({ start: first, stop: end[axis]! })));
  }, { value: 0, gradient: 0 }));

Deno.test("slice() takes indices as well as floats, and empty arrays", async () => {
  assertEquals(await slice(arange(0, 4, { dtype: "u32" }), [{ start: 2 }]).data(), new Uint32Array([2, 3]));
  assertEquals(slice(ones([0, 3]), [{ step: -1 }, { start: 1 }]).shape, [0, 2]);
});

Deno.test("slice() throws on too many ranges, steps of 0, bounds that are not whole and bytes", () => {
  const x = ones([2, 3]);
  assertThrows(
    () => slice(x, [null, null, null]),
    TypeError,
    "Cannot compute slice() as there are more ranges than axes: got x [2,3] and 3",
  );
  assertThrows(() => slice(x, [{ step: 0 }]), RangeError, "Cannot compute slice() as step must not be 0: got 0");
  assertThrows(
    () => slice(x, [{ start: 0.5 }]),
    RangeError,
    "Cannot compute slice() as bounds must be integers: got 0.5",
  );
  assertThrows(
    () => slice(ones([4], { dtype: "u8" }), []),
    TypeError,
    "Cannot compute slice() as x must be f32, i32 or u32: got u8 [4]",
  );
});
