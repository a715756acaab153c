import type { Bytes } from "./dtype.ts";
import type { NamedArrays, NdArray, StringArray } from "./ndarray.ts";
import { namedEntries } from "./ndarray.ts";
import { readNpy, writeNpy } from "./npy.ts";
import { quoted, quotedSome } from "./quoted.ts";
import { concatBytes, type Readable } from "./source.ts";
import { openZip } from "./zip.ts";
import { zipChunks, type ZipMember } from "./zip_write.ts";
import { checkOptions } from "../checks/internal.ts";

/** Names of members that macOS adds to a zip file, which are no arrays. */
const MACOS = /^__MACOSX\/|(^|\/)(\._[^/]*|\.DS_Store)$/;
/** Members that people add. */
const NOTES = /(^|\/)(readme|licen[cs]e)[^/]*$|\.(txt|md|json)$/i;

function isOther(name: string): boolean {
  return MACOS.test(name) || !name.endsWith(".npy") && NOTES.test(name);
}

/** Options of reading a `.npz` file. */
export interface NpzOptions {
  /** The names to read; the others are skipped. Default: all. */
  names?: readonly string[];
  /** The largest size, in bytes unpacked, of what is read together. Default: 2³³ (8 GiB). */
  maxBytes?: number;
}

/** Options of writing a `.npz` file. */
export interface NpzWriteOptions {
  /** Whether to pack the arrays, as `numpy.savez_compressed` does. Default: false. */
  compressed?: boolean;
}

/**
 * Reads a `.npz` file, as `numpy.savez` and `numpy.savez_compressed` write it.
 *
 * @param readable The whole file, or a source that is read where needed.
 * @param options Which arrays to read, and how large they may be.
 * @returns The arrays by name, in the order of the file.
 * @throws {SyntaxError} If the file is damaged or holds what {@linkcode readNpy} refuses.
 * @throws {RangeError} If a name is missing, or the arrays take more than `maxBytes`.
 *
 * @example Usage
 * ```ts
 * import { readNpz, writeNpz } from "@decoupled/uniformity/formats";
 * import { assertEquals } from "@std/assert";
 *
 * const prior = { shape: [2, 3], dtype: "f32", data: new Float32Array([1, 0, 0, 0, 1, 0]) } as const;
 * const arrays = await readNpz(await writeNpz({ prior }, { compressed: true }));
 * assertEquals(arrays.get("prior"), { shape: [2, 3], dtype: "f32", data: prior.data });
 * ```
 */
export async function readNpz(
  readable: Readable,
  options: NpzOptions = {},
): Promise<Map<string, NdArray | StringArray>> {
  checkOptions("readNpz()", options, ["names", "maxBytes"]);
  const zip = await openZip(readable);
  const arraysOnly = [...zip.entries.values()].filter(({ name }) => !isOther(name));
  const members = new Map(arraysOnly.map((entry) => [entry.name.replace(/\.npy$/, ""), entry]));
  if (members.size < arraysOnly.length) {
    const names = quotedSome(arraysOnly.map(({ name }) => name));
    throw new SyntaxError(`Cannot read npz as its arrays must have names of their own: got ${names}`);
  }
  const wanted = (options.names ?? [...members.keys()]).map((name) => {
    const entry = members.get(name);
    if (entry) return { name, entry };
    throw new RangeError(`Cannot read npz as it has no array ${quoted(name)}: got ${quotedSome(members.keys())}`);
  });
  const maxBytes = options.maxBytes ?? 2 ** 33;
  const total = wanted.reduce((sum, { entry }) => sum + entry.size, 0);
  if (!(total <= maxBytes)) { // NaN is no bound
    throw new RangeError(`Cannot read npz as maxBytes is ${maxBytes}: it unpacks to ${total} bytes`);
  }
  const arrays = new Map<string, NdArray | StringArray>();
  for (const { name, entry } of wanted) arrays.set(name, readNpy(await zip.read(entry.name), quoted(entry.name, 200)));
  return arrays;
}

/**
 * Writes a `.npz` file, which `numpy.load` reads. The same arrays give the same bytes.
 *
 * @param arrays Arrays of numbers or strings by name.
 * @param options Whether to pack them.
 * @throws {TypeError} If an array is bfloat16, or does not fill its shape.
 *
 * @example Usage
 * ```ts
 * import { writeNpz } from "@decoupled/uniformity/formats";
 * import { assertEquals } from "@std/assert";
 *
 * const labels = { shape: [3], dtype: "i32", data: new Int32Array([4, 5, 6]) } as const;
 * const bytes = await writeNpz({ labels });
 * assertEquals(String.fromCharCode(...bytes.subarray(0, 2)), "PK"); // a zip file
 * ```
 */
export async function writeNpz(
  arrays: NamedArrays<NdArray | StringArray>,
  options: NpzWriteOptions = {},
): Promise<Bytes> {
  checkOptions("writeNpz()", options, ["compressed"]);
  return concatBytes(await Array.fromAsync(npzChunks(arrays, options)));
}

/** The bytes of {@linkcode writeNpz} piece by piece, one array at a time, for large files. */
export function npzChunks(
  arrays: NamedArrays<NdArray | StringArray>,
  options: NpzWriteOptions = {},
): AsyncGenerator<Bytes, void> {
  checkOptions("run npzChunks()", options, ["compressed"]);
  return zipChunks(npyMembers(arrays), { compressed: options.compressed, align: 64 });
}

function* npyMembers(arrays: NamedArrays<NdArray | StringArray>): Generator<ZipMember, void> {
  for (const [name, array] of namedEntries(arrays)) yield { name: `${name}.npy`, bytes: writeNpy(array) };
}
