import { ByteReader } from "./byte_reader.ts";
import { crc32 } from "./crc32.ts";
import { inflate } from "./deflate.ts";
import type { Bytes } from "./dtype.ts";
import { quoted } from "./quoted.ts";
import { type ByteSource, type Readable, readExactly, toSource } from "./source.ts";
import { readDirectory, type ZipEntry } from "./zip_directory.ts";

export type { ZipEntry } from "./zip_directory.ts";

/** Options of reading a zip file. */
export interface ZipOptions {
  /** The largest size, in bytes unpacked, of one member. Default: 2³³ (8 GiB). */
  maxBytes?: number;
  /** Whether to compare checksums. Default: true. */
  checkCrc?: boolean;
}

/** Largest number of bytes that Deflate gives for one; a member that claims more is a bomb or damaged. */
const MAX_RATIO = 1032;

/** A zip file, open for reading members in any order. Made by {@linkcode openZip}. */
export class ZipReader {
  /** The members by name; directories are left out. */
  readonly entries: ReadonlyMap<string, ZipEntry>;
  readonly #source: ByteSource;
  readonly #maxBytes: number;
  readonly #checkCrc: boolean;

  /** Takes what {@linkcode openZip} found. */
  constructor(source: ByteSource, entries: ReadonlyMap<string, ZipEntry>, options: ZipOptions = {}) {
    this.entries = entries;
    this.#source = source;
    this.#maxBytes = options.maxBytes ?? 2 ** 33;
    this.#checkCrc = options.checkCrc ?? true;
  }

  /**
   * Reads one member, unpacked. A stored member of a zip in memory shares that memory.
   *
   * @throws {RangeError} If there is no such member, or it is larger than `maxBytes`.
   * @throws {SyntaxError} If the member is damaged.
   */
  async read(name: string): Promise<Bytes> {
    const entry = this.entries.get(name);
    if (!entry) {
      throw new RangeError(`Cannot read a zip member as its name must be in the file: got ${quoted(name, 200)}`);
    }
    if (!(entry.size <= this.#maxBytes)) { // NaN is no bound
      throw new RangeError(
        `Cannot read ${quoted(name, 200)} as maxBytes is ${this.#maxBytes}: it unpacks to ${entry.size} bytes`,
      );
    }
    const packed = await readExactly(this.#source, quoted(name, 200), await this.#dataOffset(entry), entry.packedSize);
    const bytes = entry.method === "stored" ? packed : await unpack(packed, entry);
    if (this.#checkCrc && crc32(bytes) !== entry.crc) {
      throw new SyntaxError(
        `Cannot read ${quoted(name, 200)} as its checksum must be ${hex(entry.crc)} (or checkCrc false): got ${
          hex(crc32(bytes))
        }`,
      );
    }
    return bytes;
  }

  /** Finds where a member's bytes begin: after its local header, whose name and extra field have their own lengths. */
  async #dataOffset(entry: ZipEntry): Promise<number> {
    const header = new ByteReader(await readExactly(this.#source, quoted(entry.name, 200), entry.offset, 30), "zip");
    const signature = header.u32();
    header.take(22);
    const names = header.u16() + header.u16();
    if (signature !== 0x04034b50) {
      throw new SyntaxError(
        `Cannot read ${quoted(entry.name, 200)} as a local header must be at ${entry.offset}: got ${hex(signature)}`,
      );
    }
    return entry.offset + 30 + names;
  }
}

function unpack(packed: Bytes, entry: ZipEntry): Promise<Bytes> {
  if (entry.size > packed.length * MAX_RATIO) {
    throw new SyntaxError(
      `Cannot read ${
        quoted(entry.name, 200)
      } as deflate unpacks at most ${MAX_RATIO} to 1: got ${packed.length} bytes for ${entry.size}`,
    );
  }
  return inflate([packed], { size: entry.size, what: quoted(entry.name, 200) });
}

function hex(value: number): string {
  return `0x${value.toString(16).padStart(8, "0")}`;
}

/**
 * Opens a zip file: reads its directory, and no member yet.
 *
 * Stored and deflated members and ZIP64 are read. Encrypted members, other methods, names that would escape a folder,
 * names that come twice and members that overlap are refused.
 *
 * @throws {SyntaxError} If the directory is missing, damaged or refused.
 * @see The format: PKWARE's APPNOTE.TXT
 */
export async function openZip(readable: Readable, options: ZipOptions = {}): Promise<ZipReader> {
  const source = toSource(readable);
  return new ZipReader(source, await readDirectory(source), options);
}
