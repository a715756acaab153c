import type { Bytes } from "./dtype.ts";
import { ByteReader, decodeUtf8 } from "./byte_reader.ts";
import { CONTENT_BYTES, contentOf } from "./content.ts";
import { formatOf } from "./file_format.ts";
import { unpickle, unpickleNext } from "./pickle.ts";
import { chainGlobals, pythonGlobals, stubGlobals } from "./pickle_globals.ts";
import { numpyGlobals } from "./pickle_numpy.ts";
import type { PickleOptions } from "./pickle_machine.ts";
import type { PickleValue } from "./pickle_values.ts";
import { quoted, quotedSome } from "./quoted.ts";
import { type ByteSource, type Readable, readExactly, toSource } from "./source.ts";
import { loadStorage, torchGlobals } from "./torch_globals.ts";
import { keepTensors } from "./torch_keep.ts";
import { readLegacyStorages, readPreamble } from "./torch_legacy.ts";
import { TorchTensors } from "./torch_tensors.ts";
import { openZip, type ZipReader } from "./zip.ts";
import { checkOptions } from "../checks/internal.ts";

/** Options of reading a PyTorch file. */
export interface TorchOptions {
  /**
   * Beginnings of `module.name` whose classes become inert objects, for example `["omegaconf.", "typing."]` for a Lightning
   * checkpoint with a configuration inside. Default: none; a class that is not known stops the reading, and is named.
   */
  stubs?: readonly string[];
  /**
   * Filter of the tensors to read, by their path (`"state_dict.fc.weight"`); the others are left out of the result, and
   * their bytes are not read. Default: all.
   */
  keep?: (path: string) => boolean;
  /** Whether to compare the checksums of the file's zip. Default: true. */
  checkCrc?: boolean;
  /** A bound, in bytes, on the storages and on what tensors take beyond them. Default: 8 times the file, 1 GiB or more. */
  maxBytes?: number;
}

/**
 * Reads what `torch.save` wrote: checkpoints `.pth`, `.pt`, `.pth.tar`, Lightning's `.ckpt`, in the zip format (PyTorch 1.6 or
 * later) and the one before it. Nothing in the file is executed.
 *
 * Tensors come as arrays in PyTorch's own layout (`[out, in, kh, kw]`, `[out, in]`), on the CPU, whatever device they were on;
 * parameters are plain tensors. Tensors that share a storage share memory. Dicts come as `Map`s. Complex, quantised, sparse
 * and 8-bit tensors are not read: a {@linkcode PickleOpaque} that says what it was stands in the place of each.
 *
 * @param readable The whole file, or a source that is read where needed.
 * @param options Unknown classes, which tensors to read, bounds.
 * @returns The object that was saved.
 * @throws {SyntaxError} If the file is damaged, or mentions a class or function that is not allowed (the message names it).
 * @throws {RangeError} If its tensors take more than `maxBytes`.
 *
 * @example Usage
 * ```ts
 * import { readTorch, stateDict, writeTorch } from "@decoupled/uniformity/formats";
 * import { assertEquals } from "@std/assert";
 *
 * const bias = { shape: [2], dtype: "f32", data: new Float32Array([1, 2]) } as const;
 * const checkpoint = await readTorch(await writeTorch({ epoch: 3, state_dict: { "module.fc.bias": bias } }));
 * const weights = stateDict(checkpoint, { prefixes: ["module."] });
 * assertEquals(weights.get("fc.bias")?.data, bias.data);
 * ```
 */
export async function readTorch(readable: Readable, options: TorchOptions = {}): Promise<PickleValue> {
  checkOptions("readTorch()", options, ["stubs", "keep", "checkCrc", "maxBytes"]);
  const source = toSource(readable);
  const start = await readExactly(source, "a PyTorch file", 0, Math.min(CONTENT_BYTES, source.size));
  const maxBytes = options.maxBytes ?? Math.max(2 ** 30, 8 * source.size);
  const tensors = new TorchTensors(maxBytes);
  const pickle: PickleOptions = {
    globals: chainGlobals(torchGlobals(tensors), pythonGlobals, numpyGlobals, stubGlobals(options.stubs ?? []), refuse),
    persistentLoad: (id) => tensors.add(loadStorage(id)),
    ...options.maxBytes! > PICKLE_BYTES ? { maxBytes: options.maxBytes } : {},
  };
  const job = { source, tensors, pickle, options: { ...options, maxBytes } };
  const format = formatOf(start);
  if (format === "zip") return await readZipFormat(job);
  if (format === "pickle") return await readLegacyFormat(job);
  const got = format === "safetensors" ? "a safetensors file" : contentOf(start);
  throw new SyntaxError(`Cannot read a PyTorch file as it must be a zip or a pickle: got ${got}`);
}

function refuse(module: string, name: string): never {
  throw new SyntaxError(
    `Cannot read a PyTorch file as ${quoted(`${module}.${name}`, 200)} is not known here: ` +
      "save the weights alone, torch.save(model.state_dict(), path), or name it in readTorch()'s stubs",
  );
}

/** Bytes that the values of a pickle may take in any case: enough for tens of thousands of tensors. */
const PICKLE_BYTES = 2 ** 28;

/** Largest pickle that may be packed, in bytes: packed, a larger one is no one's checkpoint. */
const MAX_PICKLE = 2 ** 28;

interface Job {
  source: ByteSource;
  tensors: TorchTensors;
  pickle: PickleOptions;
  options: TorchOptions & { maxBytes: number };
}

async function readZipFormat({ source, tensors, pickle, options }: Job): Promise<PickleValue> {
  const zip = await openZip(source, options);
  const root = findRoot(zip);
  const main = zip.entries.get(`${root}data.pkl`)!;
  checkRoom("its data.pkl", main.size, Math.max(MAX_PICKLE, main.packedSize));
  const value = unpickle(await zip.read(main.name), pickle);
  const wanted = keepTensors(value, tensors, options.keep);
  const littleEndian = await readByteOrder(zip, root);
  const storages = new Map<string, Bytes>();
  let total = 0;
  for (const key of tensors.keysOf(wanted)) {
    const name = `${root}data/${key}`;
    const entry = zip.entries.get(name);
    if (!entry) {
      throw new SyntaxError(`Cannot read a PyTorch file as it must hold ${quoted(name, 200)}: it is not there`);
    }
    checkRoom("its storages", total += entry.size, options.maxBytes);
    storages.set(key, await zip.read(name));
  }
  for (const tensor of wanted) tensors.fill(tensor, storages, littleEndian);
  return value;
}

function checkRoom(what: string, bytes: number, maxBytes: number): void {
  if (bytes <= maxBytes) return;
  throw new RangeError(`Cannot read a PyTorch file as ${what} may take ${maxBytes} bytes: got ${bytes}`);
}

/** Finds the one folder that members lie in, named after the file that was saved. */
function findRoot(zip: ZipReader): string {
  const names = [...zip.entries.keys()];
  const pickles = names.filter((name) => /^([^/]+\/)?data\.pkl$/.test(name));
  const root = pickles[0]?.slice(0, -"data.pkl".length);
  if (pickles.length !== 1 || root === undefined) {
    throw new SyntaxError(`Cannot read a PyTorch file as its zip must hold one data.pkl: got ${quotedSome(names)}`);
  }
  if (!names.includes(`${root}constants.pkl`)) return root;
  throw new SyntaxError(
    "Cannot read a PyTorch file as TorchScript is a program: save its state_dict() with torch.save()",
  );
}

async function readByteOrder(zip: ZipReader, root: string): Promise<boolean> {
  const name = `${root}byteorder`;
  if (!zip.entries.has(name)) return true;
  const order = decodeUtf8(await zip.read(name), name);
  if (order === "little" || order === "big") return order === "little";
  throw new SyntaxError(
    `Cannot read a PyTorch file as its byteorder must be little or big: got ${quoted(order)}`,
  );
}

async function readLegacyFormat({ source, tensors, pickle, options }: Job): Promise<PickleValue> {
  const reader = new ByteReader(await readExactly(source, "a PyTorch file", 0, source.size), "a PyTorch file");
  readPreamble(reader);
  const value = unpickleNext(reader, pickle);
  const storages = readLegacyStorages(reader, tensors);
  const wanted = keepTensors(value, tensors, options.keep);
  for (const tensor of wanted) tensors.fill(tensor, storages, true);
  return value;
}
