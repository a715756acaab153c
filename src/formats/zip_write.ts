import { crc32 } from "./crc32.ts";
import { deflate } from "./deflate.ts";
import type { Bytes } from "./dtype.ts";
import { concatBytes } from "./source.ts";

/** One member to write. */
export interface ZipMember {
  /** Path of the member inside the file, with `/`. */
  name: string;
  /** Bytes of the member. */
  bytes: Bytes;
}

/** One member to write whose bytes are not in memory at once; it is not packed. */
export interface ZipStream {
  /** Path of the member inside the file, with `/`. */
  name: string;
  /** Number of bytes. */
  size: number;
  /** Yields the bytes piece by piece; called twice, first for their checksum. */
  chunks(): AsyncIterable<Bytes>;
}

/** Options of writing a zip file. */
export interface ZipWriteOptions {
  /** Whether to pack members with deflate. Default: false. */
  compressed?: boolean;
  /** Whether to use ZIP64 records even where the sizes do not ask for them. Default: false. */
  zip64?: boolean;
  /** Members' bytes begin at multiples of this many bytes. Default: 1. */
  align?: number;
}

interface Member {
  name: Bytes;
  method: 0 | 8;
  crc: number;
  packedSize: number;
  size: number;
  offset: number;
}

const MAX_32 = 0xffffffff;
const MAX_16 = 0xffff;
const UTF8_NAMES = 0x800;
const FIRST_OF_1980 = 0x21; // the format's earliest date: the same members give the same bytes on any day

/** Writes a zip file: the same members give the same bytes. */
export async function writeZip(members: Iterable<ZipMember>, options: ZipWriteOptions = {}): Promise<Bytes> {
  const chunks: Bytes[] = [];
  for await (const chunk of zipChunks(members, options)) chunks.push(chunk);
  return concatBytes(chunks);
}

/** The bytes of {@linkcode writeZip} piece by piece, one member at a time or less, for large files. */
export async function* zipChunks(
  members: Iterable<ZipMember | ZipStream>,
  options: ZipWriteOptions = {},
): AsyncGenerator<Bytes, void> {
  const written = new Map<string, Member>();
  let offset = 0;
  for (const each of members) {
    const { name } = each;
    if (written.has(name)) throw new TypeError(`Cannot run writeZip() as names must differ: got "${name}" twice`);
    const { chunks, ...rest } = "bytes" in each ? await whole(each, options) : await streamed(each);
    const member: Member = { name: new TextEncoder().encode(name), offset, ...rest };
    const header = localHeader(member, options);
    yield header;
    yield* chunks();
    offset += header.length + member.packedSize;
    written.set(name, member);
  }
  yield* directory([...written.values()], offset, options.zip64 ?? false);
}

type Content = Pick<Member, "method" | "crc" | "packedSize" | "size"> & {
  chunks(): Iterable<Bytes> | AsyncIterable<Bytes>;
};

async function whole({ bytes }: ZipMember, { compressed }: ZipWriteOptions): Promise<Content> {
  const packed = compressed ? await deflate(bytes) : bytes;
  const method = compressed ? 8 : 0;
  return { method, crc: crc32(bytes), packedSize: packed.length, size: bytes.length, chunks: () => [packed] };
}

async function streamed({ name, size, chunks }: ZipStream): Promise<Content> {
  let [crc, length] = [0, 0];
  for await (const chunk of chunks()) {
    crc = crc32(chunk, crc);
    length += chunk.length;
  }
  if (length === size) return { method: 0, crc, packedSize: size, size, chunks };
  throw new RangeError(`Cannot run writeZip() as "${name}" must have ${size} bytes: got ${length}`);
}

/** Little-endian fields as `[bytes, value]`. */
function fields(list: readonly (readonly [size: 2 | 4 | 8, value: number])[]): Bytes {
  const bytes = new Uint8Array(list.reduce((sum, [size]) => sum + size, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [size, value] of list) {
    if (size === 2) view.setUint16(at, value, true);
    else if (size === 4) view.setUint32(at, value, true);
    else view.setBigUint64(at, BigInt(value), true);
    at += size;
  }
  return bytes;
}

function isWide({ size, packedSize, offset }: Member, zip64 = false): boolean {
  return zip64 || Math.max(size, packedSize, offset) >= MAX_32;
}

/** The fields that both headers of a member share; all sizes move to the ZIP64 field when one of them does. */
function common(member: Member, wide: boolean, extra: number): (readonly [2 | 4, number])[] {
  const version = wide ? 45 : 20;
  const sizes = wide ? [MAX_32, MAX_32] as const : [member.packedSize, member.size] as const;
  return [
    [2, version],
    [2, UTF8_NAMES],
    [2, member.method],
    [2, 0],
    [2, FIRST_OF_1980],
    [4, member.crc],
    [4, sizes[0]],
    [4, sizes[1]],
    [2, member.name.length],
    [2, extra],
  ];
}

function localHeader(member: Member, { zip64, align = 1 }: ZipWriteOptions): Bytes {
  const wide = isWide(member, zip64);
  const sizes = wide ? fields([[2, 1], [2, 16], [8, member.size], [8, member.packedSize]]) : new Uint8Array(0);
  const padding = paddingField(member.offset + 30 + member.name.length + sizes.length, align);
  const fixed = fields([[4, 0x04034b50], ...common(member, wide, sizes.length + padding.length)]);
  return concatBytes([fixed, member.name, sizes, padding]);
}

/** An extra field (of PyTorch's kind, "FB") that moves the byte after it to a multiple of `align`. */
function paddingField(at: number, align: number): Bytes {
  if (at % align === 0) return new Uint8Array(0);
  const length = align - (at + 4) % align;
  return concatBytes([fields([[2, 0x4246], [2, length]]), new Uint8Array(length)]);
}

function* directory(members: readonly Member[], start: number, zip64: boolean): Generator<Bytes, void> {
  let size = 0;
  for (const member of members) {
    const wide = isWide(member, zip64);
    const { size: unpacked, packedSize, offset } = member;
    const extra = wide ? fields([[2, 1], [2, 24], [8, unpacked], [8, packedSize], [8, offset]]) : new Uint8Array(0);
    const head = fields([[4, 0x02014b50], [2, wide ? 45 : 20], ...common(member, wide, extra.length)]);
    const rest = fields([[2, 0], [2, 0], [2, 0], [4, 0], [4, wide ? MAX_32 : offset]]);
    const record = concatBytes([head, rest, member.name, extra]);
    size += record.length;
    yield record;
  }
  const count = members.length;
  const end = start + size;
  const wide = zip64 || count >= MAX_16 || Math.max(start, size) >= MAX_32;
  if (wide) {
    yield fields([[4, 0x06064b50], [8, 44], [2, 45], [2, 45], [4, 0], [4, 0], [8, count], [8, count], [8, size], [
      8,
      start,
    ]]);
    yield fields([[4, 0x07064b50], [4, 0], [8, end], [4, 1]]);
  }
  const narrow = wide ? [MAX_16, MAX_32, MAX_32] as const : [count, size, start] as const;
  yield fields([[4, 0x06054b50], [2, 0], [2, 0], [2, narrow[0]], [2, narrow[0]], [4, narrow[1]], [4, narrow[2]], [
    2,
    0,
  ]]);
}
