import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { decodeAhead, ImageDecoder, preload, type UnreadableImage } from "../../../src/data/images/decode.ts";
import { isNdArray, readNpz } from "../../../src/formats/mod.ts";
import { withFolder } from "../_helpers.ts";
import { dataset, decodeOne, IMAGES } from "../_images.ts";

Deno.test("decodeAhead() equals Pillow to the bit", async () => {
  const golden = await readNpz(await Deno.readFile(new URL("../fixtures/pillow.npz", import.meta.url)));
  const names =
    "rgb.jpg progressive.jpg exif.jpg gray.jpg cmyk.jpg cmyk.tif rgb.png palette.png bit.png rgb.webp rgb.tif palette.gif";
  const files = names.split(" ");
  let count = 0;
  for await (const image of decodeAhead(dataset(files.map((name) => IMAGES + name)), { workers: 1 })) {
    const name = files[image.index]!;
    const expected = golden.get(name.replace(".", "_"));
    assert(expected && isNdArray(expected));
    assertEquals([image.height, image.width, 3], expected.shape, name); // the EXIF orientation is not applied
    assertEquals(image.data, expected.data, name);
    count++;
  }
  assertEquals(count, 12);
});

Deno.test("decodeAhead() lays transparency over white and keeps the upper byte of 16 bits", async () => {
  // Column x of the images has alpha 7 x, alpha 128, and the value 1900 x.
  const alpha = await decodeOne("alpha.png");
  assertEquals([...alpha.data.subarray(0, 3)], [255, 255, 255]);
  const [y, x] = [5, 20];
  const over = (value: number, opacity: number) => (value * opacity + 255 * (255 - opacity)) / 255;
  const near = (actual: number, expected: number) => assert(Math.abs(actual - expected) <= 1, `${actual} ${expected}`);
  [x * 7, y * 12, (x + y) * 4].forEach((value, c) => near(alpha.data[(y * 34 + x) * 3 + c]!, over(value, 7 * x)));
  const gray = await decodeOne("gray_alpha.png");
  near(gray.data[0]!, over(0, 128));
  const deep = await decodeOne("deep.png");
  assertEquals(
    [...deep.data.subarray(0, 34 * 3)].filter((_, i) => i % 3 === 0),
    Array.from({ length: 34 }, (_, i) => (i * 1900) >> 8),
  );
});

Deno.test("decodeAhead() applies gray, resize and crop", async () => {
  const plain = await decodeOne("rgb.jpg", { grayscale: true });
  assert(plain.data.every((value, i) => value === plain.data[i - i % 3]));
  const cropped = await decodeOne("rgb.jpg", { resize: { shortSide: 32 }, centerCrop: 16 });
  assertEquals([cropped.height, cropped.width, cropped.data.length], [16, 16, 768]);
});

Deno.test("decodeAhead() keeps the order with several workers", async () => {
  const paths = ["rgb.tif", "rgb.jpg", "palette.gif", "gray.jpg"].map((name) => IMAGES + name);
  const order = Array.from({ length: 40 }, (_, i) => (i * 7 + 3) % 4);
  const seen: number[] = [];
  for await (const image of decodeAhead(dataset(paths), { workers: 3, ahead: 5, order })) seen.push(image.index);
  assertEquals(seen, order);
});

Deno.test("ImageDecoder does not read further than it may", async () => {
  let asked = 0;
  function* order() {
    for (asked = 1; asked <= 100; asked++) yield 0;
  }
  using byCount = new ImageDecoder(dataset([IMAGES + "rgb.jpg"]), { workers: 1, ahead: 3 });
  const images = byCount.decode(order());
  for (let taken = 1; taken <= 10; taken++) {
    await images.next();
    await new Promise((resolve) => setTimeout(resolve, 2));
    assert(asked <= taken + 3, `${asked} asked for when ${taken} were taken`);
  }
  using byBytes = new ImageDecoder(dataset([IMAGES + "rgb.jpg"]), { workers: 1, ahead: 50, maxBytes: 2 * 21 * 34 * 3 });
  const bounded = byBytes.decode(order());
  for (let taken = 1; taken <= 10; taken++) {
    await bounded.next();
    await new Promise((resolve) => setTimeout(resolve, 2));
    assert(asked <= taken + 2, `${asked} asked for when ${taken} were taken`);
  }
});

Deno.test("ImageDecoder serves several passes and several readers", async () => {
  const paths = ["rgb.jpg", "gray.jpg", "rgb.png"].map((name) => IMAGES + name);
  using decoder = new ImageDecoder(dataset(paths), { workers: 2 });
  const read = async (order?: number[]) => (await Array.fromAsync(decoder.decode(order))).map(({ index }) => index);
  assertEquals(await Promise.all([read(), read([2, 2]), read([1])]), [[0, 1, 2], [2, 2], [1]]);
  for await (const _ of decoder.decode()) break; // a reader may stop early
  assertEquals(await read(), [0, 1, 2]);
});

Deno.test("ImageDecoder keeps what fits into cacheBytes for the next pass, and no more", async () => {
  await withFolder(async (folder) => {
    const paths = ["0.jpg", "1.jpg", "2.jpg"].map((name) => `${folder}/${name}`);
    for (const path of paths) await Deno.copyFile(IMAGES + "rgb.jpg", path);
    const plain = (await decodeOne("rgb.jpg")).data;
    using decoder = new ImageDecoder(dataset(paths), { workers: 1, cacheBytes: 3 * plain.length - 1 });
    const pass = async () => {
      const images = await Array.fromAsync(decoder.decode([2, 0, 1]));
      for (const { data } of images) assertEquals(data, plain);
      return images.map(({ index }) => index);
    };
    assertEquals(await pass(), [2, 0, 1]);
    const spent = decoder.milliseconds;
    assertEquals([await pass(), decoder.milliseconds > spent], [[2, 0, 1], true]); // the last one was read again
    for (const path of paths) await Deno.remove(path);
    assertEquals([await pass(), decoder.unreadable.map(({ index }) => index)], [[2, 0], [1]]);
  });
  const refused = () => new ImageDecoder(dataset([]), { cacheBytes: -1 });
  assertThrows(refused, RangeError, "Cannot decode images as cacheBytes must be >= 0: current value is -1");
});

async function mixed(folder: string, good: number, bad: number): Promise<string[]> {
  const image = await Deno.readFile(IMAGES + "gray.jpg");
  const paths = [];
  for (let i = 0; i < good + bad; i++) {
    const path = `${folder}/${String(i).padStart(4, "0")}.jpg`;
    await Deno.writeFile(path, i < good ? image : image.subarray(0, 200));
    paths.push(path);
  }
  return paths;
}

Deno.test("ImageDecoder leaves unreadable files out and reports each once", async () => {
  await withFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/text.jpg`, "<html>");
    const paths = [IMAGES + "rgb.jpg", `${folder}/text.jpg`, IMAGES + "truncated.jpg", IMAGES + "gray.jpg"];
    const told: UnreadableImage[] = [];
    using decoder = new ImageDecoder(dataset(paths), { workers: 2, onUnreadable: (image) => told.push(image) });
    for (let pass = 0; pass < 2; pass++) {
      assertEquals((await Array.fromAsync(decoder.decode())).map(({ index }) => index), [0, 3]);
    }
    assertEquals(told.map(({ index, path }) => [index, path]), [[1, paths[1]], [2, paths[2]]]);
    assertEquals(decoder.unreadable, told);
  });
});

// One worker: libvips keeps the words of its errors in one place for all threads, and another's error may take them.
Deno.test("ImageDecoder gives the reason why an image is unreadable", async () => {
  const told: UnreadableImage[] = [];
  const paths = [IMAGES + "rgb.jpg", IMAGES + "truncated.jpg"];
  using decoder = new ImageDecoder(dataset(paths), { workers: 1, onUnreadable: (image) => told.push(image) });
  assertEquals((await Array.fromAsync(decoder.decode())).map(({ index }) => index), [0]);
  assertEquals(told[0]?.reason.startsWith('Cannot decode an image as it must be whole: got "VipsJpeg: '), true);
});

Deno.test("ImageDecoder stops when more than 1 % of the files are unreadable", async () => {
  await withFolder(async (folder) => {
    const paths = await mixed(folder, 297, 4); // 1 % of 301 is 3
    const seen: number[] = [];
    const run = async () => {
      for await (const { index } of decodeAhead(dataset(paths), { workers: 1 })) seen.push(index);
    };
    await assertRejects(
      run,
      SyntaxError,
      `Cannot go on with "files" as at most 1 % of its 301 images may be unreadable: found 4 so far, among them "${folder}/0297.jpg" (`,
    );
    assertEquals(seen.length, 297);
    await Deno.writeFile(paths[300]!, await Deno.readFile(paths[0]!));
    assertEquals((await Array.fromAsync(decodeAhead(dataset(paths), { workers: 1 }))).length, 298, "3 are forgiven");
  });
});

Deno.test("ImageDecoder stops at the third unreadable file of a small set, and at absent files", async () => {
  await withFolder(async (folder) => {
    const paths = [...await mixed(folder, 5, 2), `${folder}/absent.jpg`];
    await assertRejects(
      () => Array.fromAsync(decodeAhead(dataset(paths), { workers: 1 })),
      SyntaxError,
      "at most 1 % of its 8 images may be unreadable: found 3 so far",
    );
    assertEquals((await Array.fromAsync(decodeAhead(dataset(paths), { maxUnreadable: 0.5 }))).length, 5);
  });
});

Deno.test("decodeAhead() refuses an image that claims too many pixels", async () => {
  const told: UnreadableImage[] = [];
  const options = { workers: 1, onUnreadable: (image: UnreadableImage) => told.push(image) };
  assertEquals(await Array.fromAsync(decodeAhead(dataset([IMAGES + "rgb.png"], { maxPixels: 700 }), options)), []);
  assert(told[0]?.reason.endsWith("at most 700 pixels (maxPixels): got 34 x 21"), told[0]?.reason);
});

Deno.test("ImageDecoder throws on options and indices out of range", async () => {
  const files = dataset([IMAGES + "rgb.jpg"]);
  assertThrows(
    () => new ImageDecoder(files, { workers: 0 }),
    RangeError,
    "Cannot decode images as workers must be a positive integer: current value is 0",
  );
  assertThrows(
    () => new ImageDecoder(files, { ahead: 1.5 }),
    RangeError,
    "Cannot decode images as ahead must be a positive integer: current value is 1.5",
  );
  await assertRejects(
    () => Array.fromAsync(decodeAhead(files, { order: [1] })),
    RangeError,
    'Cannot decode an image of "files" as its index must be an integer from 0 to 0: got 1',
  );
});

Deno.test("ImageDecoder rejects readers when it is closed", async () => {
  const decoder = new ImageDecoder(dataset([IMAGES + "rgb.jpg"]), { workers: 1 });
  const images = decoder.decode([0, 0, 0]);
  await images.next();
  decoder[Symbol.dispose]();
  await assertRejects(() => decoder.decode().next(), Error, "Cannot decode images as the decoder is closed");
});

Deno.test("ImageDecoder says what to do when sharp cannot be had", async () => {
  const directory = await Deno.makeTempDir();
  const module = new URL("../../../src/data/images/decode.ts", import.meta.url).href;
  const files = JSON.stringify(dataset([IMAGES + "rgb.jpg"]));
  const code = `import { decodeAhead } from "${module}";
    const files = ${files};
    await Array.fromAsync(decodeAhead(files)).catch((error) => console.log(error.name, error.message));`;
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-check", "--cached-only", code],
    cwd: new URL("../../../", import.meta.url),
    env: { DENO_DIR: directory, NO_COLOR: "1" },
  }).output();
  const text = new TextDecoder().decode(stdout).trim();
  assert(text.startsWith('NotFound Cannot load npm package "sharp", which decodes and encodes images: '), text);
  assert(text.includes("--cached-only is specified"), text);
  assert(text.endsWith('; run "deno cache npm:sharp@0.35.5" once where the npm registry can be reached'), text);
  await Deno.remove(directory, { recursive: true });
});

Deno.test("preload() keeps all images in memory and leaves unreadable ones out of labels and paths", async () => {
  const paths = ["rgb.jpg", "truncated.jpg", "gray.jpg"].map((name) => IMAGES + name);
  const done: number[] = [];
  const loaded = await preload(dataset(paths), { height: 8, width: 6, workers: 1, onProgress: (n) => done.push(n) });
  assertEquals([loaded.length, loaded.files], [2, undefined]);
  assertEquals(loaded.pixels.data.length, 2 * 8 * 6 * 3);
  assertEquals(loaded.labels, Int32Array.of(0, 2));
  assertEquals(loaded.paths, ["rgb.jpg", "gray.jpg"]);
  assertEquals(done, [1, 2]);
  assert(loaded.notes[0]?.startsWith(`"${IMAGES}truncated.jpg" is left out: `), loaded.notes[0]);
  const alone = await decodeOne("gray.jpg", { resize: { height: 8, width: 6 } });
  assertEquals(loaded.pixels.data.subarray(8 * 6 * 3), alone.data);
});
