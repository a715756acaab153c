import { assert, assertEquals, assertRejects } from "@std/assert";
import { decodePng } from "../../../src/data/images/png.ts";

interface Spec {
  width: number;
  height: number;
  depth: number;
  colorType: number;
  /** Filter byte and filtered bytes of every row. */
  rows: number[];
  extra?: [string, number[]][];
  interlace?: number;
  /** Chunks that hold the pixels. */
  parts?: number;
}

async function encode({ width, height, depth, colorType, rows, extra = [], interlace = 0, parts = 1 }: Spec) {
  const zipped = new Response(new Blob([new Uint8Array(rows)]).stream().pipeThrough(new CompressionStream("deflate")));
  const size = (n: number) => [n >>> 24, n >>> 16 & 255, n >>> 8 & 255, n & 255];
  const chunk = (type: string, data: number[]) => [
    ...size(data.length),
    ...new TextEncoder().encode(type),
    ...data,
    ...[0, 0, 0, 0], // the checksum of a chunk is not looked at: the pixels carry their own
  ];
  return new Uint8Array([
    ...[0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a],
    ...chunk("IHDR", [...size(width), ...size(height), depth, colorType, 0, 0, interlace]),
    ...extra.flatMap(([type, data]) => chunk(type, data)),
    ...split([...new Uint8Array(await zipped.arrayBuffer())], parts).flatMap((part) => chunk("IDAT", part)),
    ...chunk("IEND", []),
  ]);
}

function split(bytes: number[], parts: number): number[][] {
  const size = Math.ceil(bytes.length / parts);
  return Array.from({ length: parts }, (_, i) => bytes.slice(i * size, (i + 1) * size));
}

Deno.test("decodePng() undoes each of the five filters", async () => {
  // Two grey columns; each row is written so that its decoded value is [10 * y + 10, 10 * y + 13].
  const rows = [
    ...[0, 10, 13], // none
    ...[1, 20, 3], // left: 20, 20 + 3
    ...[2, 10, 10], // up: 20 + 10, 23 + 10
    ...[3, 40 - 15, 43 - ((40 + 33) >> 1)], // mean of left and up
    ...[4, 50 - 40, 53 - 50], // Paeth: up 40; then left 50, up 43, corner 40 -> estimate 53 -> left
  ];
  const image = await decodePng(await encode({ width: 2, height: 5, depth: 8, colorType: 0, rows }));
  assertEquals([...image.data].filter((_, i) => i % 4 === 0), [10, 13, 20, 23, 30, 33, 40, 43, 50, 53]);
});

Deno.test("decodePng() reads gray, gray with alpha, RGB and RGBA", async () => {
  const one = async (
    colorType: number,
    row: number[],
  ) => [...(await decodePng(await encode({ width: 1, height: 1, depth: 8, colorType, rows: [0, ...row] }))).data];
  assertEquals(await one(0, [7]), [7, 7, 7, 255]);
  assertEquals(await one(4, [7, 9]), [7, 7, 7, 9]);
  assertEquals(await one(2, [1, 2, 3]), [1, 2, 3, 255]);
  assertEquals(await one(6, [1, 2, 3, 4]), [1, 2, 3, 4]);
});

Deno.test("decodePng() reads palettes of 1, 2, 4 and 8 bits", async () => {
  const extra: [string, number[]][] = [["PLTE", [9, 8, 7, 1, 2, 3]], ["tRNS", [0]]];
  for (const [depth, row] of [[1, [0b01100000]], [2, [0b00010100]], [4, [0x01, 0x10]], [8, [0, 1, 1]]] as const) {
    const image = await decodePng(
      await encode({ width: 3, height: 1, depth, colorType: 3, rows: [0, ...row], extra }),
    );
    assertEquals([...image.data], [9, 8, 7, 0, 1, 2, 3, 255, 1, 2, 3, 255], `depth ${depth}`);
  }
});

Deno.test("decodePng() names what is wrong with a damaged file", async () => {
  const good = await encode({ width: 1, height: 1, depth: 8, colorType: 0, rows: [0, 7] });
  const fails = (bytes: Uint8Array<ArrayBuffer>, message: string) =>
    assertRejects(() => decodePng(bytes, "a.png"), SyntaxError, `Cannot read "a.png": ${message}`);
  const unpacks = (bytes: Uint8Array<ArrayBuffer>, message: string) =>
    assertRejects(() => decodePng(bytes, "a.png"), SyntaxError, `Cannot read the pixels of "a.png" ${message}`);
  await fails(new TextEncoder().encode("<html>"), "the file is not a PNG");
  await fails(good.slice(0, 40), "the file ends after 40 bytes, before its last chunk");
  const spec = { width: 1, height: 1, depth: 8, colorType: 0, rows: [0, 7] };
  await fails(await encode({ ...spec, depth: 16 }), "only 8-bit PNG without interlacing is read here");
  await fails(await encode({ ...spec, interlace: 1 }), "only 8-bit PNG without interlacing is read here");
  await fails(await encode({ ...spec, width: 1e6, height: 1e6 }), "size 1000000 x 1000000 px is outside");
  await unpacks(await encode({ ...spec, height: 2 }), "as it must unpack to 4 bytes: got 2");
  await unpacks(
    await encode({ ...spec, rows: [0, ...Array(100_000).fill(0)] }),
    "as it must unpack to 2 bytes: got more",
  );
  await fails(await encode({ ...spec, rows: [5, 7] }), "row 0 has unknown filter 5");
  await fails(await encode({ ...spec, colorType: 3, extra: [["PLTE", [1, 2, 3]]] }), "pixel (0, 0) uses colour 7 of 1");
  const broken = good.slice();
  broken.fill(0xff, 43, 47);
  await unpacks(broken, "as its deflate stream is damaged");
});

Deno.test("decodePng() takes pixels in any number of chunks, in time that grows no faster", async () => {
  const rows = Array.from({ length: 30 }, (_, y) => [0, ...Array.from({ length: 40 }, (_, x) => x * y)]).flat();
  const spec = { width: 40, height: 30, depth: 8, colorType: 0, rows: rows.map((value) => value & 255) };
  const whole = await decodePng(await encode(spec));
  assertEquals((await decodePng(await encode({ ...spec, parts: 100 }))).data, whole.data);
  const head = await encode(spec);
  const empty = [0, 0, 0, 0, ...new TextEncoder().encode("IDAT"), 0, 0, 0, 0];
  const many = new Uint8Array(head.length + 200_000 * empty.length);
  many.set(head.subarray(0, 33));
  for (let i = 0; i < 200_000; i++) many.set(empty, 33 + i * empty.length);
  many.set(head.subarray(33), 33 + 200_000 * empty.length);
  const start = performance.now();
  assertEquals((await decodePng(many)).data, whole.data);
  assert(performance.now() - start < 5000); // quadratic, it took minutes
});
