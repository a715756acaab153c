import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { Device } from "../../../src/device/mod.ts";
import { reshape, squeeze, unsqueeze } from "../../../src/ops/mod.ts";
import { arange, ones } from "../../../src/tensor/mod.ts";
import { gradcheck } from "../../../src/testing/mod.ts";
import { points } from "../shared/_arrays.ts";

await Device.open();

Deno.test("reshape() copies nothing and works one size out", async () => {
  const x = arange(0, 12);
  const y = reshape(x, [3, 4]);
  assertStrictEquals(y.storage, x.storage);
  assertEquals(await y.data(), await x.data());
  assertEquals(reshape(y, [-1]).shape, [12]);
  assertEquals(reshape(y, [2, -1, 3]).shape, [2, 2, 3]);
  assertEquals(reshape(ones([1]), []).shape, []);
  assertEquals(reshape(ones([0, 3]), [3, 0]).shape, [3, 0]);
  assertEquals(reshape(ones([4], { dtype: "u8" }), [2, 2]).dtype, "u8");
});

Deno.test("reshape(), squeeze() and unsqueeze() gradients match finite differences", async () => {
  await gradcheck((x) => reshape(x, [5, -1]), points(3, 5));
  await gradcheck((x) => squeeze(x), points(1, 5));
  await gradcheck((x) => unsqueeze(x, 1), points(3, 5));
});

Deno.test("squeeze() drops axes of size 1 and unsqueeze() adds one", () => {
  assertEquals(squeeze(ones([1, 3, 1])).shape, [3]);
  assertEquals(squeeze(ones([1, 3, 1]), 0).shape, [3, 1]);
  assertEquals(squeeze(ones([1, 1])).shape, []);
  assertEquals(unsqueeze(ones([]), 0).shape, [1]);
  assertEquals(unsqueeze(ones([2, 3]), 2).shape, [2, 3, 1]);
  assertEquals(unsqueeze(ones([2, 3]), -3).shape, [1, 2, 3]);
});

Deno.test("reshape() throws when the sizes do not agree", () => {
  const x = ones([2, 3]);
  for (const shape of [[4], [-1, 4], [-1, -1], [-2, -3], [2.5, 2.4], [-1, 0], [6n as never]]) {
    assertThrows(
      () => reshape(x, shape),
      TypeError,
      `Cannot compute reshape() as the sizes must agree, with at most one -1: got x [2,3] and [${shape}]`,
    );
  }
});

Deno.test("squeeze() and unsqueeze() throw on a wrong dim", () => {
  assertThrows(
    () => squeeze(ones([2, 1]), 0),
    TypeError,
    "Cannot compute squeeze() as the axis must have size 1: got x [2,1] and dim 0",
  );
  assertThrows(() => squeeze(ones([1]), 1), RangeError, "Cannot compute squeeze() as dim must be in [-1, 0]: got 1");
  assertThrows(() => unsqueeze(ones([1]), 2), RangeError, "unsqueeze() as dim must be in [-2, 1]: got 2");
});
