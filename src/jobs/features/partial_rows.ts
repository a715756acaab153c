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
 * the width of a row with it), then float32 rows, little-endian.
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
   */
  static async open(path: string, of: RowsOf): Promise<PartialRows> {
    const rows = new PartialRows(path, await Deno.open(path, { read: true, write: true, create: true }), of);
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
    const { dim, ...of } = parseHead(head, this.#path);
    const [there, now] = [of, this.#of].map((each) => JSON.stringify(each));
    if (there !== now) {
      throw new TypeError(
        `Cannot go on with "${this.#path}" as it was begun with other images or another encoder: got ${now}, there ` +
          `${there}; remove it to begin anew`,
      );
    }
    this.#dim = dim;
    this.#count = Math.min(of.length, Math.floor((size - HEAD) / (4 * dim)));
    await this.#file.truncate(HEAD + 4 * dim * this.#count);
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
      const head = JSON.stringify({ ...this.#of, dim }).padEnd(HEAD - 1) + "\n";
      await this.#write(0, new TextEncoder().encode(head));
    }
    await this.#write(HEAD + 4 * dim * this.#count, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
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
    const end = HEAD + 4 * this.#dim * this.#count;
    for (let at = HEAD; at < end; at += CHUNK) yield await this.#read(at, Math.min(CHUNK, end - at));
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

function parseHead(bytes: Uint8Array, path: string): RowsOf & { dim: number } {
  try {
    const head = JSON.parse(new TextDecoder().decode(bytes));
    if (Number.isInteger(head.dim) && head.dim > 0) return head;
  } catch {
    // told below
  }
  throw new SyntaxError(`Cannot go on with "${path}" as it is no file of features that was begun here: remove it`);
}
