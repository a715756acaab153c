import { assertEquals, assertThrows } from "@std/assert";
import { arrayOf, bytesOf, dtypeOf } from "../../src/tensor/dtype.ts";

const ignore = !("Float16Array" in globalThis);

Deno.test("dtypeOf() tells typed arrays, and nothing else", { ignore }, () => {
  const arrays = [new Float32Array(1), new Float16Array(1), new Int32Array(1), new Uint32Array(1), new Uint8Array(1)];
  assertEquals(arrays.map(dtypeOf), ["f32", "f16", "i32", "u32", "u8"]);
  assertEquals(dtypeOf(new Uint8ClampedArray(1)), "u8");
  for (const other of [[1], new Float64Array(1), new DataView(new ArrayBuffer(4)), null, 3]) {
    assertEquals(dtypeOf(other), undefined);
  }
});

Deno.test("dtypes work where there is no Float16Array, but for the values of f16", { ignore }, () => {
  const own = Object.getOwnPropertyDescriptor(globalThis, "Float16Array")!;
  try {
    Reflect.deleteProperty(globalThis, "Float16Array");
    assertEquals(bytesOf("f16"), 2);
    assertEquals(dtypeOf(new Float32Array(1)), "f32");
    assertThrows(
      () => arrayOf("f16"),
      TypeError,
      "Cannot hold f16 outside of the device as this runtime has no Float16Array",
    );
  } finally {
    Object.defineProperty(globalThis, "Float16Array", own);
  }
});
