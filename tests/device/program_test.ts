import { assertEquals, assertThrows } from "@std/assert";
import { bindingAccess, packParams } from "../../src/device/program.ts";

Deno.test("bindingAccess() reads how each storage binding is declared", () => {
  const access = bindingAccess(`
    @group(0) @binding(0) var<uniform> params: Params;
    @group(0) @binding(1) var<storage, read> x: array<f32>;
    @group(0)   @binding(12)  var<storage, read_write> y: array<f32>;
    @group(0) @binding(3) var<storage> z: array<f32>;
  `);
  assertEquals([...access], [[1, "read-only-storage"], [12, "storage"], [3, "read-only-storage"]]);
});

Deno.test("packParams() packs 4-byte scalars in declared order", () => {
  const view = new DataView(new ArrayBuffer(24));
  packParams(view, 8, { a: "u32", b: "f32", c: "i32" }, { c: -1, b: 0.5, a: 7 }, "test");
  assertEquals([view.getUint32(4, true), view.getUint32(8, true)], [0, 7]);
  assertEquals([view.getFloat32(12, true), view.getInt32(16, true)], [0.5, -1]);
});

Deno.test("packParams() asks functions for their value each time", () => {
  const view = new DataView(new ArrayBuffer(4));
  let lr = 0.5;
  for (const expected of [0.5, 0.25]) {
    packParams(view, 0, { lr: "f32" }, { lr: () => lr }, "test");
    assertEquals(view.getFloat32(0, true), expected);
    lr /= 2;
  }
});

Deno.test("packParams() throws when a parameter is missing", () => {
  const view = new DataView(new ArrayBuffer(8));
  assertThrows(
    () => packParams(view, 0, { size: "u32" }, {}, "fill"),
    TypeError,
    'Cannot dispatch fill as parameter "size" is missing',
  );
});

Deno.test("packParams() refuses numbers that are no integers of their type", () => {
  const view = new DataView(new ArrayBuffer(4));
  for (const [type, value] of [["u32", -1], ["u32", 0.5], ["u32", 2 ** 32], ["u32", NaN], ["i32", 2 ** 31]] as const) {
    assertThrows(
      () => packParams(view, 0, { size: type }, { size: value }, "fill"),
      RangeError,
      `Cannot dispatch fill as parameter "size" must be of type ${type}: got ${value}`,
    );
  }
});
