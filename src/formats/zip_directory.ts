import { ByteReader } from "./byte_reader.ts";
import { CONTENT_BYTES, contentOf } from "./content.ts";
import type { Bytes } from "./dtype.ts";
import { quoted } from "./quoted.ts";
import { type ByteSource, readExactly } from "./source.ts";
import { memberName } from "./zip_names.ts";

/** One member of a zip file. */
export interface ZipEntry {
  /** Path of the member inside the file, with `/`. */
  name: string;
  /** Compression method. */
  method: "stored" | "deflated";
  /** Bytes, unpacked. */
  size: number;
  /** Bytes in the file. */
  packedSize: number;
  /** CRC-32 of the unpacked bytes. */
  crc: number;
  /** Offset of the local header. */
  offset: number;
  /** Symbolic link of Unix, its bytes being what it leads to. */
  link: boolean;
}

interface Span {
  count: number;
  size: number;
  offset: number;
  /** Bytes in front of the zip file, such as the program of one that extracts itself: places are counted after them. */
  before: number;
}

const END = 22; // bytes of the end record without its comment
const LOCATOR = 20;
const WIDE_END = 56; // of ZIP64
const MAX_COMMENT = 65535;
const UNIX = 3; // the system whose file modes are in the attributes

/** Reads the directory at the end of a zip file. */
export async function readDirectory(source: ByteSource): Promise<Map<string, ZipEntry>> {
  const span = await findDirectory(source);
  const reader = new ByteReader(await readExactly(source, "zip", span.offset, span.size), "zip");
  const entries = new Map<string, ZipEntry>();
  for (let i = 0; i < span.count; i++) {
    const entry = readEntry(reader);
    entry.offset += span.before;
    if (entries.has(entry.name)) throw unreadable("no name may come twice", quoted(entry.name, 200));
    entries.set(entry.name, entry);
  }
  if (reader.left > 0) throw unreadable(`the directory must hold ${span.count} members`, `${reader.left} bytes more`);
  checkOverlap(entries, span.offset);
  for (const name of entries.keys()) if (name.endsWith("/")) entries.delete(name);
  return entries;
}

async function findDirectory(source: ByteSource): Promise<Span> {
  const length = Math.min(source.size, END + MAX_COMMENT + LOCATOR);
  const start = source.size - length;
  const tail = await readExactly(source, "zip", start, length);
  const at = findEnd(tail);
  if (at < 0) throw await isNone(source);
  const reader = new ByteReader(tail.subarray(at + 4), "zip");
  const disks = [reader.u16(), reader.u16()];
  const span = { count: [reader.u16(), reader.u16()][1]!, size: reader.u32(), offset: reader.u32() };
  const wide = at >= LOCATOR && new ByteReader(tail.subarray(at - LOCATOR), "zip").u32() === 0x07064b50;
  if (wide) return await findWideDirectory(source, tail.subarray(at - LOCATOR, at), start + at - LOCATOR);
  if (disks.some((disk) => disk !== 0)) throw unreadable("the file must be in one part", `part ${disks[0]}`);
  return checkSpan(span, start + at);
}

async function isNone(source: ByteSource): Promise<SyntaxError> {
  const content = contentOf(await readExactly(source, "zip", 0, Math.min(source.size, CONTENT_BYTES)));
  const got = content.startsWith("a zip") ? "none" : content;
  return unreadable("it must end with a directory (is it a zip file, and whole?)", got);
}

/**
 * Finds the offset of the end record; -1 where there is none. It is the last one whose comment reaches the end of the
 * file, or the zeros that some tools fill it up with.
 */
function findEnd(tail: Bytes): number {
  const view = new DataView(tail.buffer, tail.byteOffset, tail.byteLength);
  const filled = tail.findLastIndex((byte) => byte !== 0) + 1;
  for (let at = tail.length - END; at >= 0; at--) {
    if (view.getUint32(at, true) !== 0x06054b50) continue;
    const end = at + END + view.getUint16(at + 20, true);
    if (end <= tail.length && end >= filled) return at;
  }
  return -1;
}

async function findWideDirectory(source: ByteSource, locator: Bytes, limit: number): Promise<Span> {
  const pointer = new ByteReader(locator.subarray(8), "zip").u64();
  let reader: ByteReader | null = null;
  let at = pointer;
  for (at of [pointer, limit - WIDE_END]) { // the latter where bytes are in front, which the pointer does not count
    if (at < 0 || at + WIDE_END > limit) continue;
    reader = new ByteReader(await readExactly(source, "zip", at, WIDE_END), "zip");
    if (reader.u32() === 0x06064b50) break;
    reader = null;
  }
  if (reader === null) throw unreadable(`a ZIP64 end record must be at ${pointer}`, "other bytes");
  reader.take(20 + 8);
  return checkSpan({ count: reader.u64(), size: reader.u64(), offset: reader.u64() }, at);
}

/** Checks that the directory lies right before the record that points to it, and has room for its members, of 46 bytes or more. */
function checkSpan(span: Omit<Span, "before">, end: number): Span {
  const before = end - span.size - span.offset;
  if (before < 0 || span.count * 46 > span.size) {
    throw unreadable(
      `the directory must end at ${end}`,
      `${span.count} members in ${span.size} bytes from ${span.offset}`,
    );
  }
  return { ...span, offset: span.offset + before, before };
}

function readEntry(reader: ByteReader): ZipEntry {
  const signature = reader.u32();
  if (signature !== 0x02014b50) throw unreadable("each member must begin with a header", `0x${signature.toString(16)}`);
  const system = reader.take(4)[1];
  const flags = reader.u16();
  const method = reader.u16();
  reader.take(4);
  const crc = reader.u32();
  const sizes = { packedSize: reader.u32(), size: reader.u32(), offset: 0 };
  const lengths = [reader.u16(), reader.u16(), reader.u16()] as const;
  reader.take(4);
  const attributes = reader.u32();
  sizes.offset = reader.u32();
  const [bytes, extra] = [reader.take(lengths[0]), reader.take(lengths[1])];
  reader.take(lengths[2]);
  const name = checkName(memberName(bytes, flags, extra).replaceAll("\\", "/")); // some write Windows' separator
  readWideSizes(new ByteReader(extra, "zip"), sizes);
  if (flags & 0x2041) throw unreadable("members must not be encrypted", quoted(name, 200));
  if (method !== 0 && method !== 8) {
    throw unreadable("members must be stored or deflated", `method ${method} in ${quoted(name, 200)}`);
  }
  if (method === 0 && sizes.size !== sizes.packedSize) {
    throw unreadable(
      "a stored member must have one size",
      `${sizes.packedSize} and ${sizes.size} in ${quoted(name, 200)}`,
    );
  }
  const link = system === UNIX && attributes >>> 28 === 0xa;
  return { name, method: method === 0 ? "stored" : "deflated", crc, link, ...sizes };
}

/** ZIP64: the extra field 1 holds those sizes, in this order, whose 32 bits are all set. */
function readWideSizes(extra: ByteReader, sizes: Pick<ZipEntry, "size" | "packedSize" | "offset">): void {
  while (extra.left >= 4) {
    const id = extra.u16();
    const field = new ByteReader(extra.take(extra.u16()), "zip");
    if (id !== 1) continue;
    for (const key of ["size", "packedSize", "offset"] as const) {
      if (sizes[key] === 0xffffffff) sizes[key] = field.u64();
    }
  }
}

function checkName(name: string): string {
  const escapes = name === "" || name.startsWith("/") || /\0|^[a-zA-Z]:/.test(name) ||
    name.split("/").includes("..");
  if (escapes) throw unreadable("names must stay inside a folder", quoted(name, 200));
  return name;
}

/** Members that share bytes would let a small file unpack to any size. */
function checkOverlap(entries: ReadonlyMap<string, ZipEntry>, end: number): void {
  let free = 0;
  for (const { name, offset, packedSize } of [...entries.values()].toSorted((a, b) => a.offset - b.offset)) {
    if (offset < free) throw unreadable("members must not overlap", `${quoted(name, 200)} at ${offset} before ${free}`);
    free = offset + 30 + packedSize;
  }
  if (free > end) throw unreadable(`members must end before the directory at ${end}`, `one that ends at ${free}`);
}

function unreadable(rule: string, got: string): SyntaxError {
  return new SyntaxError(`Cannot read zip as ${rule}: got ${got}`);
}
