import { type Bytes, decodeElements, itemSize, type NdArrayData, type NdDType } from "./dtype.ts";
import { contiguousStrides, readStrided } from "./layout.ts";
import { elementCount, isShape, type NdArray, ndarray } from "./ndarray.ts";
import { damaged, describeValue, PickleOpaque, type PickleValue } from "./pickle_values.ts";
import { UnreadStorage, UnreadTensor } from "./torch_unread.ts";

/** A storage of a checkpoint: a run of elements that tensors look into. Its bytes come after the pickle. */
export class TorchStorage extends PickleOpaque {
  /** Name of the storage in the file. */
  readonly key: string;
  /** Element type of the storage. */
  readonly dtype: NdDType;
  /** Number of elements, from `start` on. */
  readonly length: number;
  /** Offset in the bytes of `key`, in elements: storages of old files can be windows of others. */
  readonly start: number;

  /** Describes a storage. */
  constructor(key: string, dtype: NdDType, length: number, start = 0) {
    super();
    this.key = key;
    this.dtype = dtype;
    this.length = length;
    this.start = start;
  }

  /** Returns `storage KEY`. */
  override toString(): string {
    return `storage ${this.key}`;
  }
}

interface Window {
  storage: TorchStorage;
  dtype: NdDType;
  offset: number;
  shape: number[];
  strides: number[];
}

/** The tensors of a checkpoint: known by shape when the pickle is read, filled when the storages have come. */
export class TorchTensors {
  /** Kind of tensors in the file that are not read, if any. */
  unread: string | null = null;
  readonly #windows = new Map<PickleValue, Window>();
  readonly #dtypes = new Map<string, NdDType>();
  readonly #decoded = new Map<string, NdArrayData[NdDType]>();
  readonly #maxCopied: number;
  #copied = 0;

  /** Starts with no storages; `maxCopied` bounds the bytes of tensors that are no plain run of their storage. */
  constructor(maxCopied: number) {
    this.#maxCopied = maxCopied;
  }

  /** Remembers a storage that the pickle mentions. */
  add(storage: TorchStorage | UnreadStorage): TorchStorage | UnreadStorage {
    if (storage instanceof TorchStorage) this.#dtypes.set(storage.key, storage.dtype);
    else this.unread = storage.kind;
    return storage;
  }

  /** The element type of each storage by its key. */
  get dtypes(): ReadonlyMap<string, NdDType> {
    return this.#dtypes;
  }

  /** Makes a tensor without elements as yet, from a storage, an offset in elements, sizes and strides. */
  declare(args: readonly PickleValue[], dtype?: NdDType | UnreadStorage): NdArray | UnreadTensor {
    const [storage, offset = null, shape, strides] = args;
    if (storage instanceof UnreadStorage) return new UnreadTensor(storage.kind);
    if (dtype instanceof UnreadStorage) return new UnreadTensor(dtype.kind);
    if (!(storage instanceof TorchStorage)) {
      throw damaged(`a tensor must have a storage, not ${describeValue(storage)}`);
    }
    const sizes = toSizes(shape);
    const steps = toSizes(strides);
    const [start] = toSizes([offset]) as [number];
    const type = dtype ?? storage.dtype;
    if (sizes.length !== steps.length) {
      throw damaged(`a tensor must have one stride a dimension: [${sizes}] and [${steps}]`);
    }
    const last = sizes.reduce((sum, size, i) => sum + (size - 1) * steps[i]!, start);
    const room = storage.length * itemSize(storage.dtype) / itemSize(type);
    if (elementCount(sizes) > 0 && last >= room) {
      throw damaged(`a tensor [${sizes}] must lie inside its storage: its last element is ${last} of ${room}`);
    }
    const tensor = ndarray([0], type, decodeElements(new Uint8Array(0), type));
    this.#windows.set(tensor, { storage, dtype: type, offset: start, shape: sizes, strides: steps });
    return tensor;
  }

  /** Whether a value is a tensor that waits for its elements. */
  has(value: PickleValue): boolean {
    return this.#windows.has(value);
  }

  /** The keys of the storages that these tensors need. */
  keysOf(tensors: Iterable<PickleValue>): Set<string> {
    const keys = new Set<string>();
    for (const tensor of tensors) {
      const window = this.#windows.get(tensor);
      if (window) keys.add(window.storage.key);
    }
    return keys;
  }

  /** Gives a tensor its elements: those of its storage, shared with other tensors, when they are a plain run of it. */
  fill(tensor: PickleValue, storages: ReadonlyMap<string, Bytes>, littleEndian: boolean): void {
    const window = this.#windows.get(tensor);
    if (!window) return;
    const { storage, dtype, shape, strides } = window;
    const elements = this.#elements(storage, dtype, storages.get(storage.key) ?? new Uint8Array(0), littleEndian);
    const offset = window.offset + storage.start * itemSize(storage.dtype) / itemSize(dtype);
    const count = elementCount(shape);
    const plain = contiguousStrides(shape);
    const run = count === 0 || shape.every((size, i) => size === 1 || strides[i] === plain[i]);
    if (!run) this.#reserve(count * itemSize(dtype), shape);
    const data = run
      ? elements.subarray(count && offset, count && offset + count)
      : readStrided(dtype, elements, shape, strides, offset);
    Object.assign(tensor as NdArray, ndarray(shape, dtype, data as NdArrayData[typeof dtype]));
    this.#windows.delete(tensor);
  }

  /** The elements of a whole storage, decoded once. */
  #elements(storage: TorchStorage, dtype: NdDType, bytes: Bytes, littleEndian: boolean): NdArrayData[NdDType] {
    const end = (storage.start + storage.length) * itemSize(storage.dtype);
    if (end > bytes.length) {
      throw new SyntaxError(`Cannot read a PyTorch file as ${storage} must have ${end} bytes: got ${bytes.length}`);
    }
    const id = `${dtype} ${storage.key}`;
    const known = this.#decoded.get(id);
    if (known) return known;
    const whole = bytes.subarray(0, bytes.length - bytes.length % itemSize(dtype));
    const elements: NdArrayData[NdDType] = decodeElements(whole, dtype, littleEndian);
    this.#decoded.set(id, elements);
    return elements;
  }

  #reserve(bytes: number, shape: readonly number[]): void {
    this.#copied += bytes;
    if (this.#copied <= this.#maxCopied) return;
    throw new RangeError(
      `Cannot read a PyTorch file as maxBytes is ${this.#maxCopied}: tensors up to one of shape [${shape}] take ${this.#copied}`,
    );
  }
}

/** Checks a tuple of sizes, strides or offsets. */
function toSizes(value: PickleValue | undefined): number[] {
  if (isShape(value)) return value;
  throw damaged(`sizes, strides and offsets must be whole numbers >= 0, not ${describeValue(value)}`);
}
