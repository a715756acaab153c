import { assertEquals, assertRejects } from "@std/assert";
import { formatOf } from "../../src/formats/file_format.ts";
import { type Bytes, ndarray, writeSafetensors, writeTorch } from "../../src/formats/mod.ts";
import { concatBytes, contentOf, toSource, type WeightsFormat, weightsFormat } from "../../src/formats/internal.ts";
import { latin1 } from "./_helpers.ts";

/** A safetensors file whose header takes exactly `length` bytes. */
function withHeader(length: number): Bytes {
  const header = new Uint8Array(8 + length).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(length), true);
  header.set([0x7b, 0x7d], 8);
  return header;
}

Deno.test("formatOf() takes safetensors for safetensors, whatever the length of the header", () => {
  const lengths = [...Array(70_000).keys()].slice(2).concat([99_999_872, 99_999_888, 100_000_000]);
  const wrong = lengths.filter((length) => {
    const start = new Uint8Array(16);
    new DataView(start.buffer).setBigUint64(0, BigInt(length), true);
    start[8] = 0x7b;
    return formatOf(start) !== "safetensors";
  });
  assertEquals(wrong, []);
});

Deno.test("formatOf() tells pickles of every protocol and zips from safetensors", async () => {
  const legacy = latin1("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19\x2e\x80\x02\x4d\xe9\x03\x2e");
  assertEquals(formatOf(legacy), "pickle");
  assertEquals(
    formatOf(latin1("\x80\x04\x95\x0c\x00\x00\x00\x00\x7b\x7d\x94\x2e")),
    "pickle",
    "a frame's length, then a brace",
  );
  assertEquals(formatOf(await writeTorch({ epoch: 1 })), "zip");
  assertEquals(formatOf(latin1("\x50\x4b\x03\x04\x14\x00\x00\x00\x7b\x00")), "zip");
  assertEquals(formatOf(latin1("\x80\x01\x7d\x2e")), null);
  assertEquals(formatOf(new Uint8Array(0)), null);
});

Deno.test("weightsFormat() goes by the structure, then by the ending", async () => {
  const ask = (bytes: Bytes, path: string): Promise<WeightsFormat> => weightsFormat(toSource(bytes), path);
  for (const path of ["a.safetensors", "a.pth", "a.pth.tar", "a"]) {
    assertEquals(await ask(withHeader(0x80), path), "safetensors");
    assertEquals(await ask(withHeader(0x4b50), path), "safetensors");
    assertEquals(await ask(await writeTorch({}), path), "zip");
  }
  const damaged = withHeader(0x80).fill(0xfe, 7, 9);
  assertEquals(await ask(damaged, "a.safetensors"), "safetensors");
  for (const path of ["a", "a.pth"]) {
    await assertRejects(() => ask(damaged, path), SyntaxError, "got bytes 80 00 00 00 00 00 00 fe");
  }
});

Deno.test("weightsFormat() says what a file is that holds no weights, whatever it is called", async () => {
  for (
    const [text, what] of [
      ["\xff\xd8\xff\xe0\0\x10JFIF", "a JPEG picture"],
      ["\x89PNG\r\n\x1a\n", "a PNG picture"],
      ["\x1f\x8b\x08", "gzip (unpack it first)"],
      ["version https://git-lfs.github.com/spec/v1", "a pointer of Git LFS (git lfs pull brings the file)"],
      ["\n<!DOCTYPE html>", "a web page (a download that failed?)"],
      [`${"\0".repeat(257)}ustar`, "a tar archive (unpack it first)"],
      ["", "an empty file"],
    ] as const
  ) {
    for (const path of ["a.safetensors", "a.pth", "a.jpg"]) {
      await assertRejects(
        () => weightsFormat(toSource(latin1(text)), path),
        SyntaxError,
        `Cannot read weights as they must be safetensors or what torch.save() wrote: got ${what}`,
      );
    }
  }
});

Deno.test("contentOf() tells what is behind a prolog, however many parts it has", () => {
  // With a pattern of repeated parts that may each end at several places, these took 2^60 steps and more.
  for (const part of ["<?xml>", "<!---->", "<!DOCTYPE svg>", "<?xml> ", "<!-- > -->\n"]) {
    const many = part.repeat(Math.floor(500 / part.length));
    assertEquals(contentOf(latin1(`${many}x`)).startsWith(part.startsWith("<!D") ? "an SVG" : "bytes"), true, part);
    assertEquals(contentOf(latin1(`${many}<svg `)), "an SVG picture");
    if (part.startsWith("<!D")) continue;
    assertEquals(contentOf(latin1(`${many}<html>`)), "a web page (a download that failed?)");
  }
  for (
    const svg of [
      "<svg:svg xmlns:svg='a'>",
      '<!DOCTYPE svg [ <!ENTITY a "b"> ]>\n<svg>',
      "\xef\xbb\xbf <?xml?><!-- <html> --><svg>",
    ]
  ) {
    assertEquals(contentOf(latin1(svg)), "an SVG picture");
  }
  for (const other of ["<svgx>", "<!-- never closed", "<?xml", "<"]) {
    assertEquals(contentOf(latin1(other)).startsWith("bytes"), true, other);
  }
});

Deno.test("writeSafetensors() never begins like a pickle, a zip or zlib's data, and keeps tensors aligned", () => {
  const firsts = new Set<number>();
  const data = ndarray([2], "f32", new Float32Array([1, 2]));
  for (let length = 0; length < 2048; length++) {
    const bytes = writeSafetensors({ w: data }, { note: "x".repeat(length) });
    firsts.add(bytes[0]!);
    assertEquals(bytes.length % 8, 0);
    assertEquals(formatOf(concatBytes([bytes])), "safetensors");
  }
  assertEquals([0x28, 0x50, 0x78, 0x80].filter((byte) => firsts.has(byte)), []);
  assertEquals(firsts.size, 32 - 4, "every other multiple of 8 came up");
});
