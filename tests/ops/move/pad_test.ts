import { assertEquals, assertThrows } from "@std/assert";
import { Device } from "../../../src/device/mod.ts";
import { pad } from "../../../src/ops/mod.ts";
import { ones, type Shape, sizeOf, tensor } from "../../../src/tensor/mod.ts";
import { gradcheck } from "../../../src/testing/mod.ts";
import { noise } from "../shared/_arrays.ts";
import { arrange, at } from "../shared/_arrange.ts";
import { checkGolden } from "../shared/_golden.ts";

await Device.open();

type Pads = readonly (readonly [number, number])[];
const CASES: readonly (readonly [Shape, Pads])[] = [
  [[], []],
  [[1], [[0, 0]]],
  [[5], [[2, 3]]],
  [[3, 4], [[1, 0], [0, 2]]],
  [[2, 4], [[1, 2], [4, 8]]],
  [[2, 3, 3, 4], [[0, 0], [1, 2], [3, 0], [0, 0]]],
  [[0, 3], [[1, 1], [0, 0]]],
];

Deno.test("pad() equals the loop for any sides and values", async () => {
  for (const [shape, pads] of CASES) {
    const values = noise(sizeOf(shape));
    const to = shape.map((size, axis) => size + pads[axis]![0] + pads[axis]![1]);
    for (const value of [0, -1.5]) {
      const expected = arrange(to, (...index) => {
        const inner = index.map((i, axis) => i - pads[axis]![0]);
        return inner.every((i, axis) => i >= 0 && i < shape[axis]!) ? at(values, shape, inner) : value;
      });
      const y = pad(tensor(values, { shape }), pads, { value });
      assertEquals(y.shape, to);
      assertEquals(await y.data(), expected);
    }
  }
});

Deno.test("pad() gradient matches finite differences", async () => {
  for (const [shape, pads] of CASES) {
    if (sizeOf(shape) > 0) await gradcheck((x) => pad(x, pads), tensor(noise(sizeOf(shape)), { shape }));
  }
});

Deno.test("pad() equals PyTorch", () =>
  checkGolden("pad", ([x], attrs) => pad(x!, attrs.pads as Pads, { value: attrs.value as number }), {
    value: 0,
    gradient: 0,
  }));

Deno.test("pad() keeps the dtype", async () => {
  const y = pad(tensor(new Int32Array([-1, 2])), [[1, 0]], { value: -7 });
  assertEquals(await y.data(), new Int32Array([-7, -1, 2]));
});

Deno.test("pad() throws on missing pairs, negative numbers and bytes", () => {
  const x = ones([2, 3]);
  assertThrows(
    () => pad(x, [[1, 1]]),
    TypeError,
    "Cannot compute pad() as pads must have a pair for each axis: got x [2,3] and 1 pairs",
  );
  assertThrows(
    () => pad(x, [[0, 0], [0, -1]]),
    RangeError,
    "Cannot compute pad() as pads must be integers >= 0: got [0,0], [0,-1]",
  );
  assertThrows(() => pad(ones([2], { dtype: "u8" }), [[1, 1]]), TypeError, "pad() as x must be f32, i32 or u32");
});
