import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { isNdArray, isStringArray, type NdArray, ndarray, toF32, toF64 } from "../../src/formats/mod.ts";

Deno.test("ndarray() keeps the data and copies the shape", () => {
  const data = new Float32Array(6);
  const shape = [2, 3];
  const array = ndarray(shape, "f32", data);
  shape[0] = 9;
  assertStrictEquals(array.data, data);
  assertEquals(array.shape, [2, 3]);
});

Deno.test("ndarray() throws when data, dtype and shape do not go together", () => {
  const data = new Float32Array(6);
  assertThrows(
    () => ndarray([2, 3], "f64", data as never),
    TypeError,
    "typed array of its dtype: got f64 and Float32Array",
  );
  assertThrows(() => ndarray([2, 3], "f32", undefined as never), TypeError, "got f32 and undefined");
  assertThrows(
    () => ndarray([2, 2], "f32", data),
    TypeError,
    "data must fill the shape: got shape [2,2] and 6 elements",
  );
  assertThrows(() => ndarray([-2, -3], "f32", data), TypeError, "whole numbers >= 0: got shape [-2,-3]");
  assertThrows(() => ndarray([1.5, 4], "f32", data), TypeError, "whole numbers >= 0: got shape [1.5,4]");
});

Deno.test("toF32() converts every dtype", () => {
  const arrays: NdArray[] = [
    { shape: [2], dtype: "bool", data: new Uint8Array([0, 7]) },
    { shape: [2], dtype: "u8", data: new Uint8Array([0, 255]) },
    { shape: [2], dtype: "i8", data: new Int8Array([-1, 1]) },
    { shape: [1], dtype: "u16", data: new Uint16Array([65535]) },
    { shape: [1], dtype: "i16", data: new Int16Array([-32768]) },
    { shape: [2], dtype: "f16", data: new Uint16Array([0x3c00, 0xc000]) },
    { shape: [2], dtype: "bf16", data: new Uint16Array([0x3f80, 0xc000]) },
    { shape: [1], dtype: "u32", data: new Uint32Array([2 ** 32 - 1]) },
    { shape: [1], dtype: "i32", data: new Int32Array([-5]) },
    { shape: [1], dtype: "u64", data: new BigUint64Array([2n ** 63n]) },
    { shape: [1], dtype: "i64", data: new BigInt64Array([-3n]) },
    { shape: [1], dtype: "f64", data: new Float64Array([1 / 3]) },
  ];
  assertEquals(arrays.flatMap((array) => [...toF32(array)]), [
    ...[0, 1, 0, 255, -1, 1, 65535, -32768, 1, -2, 1, -2],
    ...[2 ** 32, -5, 2 ** 63, -3, Math.fround(1 / 3)],
  ]);
});

Deno.test("toF32() and toF64() do not copy what has the type already", () => {
  const single = new Float32Array([1]);
  const double = new Float64Array([1]);
  assertStrictEquals(toF32({ shape: [1], dtype: "f32", data: single }), single);
  assertStrictEquals(toF64({ shape: [1], dtype: "f64", data: double }), double);
  assertEquals([...toF64({ shape: [1], dtype: "u32", data: new Uint32Array([2 ** 32 - 1]) })], [2 ** 32 - 1]);
});

Deno.test("isNdArray() and isStringArray() tell arrays from other values", () => {
  const numbers = { shape: [1], dtype: "f32", data: new Float32Array(1) };
  const texts = { shape: [1], dtype: "string", data: ["a"] };
  const others = [null, 1, "f32", [], new Map(), { shape: [1], dtype: "c8", data: new Float32Array(1) }];
  assertEquals([numbers, texts, ...others].map(isNdArray), [true, ...Array(7).fill(false)]);
  assertEquals([numbers, texts, ...others].map(isStringArray), [false, true, ...Array(6).fill(false)]);
});
