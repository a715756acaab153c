import { assert, assertEquals } from "@std/assert";
import { decodeElements, encodeElements } from "../../src/formats/dtype.ts";
import { bfloat16ToFloat, float16ToFloat } from "../../src/formats/half.ts";

Deno.test("float16ToFloat() gives the platform's value for all 65,536 bit patterns", () => {
  const view = new DataView(new ArrayBuffer(2));
  for (let bits = 0; bits < 65536; bits++) {
    view.setUint16(0, bits);
    assert(Object.is(float16ToFloat(bits), view.getFloat16(0)), `bits ${bits}`);
  }
});

Deno.test("bfloat16ToFloat() is the upper half of an f32", () => {
  assertEquals([0x3f80, 0xc000, 0x7f80, 0x0001].map(bfloat16ToFloat), [1, -2, Infinity, 2 ** -133]);
  assertEquals(bfloat16ToFloat(0x7fc0), NaN);
});

Deno.test("decodeElements() shares aligned memory and copies the rest", () => {
  const bytes = Uint8Array.from({ length: 12 }, (_, i) => i);
  assertEquals(decodeElements(bytes.subarray(4), "u32").buffer, bytes.buffer);
  const odd = decodeElements(bytes.subarray(1, 9), "u32");
  assert(odd.buffer !== bytes.buffer);
  assertEquals([...odd], [0x04030201, 0x08070605]);
});

Deno.test("decodeElements() reads big-endian without touching its input", () => {
  const bytes = new Uint8Array([0x3f, 0x80, 0, 0, 0xc0, 0, 0, 0]);
  assertEquals([...decodeElements(bytes, "f32", false)], [1, -2]);
  assertEquals(bytes[0], 0x3f);
  assertEquals([...decodeElements(new Uint8Array([0, 0, 0, 0, 0, 0, 1, 2]), "i64", false)], [258n]);
});

Deno.test("decodeElements() reads truth values as 0 and 1, whatever byte says true", () => {
  const bytes = new Uint8Array([0, 1, 2, 255]);
  assertEquals([...decodeElements(bytes, "bool")], [0, 1, 1, 1]);
  assertEquals([...bytes], [0, 1, 2, 255]); // the file's own bytes stay
  assertEquals(decodeElements(bytes.subarray(0, 2), "bool").buffer, bytes.buffer);
  assertEquals([...decodeElements(bytes, "u8")], [0, 1, 2, 255]);
});

Deno.test("encodeElements() gives little-endian bytes", () => {
  assertEquals([...encodeElements(new Uint16Array([0x0102]))], [2, 1]);
});
