import { assert, assertEquals } from "@std/assert";
import type { DecodeSpec } from "../../../src/data/dataset.ts";
import { decodeAhead, ImageDecoder, type UnreadableImage } from "../../../src/data/images/decode.ts";
import { withFolder } from "../_helpers.ts";
import { dataset, decodeOne, IMAGES } from "../_images.ts";

async function reasonOf(bytes: Uint8Array | string, name = "a.png", decode: DecodeSpec = {}): Promise<string> {
  let reason = "readable";
  await withFolder(async (folder) => {
    const path = `${folder}/${name}`;
    await Deno.writeFile(path, typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes);
    const onUnreadable = (image: UnreadableImage) => void (reason = image.reason);
    using decoder = new ImageDecoder(dataset([path], decode), { workers: 1, onUnreadable });
    await Array.fromAsync(decoder.decode());
  });
  return reason;
}

/** A file of one colour. */
async function flat(width: number, height: number): Promise<Uint8Array> {
  const { default: sharp } = await import("sharp");
  return await sharp({ create: { width, height, channels: 3, background: { r: 200, g: 100, b: 50 } } }).png()
    .toBuffer();
}

Deno.test("ImageDecoder tells formats by their content, whatever the file is called", async () => {
  const jpeg = await Deno.readFile(IMAGES + "rgb.jpg");
  for (const name of ["a.png", "a.gif", "a.jpg"]) assertEquals(await reasonOf(jpeg, name), "readable");
  const rule = "Cannot decode an image as its content must be one of JPEG, PNG, WebP, TIFF, GIF, AVIF: got ";
  const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>';
  const cases: [string, string][] = [
    [svg, "an SVG picture"],
    [`<?xml version="1.0"?>\n<!-- a > b -->\n${svg}`, "an SVG picture"],
    ["<!DOCTYPE html><title>404</title>", "a web page"],
    ["%PDF-1.7", "a PDF document"],
    ["\0\0\0\x18ftypheic\0\0\0\0mif1heic", "a HEIC picture"],
    ["P6 1 1 255 abc", "bytes 50 36 20 31"],
    ["", "an empty file"],
  ];
  for (const [text, got] of cases) assertEquals((await reasonOf(text)).startsWith(rule + got), true, got);
});

Deno.test("ImageDecoder reads AVIF, and GIF, WebP and TIFF of any kind, by their beginning", async () => {
  const { default: sharp } = await import("sharp");
  const image = sharp(IMAGES + "rgb.png");
  assertEquals(await reasonOf(await image.avif().toBuffer()), "readable");
  assertEquals(await reasonOf(await image.tiff({ bigtiff: true }).toBuffer()), "readable");
  assertEquals(await reasonOf(await image.webp({ quality: 80 }).toBuffer()), "readable");
});

Deno.test("ImageDecoder turns a TIFF as its orientation says, as Pillow does, and no other picture", async () => {
  const { default: sharp } = await import("sharp");
  const [h, w] = [3, 5];
  const data = Uint8Array.from({ length: h * w * 3 }, (_, i) => i * 5);
  const file = (orientation: number) =>
    sharp(data, { raw: { height: h, width: w, channels: 3 } }).withMetadata({ orientation });
  // Where the pixel of row y and column x comes from, by orientation, and whether rows and columns change places.
  const from: Record<number, [swaps: boolean, at: (y: number, x: number) => [number, number]]> = {
    1: [false, (y, x) => [y, x]],
    2: [false, (y, x) => [y, w - 1 - x]],
    3: [false, (y, x) => [h - 1 - y, w - 1 - x]],
    4: [false, (y, x) => [h - 1 - y, x]],
    5: [true, (y, x) => [x, y]],
    6: [true, (y, x) => [h - 1 - x, y]],
    7: [true, (y, x) => [h - 1 - x, w - 1 - y]],
    8: [true, (y, x) => [x, w - 1 - y]],
  };
  await withFolder(async (folder) => {
    const paths = [...Object.keys(from), "png"].map((name) => `${folder}/${name}`);
    for (const path of paths.slice(0, -1)) await file(Number(path.at(-1))).tiff({ compression: "none" }).toFile(path);
    await file(6).png().toFile(paths.at(-1)!);
    for await (const image of decodeAhead(dataset(paths), { workers: 1 })) {
      const [swaps, at] = from[image.index + 1] ?? from[1]!; // the PNG as it is
      assertEquals([image.height, image.width], swaps ? [w, h] : [h, w]);
      const expected = image.data.map((_, i) => {
        const [y, x] = at(Math.floor(i / 3 / image.width), Math.floor(i / 3) % image.width);
        return data[(y * w + x) * 3 + i % 3]!;
      });
      assertEquals(image.data, expected, paths[image.index]);
    }
    const [small] = await Array.fromAsync(decodeAhead(dataset([paths[5]!], { longSide: 4 }), { workers: 1 }));
    assertEquals([small?.height, small?.width], [4, 2]);
  });
});

/** Writes the value of a 16-bit tag of a classic little-endian TIFF. */
function withTag(tiff: Uint8Array, tag: number, value: number): Uint8Array<ArrayBuffer> {
  const bytes = tiff.slice();
  const view = new DataView(bytes.buffer);
  const start = view.getUint32(4, true);
  for (let i = 0, at = start + 2; i < view.getUint16(start, true); i++, at += 12) {
    if (view.getUint16(at, true) === tag) view.setUint16(at + 8, value, true);
  }
  return bytes;
}

Deno.test("ImageDecoder takes an orientation that is none for the first, as Pillow does, and tells L*a*b* from damage", async () => {
  const { default: sharp } = await import("sharp");
  const data = Uint8Array.from({ length: 45 }, (_, i) => i * 5);
  const picture = sharp(data, { raw: { height: 3, width: 5, channels: 3 } }).withMetadata({ orientation: 6 });
  const tiff = await picture.tiff({ compression: "none" }).toBuffer();
  await withFolder(async (folder) => {
    const paths = [0, 9, 300].map((orientation) => `${folder}/${orientation}.tif`);
    for (const path of paths) await Deno.writeFile(path, withTag(tiff, 274, Number(/(\d+)\.tif/.exec(path)![1])));
    for await (const image of decodeAhead(dataset(paths), { workers: 1 })) {
      assertEquals([image.height, image.width, image.data], [3, 5, data]);
    }
  });
  assertEquals(
    await reasonOf(withTag(tiff, 262, 8)),
    "Cannot decode an image as its colours must be gray, RGB or CMYK: got CIELAB",
  );
});

Deno.test("ImageDecoder cuts a picture that is nearly a line at the cost of a square one", async () => {
  const spec = { resize: { shortSide: 256 }, centerCrop: 224 };
  for (const [width, height] of [[1, 16_000], [16_000, 1], [65_535, 2]] as const) {
    await withFolder(async (folder) => {
      await Deno.writeFile(`${folder}/a.png`, await flat(width, height));
      const start = performance.now();
      for await (const image of decodeAhead(dataset([`${folder}/a.png`], spec), { workers: 1 })) {
        assertEquals([image.height, image.width, ...image.data.subarray(0, 3)], [224, 224, 200, 100, 50]);
      }
      assert(performance.now() - start < 10_000, "it took 178 s and 3.2 GB");
    });
  }
  assertEquals(
    await reasonOf(await flat(1, 16_000), "a.png", { resize: { shortSide: 256 } }),
    "Cannot resize an image of 1 x 16000 px as the result must have at most 67108864 pixels: got 256 x 4096000",
  );
  assertEquals(
    await reasonOf(await flat(65_536, 1)),
    "Cannot decode an image as its sides must be at most 65535 px: got 65536 x 1",
  );
});

Deno.test("ImageDecoder shrinks what is too large while it is decoded", async () => {
  const photo = await flat(6000, 4500); // 27 megapixels
  await withFolder(async (folder) => {
    await Deno.writeFile(`${folder}/a.png`, photo);
    const decode = async (spec: DecodeSpec) =>
      (await Array.fromAsync(decodeAhead(dataset([`${folder}/a.png`], spec), { workers: 1 })))[0]!;
    const image = await decode({});
    assertEquals([image.height, image.width], [3547, 4729]);
    assert(image.height * image.width <= 2 ** 24);
    assertEquals(image.data.subarray(-3), Uint8Array.of(200, 100, 50));
    const small = await decode({ longSide: 300 });
    assertEquals([small.height, small.width], [225, 300]);
    const exact = await decode({ shrinkAbove: 27_000_000, longSide: 6000, centerCrop: 4500 });
    assertEquals([exact.height, exact.width], [4500, 4500]);
  });
  const whole = await decodeOne("rgb.jpg");
  assertEquals([whole.height, whole.width], [21, 34]);
  const ink = await decodeOne("cmyk.tif", { longSide: 17 });
  assertEquals([ink.height, ink.width], [10, 17]);
});

Deno.test("ImageDecoder refuses files that claim too many pixels, and what is no file", async () => {
  const bomb = (await flat(2, 2)).slice();
  new DataView(bomb.buffer).setUint32(16, 30_000); // the width in the header
  new DataView(bomb.buffer).setUint32(20, 30_000);
  const { crc32 } = await import("../../../src/formats/crc32.ts");
  new DataView(bomb.buffer).setUint32(29, crc32(bomb.slice(12, 29)));
  const reason = await reasonOf(bomb);
  assertEquals(reason.split(":")[0], "Cannot decode an image as it must have at most 178956970 pixels (maxPixels)");
  const told: UnreadableImage[] = [];
  using decoder = new ImageDecoder(dataset(["/dev/zero"]), { workers: 1, onUnreadable: (image) => told.push(image) });
  assertEquals(await Array.fromAsync(decoder.decode()), []);
  assertEquals(
    told[0]?.reason,
    "Cannot read an image as it must be a file of at most 1073741824 bytes: got something else",
  );
});
