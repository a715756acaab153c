import { assertEquals, assertThrows } from "@std/assert";
import { Device } from "../../../src/device/mod.ts";
import { broadcastTo } from "../../../src/ops/mod.ts";
import { ones, type Shape, sizeOf, tensor } from "../../../src/tensor/mod.ts";
import { gradcheck } from "../../../src/testing/mod.ts";
import { noise } from "../shared/_arrays.ts";
import { broadcast } from "../shared/_broadcast.ts";

await Device.open();

const CASES: readonly (readonly [Shape, Shape])[] = [
  [[], [3]],
  [[1], [1]],
  [[5], [5]],
  [[3, 1], [3, 8]],
  [[8], [3, 8]],
  [[2, 1, 4], [2, 3, 4]],
  [[3, 1, 1], [2, 3, 5, 7]],
  [[1], [0]],
];

Deno.test("broadcastTo() equals the loop", async () => {
  for (const [shape, to] of CASES) {
    const values = noise(sizeOf(shape));
    const expected = broadcast([{ shape, values }, { shape: to, values: new Float32Array(sizeOf(to)) }], (v) => v);
    const y = broadcastTo(tensor(values, { shape }), to);
    assertEquals(y.shape, to);
    assertEquals(await y.data(), Float32Array.from(expected));
  }
  assertEquals(await broadcastTo(tensor(new Int32Array([-2])), [3]).data(), new Int32Array([-2, -2, -2]));
});

Deno.test("broadcastTo() gradient matches finite differences", async () => {
  for (const [shape, to] of CASES.slice(0, -1)) {
    await gradcheck((x) => broadcastTo(x, to), tensor(noise(sizeOf(shape)), { shape }));
  }
});

Deno.test("broadcastTo() throws when x does not broadcast to the shape, or is of bytes", () => {
  assertThrows(
    () => broadcastTo(ones([2, 3]), [3]),
    TypeError,
    "Cannot compute broadcastTo() as x must broadcast to the shape: got x [2,3] and [3]",
  );
  assertThrows(
    () => broadcastTo(ones([2]), [3]),
    TypeError,
    "Cannot compute broadcastTo() as the shapes do not broadcast: got [2] and [3]",
  );
  assertThrows(() => broadcastTo(ones([1], { dtype: "u8" }), [2]), TypeError, "x must be f32, i32 or u32: got u8 [1]");
});
