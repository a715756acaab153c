import { pipeline, Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { FileSource } from "../../formats/mod.ts";
import { isTarHeader } from "./_tar.ts";

/** Formats that are told by their first bytes. */
const MAGIC = {
  gzip: [0x1f, 0x8b],
  xz: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00],
  bzip2: [0x42, 0x5a, 0x68],
  zstd: [0x28, 0xb5, 0x2f, 0xfd],
  zip: [0x50, 0x4b, 0x03, 0x04],
  "7z": [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c],
  rar: [0x52, 0x61, 0x72, 0x21],
  lzma: [0x5d, 0x00, 0x00],
} as const;

/** Code of a checksum in an xz file's second flag. */
const XZ_SHA256 = 10;

type Packing = keyof typeof MAGIC;

/** Commands that unpack what is not unpacked here. */
const COMMANDS: Partial<Record<Packing, string>> = {
  bzip2: "bunzip2",
  zstd: "unzstd",
  zip: "unzip",
  "7z": "7z x",
  rar: "unrar x",
  lzma: "unlzma",
};

/**
 * Opens a file and unpacks it where it is gzip (of several members too, with zeros behind) or xz, whatever it is
 * called.
 *
 * @throws {SyntaxError} If it is packed in another way; the message says how to unpack it. So does the stream when the file is
 *   cut off or damaged.
 */
export async function openPacked(path: string): Promise<ReadableStream<Uint8Array>> {
  const packing = await packingOf(path);
  if (packing !== null && COMMANDS[packing]) {
    throw new SyntaxError(
      `Cannot read "${path}" as a tar archive must be packed with gzip or xz here: got ${packing}; unpack it with ` +
        `${COMMANDS[packing]} "${path}"`,
    );
  }
  if (packing === "xz") await checkXz(path);
  const { readable } = await Deno.open(path); // the stream closes it
  if (packing === null) return readable;
  return ReadableStream.from(explained(path, packing === "gzip" ? gunzip(readable) : await unxz(readable)));
}

/** Finds how a tar archive is packed; null where it is not: a name such as `BZh.jpg` stands at its start, and tells nothing. */
async function packingOf(path: string): Promise<Packing | null> {
  using file = new FileSource(path);
  const start = await file.read(0, Math.min(file.size, 512));
  if (isTarHeader(start)) return null;
  const names = Object.keys(MAGIC) as Packing[];
  return names.find((name) => MAGIC[name].every((byte, i) => start[i] === byte)) ?? null;
}

/** Checks what is behind the magic number of an xz file: the unpacker takes no checksum or CRCs, but not SHA-256. */
async function checkXz(path: string): Promise<void> {
  using file = new FileSource(path);
  const [, kind] = await file.read(6, Math.min(file.size - 6, 2));
  if (kind !== XZ_SHA256) return;
  throw new SyntaxError(
    `Cannot read "${path}" as an xz file must be checked by a CRC here: got SHA-256; unpack it with unxz "${path}"`,
  );
}

/** Decompresses gzip of several members: `DecompressionStream` takes one, and nothing behind it. */
function gunzip(packed: ReadableStream<Uint8Array>): AsyncIterable<Uint8Array> {
  const source = Readable.fromWeb(packed as Parameters<typeof Readable.fromWeb>[0]);
  return pipeline(source, createGunzip(), () => {}); // an error reaches whoever reads
}

async function unxz(packed: ReadableStream<Uint8Array>): Promise<AsyncIterable<Uint8Array>> {
  type Module = typeof import("xz-decompress");
  const module = await import("xz-decompress") as Module & { default?: Module };
  const { XzReadableStream } = module.default ?? module;
  return new XzReadableStream(packed) as ReadableStream<Uint8Array>;
}

/** The error of an unpacker says neither which file nor that it is damaged. */
async function* explained(path: string, chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* chunks;
  } catch (cause) {
    throw new SyntaxError(`Cannot read "${path}": the archive is cut off or damaged`, { cause });
  }
}
