import { assertEquals, assertThrows } from "@std/assert";
import { applySpec, centerCrop, resizeBilinear, toGray } from "../../../src/data/images/resize.ts";
import type { RgbImage } from "../../../src/data/images/rgb_image.ts";
import { isNdArray, readNpz } from "../../../src/formats/mod.ts";

const golden = await readNpz(await Deno.readFile(new URL("../fixtures/pillow.npz", import.meta.url)));

function expected(name: string): RgbImage {
  const array = golden.get(name);
  if (!array || !isNdArray(array) || !(array.data instanceof Uint8Array)) throw new Error(`no ${name}`);
  return { data: array.data, height: array.shape[0]!, width: array.shape[1]! };
}

/** An image whose pixel (y, x) is [y, x, 100 + y]. */
function coordinates(height: number, width: number): RgbImage {
  const data = new Uint8Array(height * width * 3);
  for (let i = 0; i < height * width; i++) {
    const [y, x] = [Math.floor(i / width), i % width];
    data.set([y, x, 100 + y], 3 * i);
  }
  return { data, height, width };
}

for (const [height, width] of [[32, 32], [21, 20], [80, 100], [5, 34], [3, 7], [1, 1]] as const) {
  Deno.test(`resizeBilinear() equals Pillow's to the bit at ${height} x ${width}`, () => {
    assertEquals(resizeBilinear(expected("rgb_png"), { height, width }), expected(`resized_${height}_${width}`));
  });
}

Deno.test("resizeBilinear() leaves an image of that size as it is", () => {
  const image = coordinates(3, 4);
  assertEquals(resizeBilinear(image, { height: 3, width: 4 }), image);
});

Deno.test("toGray() equals Pillow's luma to the bit", () => {
  const luma = golden.get("luma");
  if (!luma || !isNdArray(luma)) throw new Error("no luma");
  const gray = toGray(expected("rgb_jpg"));
  assertEquals(gray.data.filter((_, i) => i % 3 === 0), luma.data);
  assertEquals(gray.data.filter((_, i) => i % 3 === 2), luma.data);
});

Deno.test("centerCrop() rounds halves to even, as torchvision", () => {
  const first = (
    height: number,
    width: number,
    side: number,
  ) => [...centerCrop(coordinates(height, width), side).data.subarray(0, 2)];
  assertEquals(first(4, 5, 2), [1, 2]); // 1.5 -> 2
  assertEquals(first(4, 7, 2), [1, 2]); // 2.5 -> 2
  assertEquals(first(9, 4, 2), [4, 1]); // 3.5 -> 4
  assertEquals(first(5, 5, 5), [0, 0]);
});

Deno.test("centerCrop() pads a smaller image with black", () => {
  const cropped = centerCrop(coordinates(2, 5), 3);
  assertEquals([cropped.height, cropped.width], [3, 3]);
  const rows = [0, 1, 2].map((y) => [...cropped.data.subarray(9 * y, 9 * y + 9)]);
  assertEquals(rows, [
    [0, 1, 100, 0, 2, 100, 0, 3, 100],
    [1, 1, 101, 1, 2, 101, 1, 3, 101],
    [0, 0, 0, 0, 0, 0, 0, 0, 0],
  ]);
  assertEquals([...centerCrop(coordinates(1, 1), 3).data.subarray(12, 15)], [0, 0, 100], "the image is in the middle");
});

Deno.test("applySpec() keeps the aspect ratio with shortSide and squashes with a size", () => {
  const size = (image: RgbImage) => [image.height, image.width];
  assertEquals(size(applySpec(coordinates(102, 136), { resize: { shortSide: 32 } })), [32, 42]);
  assertEquals(size(applySpec(coordinates(136, 102), { resize: { shortSide: 32 } })), [42, 32]);
  assertEquals(size(applySpec(coordinates(102, 136), { resize: { height: 32, width: 32 } })), [32, 32]);
  assertEquals(size(applySpec(coordinates(375, 500), { resize: { shortSide: 256 }, centerCrop: 224 })), [224, 224]);
});

Deno.test("resizeBilinear() and centerCrop() throw on sizes that are not positive integers", () => {
  const image = coordinates(2, 2);
  for (const side of [0, -1, 1.5, NaN]) {
    assertThrows(
      () => resizeBilinear(image, { height: side, width: 2 }),
      RangeError,
      `Cannot resize an image as height must be a positive integer: current value is ${side}`,
    );
    assertThrows(
      () => centerCrop(image, side),
      RangeError,
      `Cannot crop an image as side must be a positive integer: current value is ${side}`,
    );
  }
});

Deno.test("applySpec() makes the pixels of the crop alone, and the same ones", () => {
  let state = 1;
  const next = (below: number) => (state = (state * 48271) % 2147483647) % below;
  for (let i = 0; i < 200; i++) {
    const [height, width, shortSide, side] = [1 + next(40), 1 + next(40), 1 + next(30), 1 + next(30)];
    const image = { data: Uint8Array.from({ length: height * width * 3 }, () => next(256)), height, width };
    const resize = i % 2 ? { shortSide } : { height: shortSide, width: 1 + next(30) };
    const whole = applySpec(image, { resize });
    assertEquals(
      applySpec(image, { resize, centerCrop: side }),
      centerCrop(whole, side),
      JSON.stringify({ height, width, resize, side }),
    );
  }
});

Deno.test("applySpec() and resizeBilinear() bound the result", () => {
  const line = { data: new Uint8Array(3 * 60_000), height: 60_000, width: 1 };
  const start = performance.now();
  assertEquals(applySpec(line, { resize: { shortSide: 256 }, centerCrop: 224 }).data.length, 224 * 224 * 3);
  assertEquals(performance.now() - start < 5000, true);
  const message = "as the result must have at most 67108864 pixels: got 256 x 15360000";
  assertThrows(() => applySpec(line, { resize: { shortSide: 256 } }), RangeError, message);
  assertThrows(() => resizeBilinear(line, { height: 1e5, width: 1e5 }), RangeError, "got 100000 x 100000");
  assertThrows(
    () => applySpec(line, { resize: { shortSide: 8 }, centerCrop: 0 }),
    RangeError,
    "side must be a positive",
  );
});
