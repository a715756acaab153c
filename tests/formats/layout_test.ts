import { assertEquals, assertThrows } from "@std/assert";
import {
  hwioToOihw,
  nchwToNhwc,
  nhwcToNchw,
  oihwToHwio,
  permuteAxes,
  transposeLinear,
} from "../../src/formats/internal.ts";
import { type NdArray, ndarray } from "../../src/formats/mod.ts";
import { bitsOf, random, randomArray } from "./_helpers.ts";

function counting(...shape: number[]): NdArray {
  const count = shape.reduce((a, b) => a * b, 1);
  return ndarray(shape, "f32", Float32Array.from({ length: count }, (_, i) => i));
}

Deno.test("oihwToHwio() moves element [o, i, h, w] to [h, w, i, o]", () => {
  const [o, i, h, w] = [2, 3, 4, 5] as const;
  const { shape, data } = oihwToHwio(counting(o, i, h, w));
  assertEquals(shape, [h, w, i, o]);
  for (let a = 0; a < o; a++) {
    for (let b = 0; b < i; b++) {
      for (let c = 0; c < h; c++) {
        for (let d = 0; d < w; d++) {
          assertEquals(data[((c * w + d) * i + b) * o + a], ((a * i + b) * h + c) * w + d);
        }
      }
    }
  }
});

Deno.test("hwioToOihw() undoes oihwToHwio(), nhwcToNchw() undoes nchwToNhwc(), transposeLinear() itself", () => {
  const array = counting(2, 3, 4, 5);
  assertEquals(hwioToOihw(oihwToHwio(array)), array);
  assertEquals(nhwcToNchw(nchwToNhwc(array)), array);
  assertEquals(transposeLinear(transposeLinear(counting(3, 7))), counting(3, 7));
});

Deno.test("nchwToNhwc() puts the channels of a pixel side by side", () => {
  const { shape, data } = nchwToNhwc(counting(1, 3, 2, 2));
  assertEquals(shape, [1, 2, 2, 3]);
  assertEquals([...data.slice(0, 3)], [0, 4, 8]);
});

Deno.test("transposeLinear() moves [out, in] to [in, out]", () => {
  assertEquals([...transposeLinear(counting(2, 3)).data], [0, 3, 1, 4, 2, 5]);
});

Deno.test("permuteAxes() by the inverse axes gives the array back, whatever its dtype and shape", () => {
  const next = random(3);
  for (let trial = 0; trial < 100; trial++) {
    const array = randomArray(next);
    const axes = array.shape.map((_, i) => i).sort(() => next() - 0.5);
    const inverse = axes.map((_, i) => axes.indexOf(i));
    assertEquals(bitsOf(permuteAxes(permuteAxes(array, axes), inverse)), bitsOf(array));
  }
});

Deno.test("permuteAxes() throws when axes do not name each dimension once", () => {
  const array = counting(2, 3);
  for (const axes of [[0], [0, 0], [0, 2], [0, 1, 2], [-1, 0]]) {
    assertThrows(() => permuteAxes(array, axes), TypeError, `got axes [${axes}] and array [2,3]`);
  }
});

Deno.test("oihwToHwio() throws when the rank is wrong", () => {
  assertThrows(() => oihwToHwio(counting(2, 3)), TypeError, "array must be [out, in, kh, kw]: got array [2,3]");
  assertThrows(() => transposeLinear(counting(2)), TypeError, "array must be [rows, cols]: got array [2]");
});
