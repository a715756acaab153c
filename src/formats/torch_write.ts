import { type Bytes, encodeElements, type NdDType } from "./dtype.ts";
import { contiguousStrides } from "./layout.ts";
import { elementCount, fromModel, isNdArray, type NdArray } from "./ndarray.ts";
import { MAX_DEPTH } from "./pickle_bounds.ts";
import { PickleWriter } from "./pickle_writer.ts";
import { STORAGE_CLASSES } from "./torch_globals.ts";
import { writeZip, type ZipMember } from "./zip_write.ts";

/** Value that can be saved for PyTorch: plain values, lists, dicts and arrays inside each other. */
export type TorchValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | NdArray
  | readonly TorchValue[]
  | ReadonlyMap<string | number, TorchValue>
  | { readonly [key: string]: TorchValue };

const STORAGE_OF: ReadonlyMap<NdDType, string> = new Map(
  [...STORAGE_CLASSES].filter(([name]) => name !== "UntypedStorage").map(([name, dtype]) => [dtype, name]),
);

/**
 * Writes a file that `torch.load` reads (PyTorch 1.6 or later; PyTorch 2 also with `weights_only=True`), for checkpoints
 * that go back to PyTorch. Arrays become tensors as they are: bring weights to PyTorch's layout first.
 *
 * @param value Plain values, lists, dicts (`Map`s or objects) and arrays; whole numbers become `int`, others `float`.
 * @returns The file. The same value gives the same bytes.
 * @throws {TypeError} If a value has no counterpart in PyTorch: unsigned integers of 16 bits or more, other
 *   objects, more than 1000 inside each other.
 *
 * @example Usage
 * ```ts
 * import { readTorch, writeTorch } from "@decoupled/uniformity/formats";
 * import { assertEquals } from "@std/assert";
 *
 * const bytes = await writeTorch({ epoch: 400, arch: "resnet18" });
 * assertEquals(await readTorch(bytes), new Map<string, number | string>([["epoch", 400], ["arch", "resnet18"]]));
 * ```
 */
export function writeTorch(value: TorchValue): Promise<Bytes> {
  const storages: Bytes[] = [];
  const writer = new PickleWriter();
  writer.start();
  writeValue(writer, value, storages, new Set());
  const members: ZipMember[] = [
    { name: "archive/data.pkl", bytes: writer.finish() },
    { name: "archive/byteorder", bytes: new TextEncoder().encode("little") },
    ...storages.map((bytes, key) => ({ name: `archive/data/${key}`, bytes })),
    { name: "archive/version", bytes: new TextEncoder().encode("3\n") },
  ];
  return writeZip(members, { align: 64 });
}

function writeValue(writer: PickleWriter, value: TorchValue, storages: Bytes[], above: Set<unknown>): void {
  if (isPlain(value)) return writer.plain(value);
  if (isNdArray(value)) return writeTensor(writer, value, storages);
  if (!isContainer(value) || above.has(value) || above.size >= MAX_DEPTH) {
    const got = !isContainer(value)
      ? (value as TorchValue)?.constructor.name
      : above.has(value)
      ? "an object inside itself"
      : `more than ${MAX_DEPTH} inside each other`;
    throw new TypeError(
      `Cannot run writeTorch() as values must be plain, lists, dicts or arrays: got ${got}${fromModel(value)}`,
    );
  }
  above.add(value);
  if (Array.isArray(value)) writer.list(value, (item) => writeValue(writer, item, storages, above));
  else {
    const entries: [string | number, TorchValue][] = value instanceof Map ? [...value] : Object.entries(value);
    writer.dict(entries, (item) => writeValue(writer, item, storages, above));
  }
  above.delete(value);
}

function isPlain(value: TorchValue): value is null | boolean | number | bigint | string {
  return value === null || ["boolean", "number", "bigint", "string"].includes(typeof value);
}

function isContainer(
  value: TorchValue,
): value is Exclude<TorchValue, null | boolean | number | bigint | string | NdArray> {
  if (typeof value !== "object" || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return Array.isArray(value) || value instanceof Map || prototype === Object.prototype || prototype === null;
}

/** Writes a tensor: `torch._utils._rebuild_tensor_v2(storage, offset, size, stride, requires_grad, OrderedDict())` */
function writeTensor(writer: PickleWriter, array: NdArray, storages: Bytes[]): void {
  const storage = STORAGE_OF.get(array.dtype);
  const count = elementCount(array.shape);
  if (!storage || count !== array.data.length) {
    throw new TypeError(
      `Cannot run writeTorch() as an array must fill its shape with a dtype of PyTorch: got ${array.dtype} [${array.shape}]`,
    );
  }
  writer.global("torch._utils", "_rebuild_tensor_v2");
  writer.tuple(() => {
    writer.tuple(() => {
      writer.plain("storage");
      writer.global("torch", storage);
      for (const part of [`${storages.length}`, "cpu", count]) writer.plain(part);
    });
    writer.persistent();
    writer.plain(0);
    writer.tuple(() => array.shape.forEach((size) => writer.plain(size)));
    writer.tuple(() => contiguousStrides(array.shape).forEach((stride) => writer.plain(stride)));
    writer.plain(false);
    writer.call("collections", "OrderedDict");
  });
  writer.reduce();
  storages.push(encodeElements(array.data));
}
