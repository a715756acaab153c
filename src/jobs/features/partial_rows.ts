import { concatBytes, crc32 } from "../../formats/internal.ts";

/** Identity of rows: work is continued only where all of it is the same. */
export interface RowsOf {
  /** The encoder. */
  readonly encoder: string;
  /** The images: name, split and a checksum of their names. */
  readonly images: string;
  /** Number of images. */
  readonly length: number;
}

const HEAD = 4096;
/** Bytes that are read at once. */
const CHUNK = 2 ** 22;

/**
 * Rows of features that are written as they come, so that work which was stopped goes on: a head of 4096 bytes (JSON,
 * the width of a row with it), then float32 rows, little-endian, each with its CRC-32 behind it.
 */
export class PartialRows implements Disposable {
  #count = 0;
  #dim = 0;
  readonly #path: string;
  readonly #file: Deno.FsFile;
  readonly #of: RowsOf;

  private constructor(path: string, file: Deno.FsFile, of: RowsOf) {
    this.#path = path;
    this.#file = file;
    this.#of = of;
  }

  /**
   * Opens the rows that are there, or begins anew.
   *
   * @throws {TypeError} If they are of other images or another encoder.
   * @throws {SyntaxError} If the file is something else.
   * @throws {Deno.errors.NotFound} If its folder is absent.
   */
  static async open(path: string, of: RowsOf): Promise<PartialRows> {
    const file = await Deno.open(path, { read: true, write: true, create: true }).catch((cause) => {
      if (!(cause instanceof Deno.errors.NotFound || cause instanceof Deno.errors.NotADirectory)) throw cause;
      throw new Deno.errors.NotFound(`Cannot write "${path}" as its folder is not there`, { cause });
    });
    const rows = new PartialRows(path, file, of);
    try {
      await rows.#goOn();
      return rows;
    } catch (error) {
      rows[Symbol.dispose]();
      throw error;
    }
  }

  async #goOn(): Promise<void> {
    const { size } = await this.#file.stat();
    if (size < HEAD) return await this.#file.truncate(0);
    const head = await this.#read(0, HEAD);
    const { dim, checksums: _, ...of } = parseHead(head, this.#path);
    const [there, now] = [of, this.#of].map((each) => JSON.stringify(each));
    if (there !== now) {
      throw new TypeError(
        `Cannot go on with "${this.#path}" as it was begun with other images or another encoder: got ${now}, there ` +
          `${there}; remove it to begin anew`,
      );
    }
    this.#dim = dim;
    this.#count = await this.#wholeRows(Math.min(of.length, Math.floor((size - HEAD) / this.#stride)));
    await this.#file.truncate(HEAD + this.#stride * this.#count);
  }

  /** Number of rows before the first that does not fit its checksum: a crash may leave what was never written. */
  async #wholeRows(count: number): Promise<number> {
    let whole = 0;
    for await (const rows of this.#rows(count)) {
      for (const { bytes, checksum } of rows) {
        if (crc32(bytes) !== checksum) return whole;
        whole++;
      }
    }
    return whole;
  }

  /** Bytes of a row and its checksum. */
  get #stride(): number {
    return 4 * this.#dim + 4;
  }

  /**
   * Leaves out the rows of a last batch that is not whole: then the batches that follow, and the last bits of their
   * features, are those of a run that nothing stopped.
   */
  async keepWholeBatches(size: number): Promise<void> {
    const more = this.#count < this.#of.length ? this.#count % size : 0;
    if (more === 0) return;
    this.#count -= more;
    await this.#file.truncate(HEAD + this.#stride * this.#count);
  }

  /** Rows that are there. */
  get count(): number {
    return this.#count;
  }

  /** Features a row; 0 before the first. */
  get dim(): number {
    return this.#dim;
  }

  /**
   * Adds rows `[n, dim]`.
   *
   * @throws {TypeError} If the width is not that of the rows before.
   * @throws {RangeError} If a value is NaN or infinite.
   */
  async add(data: Float32Array<ArrayBuffer>, dim: number): Promise<void> {
    if (this.#count === 0) this.#dim = dim;
    this.#check(data, dim);
    if (this.#count === 0) {
      const head = JSON.stringify({ ...this.#of, dim, checksums: true }).padEnd(HEAD - 1) + "\n";
      await this.#write(0, new TextEncoder().encode(head));
    }
    await this.#write(HEAD + this.#stride * this.#count, withChecksums(data, dim));
    this.#count += data.length / dim;
  }

  #check(data: Float32Array, dim: number): void {
    if (dim !== this.#dim || data.length % dim !== 0) {
      throw new TypeError(
        `Cannot add features as a row must have ${this.#dim} values: got ${data.length} values of width ${dim}`,
      );
    }
    const bad = data.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) {
      throw new RangeError(
        `Cannot add features as they must be finite: got ${data[bad]} for image ${this.#count + Math.floor(bad / dim)}`,
      );
    }
  }

  /** Yields all rows piece by piece, as bytes of float32 values, little-endian. */
  async *chunks(): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    for await (const rows of this.#rows(this.#count)) yield concatBytes(rows.map(({ bytes }) => bytes));
  }

  /** Reads the first rows, as many at a time as a chunk has room for. */
  async *#rows(count: number): AsyncGenerator<{ bytes: Uint8Array<ArrayBuffer>; checksum: number }[]> {
    const [stride, most] = [this.#stride, Math.max(1, Math.floor(CHUNK / this.#stride))];
    for (let first = 0; first < count; first += most) {
      const length = Math.min(most, count - first);
      const chunk = await this.#read(HEAD + stride * first, stride * length);
      const view = new DataView(chunk.buffer);
      yield Array.from({ length }, (_, i) => ({
        bytes: chunk.subarray(stride * i, stride * (i + 1) - 4),
        checksum: view.getUint32(stride * (i + 1) - 4, true),
      }));
    }
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    this.#file.close();
  }

  async #read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = new Uint8Array(length);
    await this.#fill(offset, bytes);
    return bytes;
  }

  async #fill(offset: number, bytes: Uint8Array): Promise<void> {
    await this.#file.seek(offset, Deno.SeekMode.Start);
    for (let done = 0; done < bytes.length;) {
      const count = await this.#file.read(bytes.subarray(done));
      if (count === null) throw new SyntaxError(`Cannot read "${this.#path}" as it ends early`);
      done += count;
    }
  }

  async #write(offset: number, bytes: Uint8Array): Promise<void> {
    await this.#file.seek(offset, Deno.SeekMode.Start);
    for (let done = 0; done < bytes.length;) done += await this.#file.write(bytes.subarray(done));
  }
}

function withChecksums(data: Float32Array<ArrayBuffer>, dim: number): Uint8Array<ArrayBuffer> {
  const rows = Array.from(
    { length: data.length / dim },
    (_, i) => new Uint8Array(data.buffer, data.byteOffset + 4 * dim * i, 4 * dim),
  );
  return concatBytes(rows.flatMap((row) => [row, new Uint8Array(Uint32Array.of(crc32(row)).buffer)]));
}

function parseHead(bytes: Uint8Array, path: string): RowsOf & { dim: number; checksums: true } {
  try {
    const head = JSON.parse(new TextDecoder().decode(bytes));
    if (Number.isInteger(head.dim) && head.dim > 0 && head.checksums === true) return head;
  } catch {
    // told below
  }
  throw new SyntaxError(`Cannot go on with "${path}" as it is no file of features that was begun here: remove it`);
}
