import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import sharp from "sharp";
import { decodeImage } from "../../../src/data/images/_decode_image.ts";
import { checkScans } from "../../../src/data/images/_jpeg_scans.ts";

const file = (name: string) => Deno.readFile(new URL(`../fixtures/images/${name}`, import.meta.url));

/** A progressive JPEG whose last scan is there many times. */
async function repeated(times: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await file("progressive.jpg");
  let last = 0;
  for (let at = 0; at + 1 < bytes.length; at++) if (bytes[at] === 0xff && bytes[at + 1] === 0xda) last = at;
  const scan = bytes.slice(last, -2);
  const parts = [bytes.slice(0, -2), ...new Array<Uint8Array>(times).fill(scan), bytes.slice(-2)];
  return new Uint8Array(await new Blob(parts as BlobPart[]).arrayBuffer());
}

Deno.test("decodeImage() refuses a JPEG of thousands of scans before it decodes", async () => {
  const bytes = await repeated(3000);
  const message = "must have at most 1000 scans: got more";
  await assertRejects(() => decodeImage(sharp, bytes, {}), RangeError, message);
});

Deno.test("checkScans() takes fewer scans of larger images, and 16 of any", async () => {
  const [some, many] = [await repeated(4), await repeated(100)];
  checkScans(some, 1e8);
  checkScans(many, 1e6);
  assertThrows(
    () => checkScans(many, 1e8),
    RangeError,
    "Cannot decode an image as a JPEG of 100000000 pixels must have at most 16 scans: got more",
  );
  for (const name of ["rgb.jpg", "progressive.jpg", "exif.jpg", "cmyk.jpg", "gray.jpg", "truncated.jpg", "rgb.png"]) {
    checkScans(await file(name), 1e8);
  }
});

Deno.test("checkScans() does not count what segments hold, and ends on cut and empty files", () => {
  const preview = Array.from({ length: 40 }, () => [0xff, 0xda, 0, 2]).flat();
  const segment = [0xff, 0xe1, 0, 2 + preview.length, ...preview];
  checkScans(Uint8Array.of(0xff, 0xd8, ...segment, 0xff, 0xd9), 1e8);
  assertThrows(() => checkScans(Uint8Array.of(0xff, 0xd8, ...preview, 0xff, 0xd9), 1e8), RangeError);
  for (const cut of [[], [0xff], [0xff, 0xd8], [0xff, 0xd8, 0xff], [0xff, 0xd8, 0xff, 0xda, 0]]) {
    assertEquals(checkScans(Uint8Array.from(cut), 1), undefined);
  }
});
