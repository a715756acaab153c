import { assertEquals, assertThrows } from "@std/assert";
import { accessOf, checkParams, packParams } from "../../src/device/program.ts";

Deno.test("accessOf() joins what the parts declare", () => {
  const parts = [{ code: "", params: {}, access: { 1: "read", 12: "read_write" } }, "const A = 1u;"] as const;
  const program = {
    name: "some",
    code: [...parts, { code: "", params: {}, access: { 1: "read" } }],
    entryPoint: "main",
  } as const;
  assertEquals([...accessOf(program)], [[1, "read"], [12, "read_write"]]);
  const other = { code: "", params: {}, access: { 1: "read_write" } } as const;
  assertThrows(
    () => accessOf({ ...program, code: [...parts, other] }),
    TypeError,
    "Cannot dispatch some as its parts must declare binding 1 in one way: got read and read_write",
  );
});

Deno.test("checkParams() refuses other names, types and orders than the parts declare", () => {
  const part = { code: "", params: { size: "u32", lr: "f32" }, access: {} } as const;
  const program = { name: "some", code: ["const A = 1u;", part], entryPoint: "main", params: part.params } as const;
  checkParams(program);
  checkParams({ name: "some", code: ["const A = 1u;"], entryPoint: "main" });
  const others = [{ lr: "f32", size: "u32" }, { size: "i32", lr: "f32" }, { size: "u32" }, undefined] as const;
  for (const params of others) {
    const message = "Cannot dispatch some as params must be those of its parts, {size: u32, lr: f32}: got {";
    assertThrows(() => checkParams({ ...program, params }), TypeError, message);
  }
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
