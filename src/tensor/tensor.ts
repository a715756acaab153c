import { type Device, DeviceError, type DeviceStorage } from "../device/mod.ts";
import { bytesOf, type DType, type DTypeArrays, dtypeOf, DTYPES, isDType, viewAs } from "./dtype.ts";
import { checkHalf } from "./half.ts";
import { answerOtherNames } from "./other_names.ts";
import { own } from "./scope.ts";
import { checkShape, type Shape, sizeOf } from "./shape.ts";
import { peekElements } from "./peek.ts";
import { indented, showElements } from "./show.ts";

/** Link that a tensor holds beside its storage: its place in the graph of a differentiation. */
export interface Link {
  /** Callback, once, when the tensor is disposed. */
  release(): void;
}

/** Options of the constructor of {@linkcode Tensor}. */
export interface TensorOptions<D extends DType = DType> {
  /** Element type; `"f32"` by default. */
  dtype?: D;
  /** Existing storage to hold (its reference passes to the tensor); new storage by default. */
  storage?: DeviceStorage;
}

interface Handle {
  storage: DeviceStorage | null;
  link: Link | null;
}

const forgotten = new FinalizationRegistry<Handle>(release);

function release(handle: Handle): void {
  handle.storage?.release();
  handle.link?.release();
  handle.storage = handle.link = null;
}

/**
 * An n-dimensional array on a GPU: row-major, contiguous, channels last for images.
 *
 * A tensor belongs to the {@linkcode scope} it was made in, and is freed with it; `dispose()` frees it sooner, and the
 * garbage collector frees what was forgotten. Functions such as `add` or `matmul` make new tensors; none changes its
 * inputs.
 *
 * Its type says its dtype: `Tensor<"f32">` is what creators and ops give unless they say otherwise, and `data()` of it a
 * `Float32Array`; `Tensor` is one of any dtype. In half precision (inside `autocast`, or of f16 inputs) what an op gives
 * may hold f16 all the same: `dtype` tells at run time, and `data()` is a `Float16Array` then.
 *
 * @example Usage
 * ```ts
 * import { add, Device, tensor } from "@decoupled/uniformity";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const x = tensor([[1, 2], [3, 4]]);
 * assertEquals(x.shape, [2, 2]);
 * assertEquals(await add(x, 1).data(), new Float32Array([2, 3, 4, 5]));
 * ```
 */
export class Tensor<D extends DType = DType> {
  /** The device that holds it. */
  readonly device: Device;
  /** Sizes along each axis. */
  readonly shape: Shape;
  /** Number of elements. */
  readonly size: number;
  /** Element type. */
  readonly dtype: D;
  /** Whether the tensor is a leaf whose gradient is wanted; see `backward`. */
  requiresGrad = false;
  /** The gradient that `backward` accumulated into this leaf. */
  grad: Tensor<D> | null = null;
  #handle: Handle;

  /** Makes a tensor with undefined contents, or over given storage. Users call `tensor()`, `zeros()` and the like. */
  constructor(device: Device, shape: Shape, options: TensorOptions<D> = {}) {
    checkShape(shape, "a tensor");
    this.device = device;
    this.shape = Object.isFrozen(shape) ? shape : Object.freeze([...shape]);
    this.size = sizeOf(shape);
    this.dtype = options.dtype ?? "f32" as D;
    const storage = options.storage ?? allocate(device, shape, this.dtype);
    this.#handle = { storage, link: null };
    own(this);
    forgotten.register(this, this.#handle, this.#handle);
  }

  /** Number of axes. */
  get rank(): number {
    return this.shape.length;
  }

  /** Bytes of the elements. */
  get bytes(): number {
    return this.size * bytesOf(this.dtype);
  }

  /** Whether the storage was given up. */
  get disposed(): boolean {
    return this.#handle.storage === null;
  }

  /**
   * The storage, to bind in a dispatch.
   *
   * @throws {ReferenceError} If the tensor was disposed.
   */
  get storage(): DeviceStorage {
    const { storage } = this.#handle;
    if (storage) return storage;
    throw new ReferenceError(
      `Cannot read a tensor [${this.shape}] as it was disposed: its scope ended or dispose() was called (keep() keeps it)`,
    );
  }

  /** Place in the graph, when an op that is being differentiated made the tensor. */
  get link(): Link | null {
    return this.#handle.link;
  }

  /**
   * Takes its place in the graph; called once, by the op that made it.
   *
   * @internal
   */
  attach(link: Link): void {
    this.#handle.link = link;
  }

  /**
   * Makes another handle on the same elements, outside the graph; the elements live until both are disposed.
   *
   * @param shape Another shape of the same size; the tensor's own by default.
   */
  alias(shape: Shape = this.shape): Tensor<D> {
    if (sizeOf(shape) !== this.size) {
      throw new TypeError(`Cannot alias a tensor as the sizes must agree: got [${this.shape}] and [${shape}]`);
    }
    return new Tensor<D>(this.device, shape, { dtype: this.dtype, storage: this.storage.retain() });
  }

  /**
   * Reads the elements back, in row-major order. Costs a round trip to the GPU: not for every step.
   *
   * @throws {ReferenceError} If the tensor was disposed.
   * @throws {DeviceError} If an operation before it failed.
   */
  async data(): Promise<DTypeArrays[D]> {
    const buffer = await this.device.read(this.storage, this.bytes);
    return viewAs(buffer, this.dtype);
  }

  /**
   * Reads the only element back.
   *
   * @throws {TypeError} If there is not exactly one.
   */
  async item(): Promise<number> {
    if (this.size !== 1) throw new TypeError(`Cannot read item() as there must be one element: got [${this.shape}]`);
    return (await this.data())[0]!;
  }

  /**
   * Overwrites the elements; for buffers that outlive a step (indices, learning rates), outside any graph.
   *
   * @param values As many elements, in a typed array of the dtype; or their bytes, in a `DataView`.
   * @throws {TypeError} If the array is of another dtype or size.
   */
  write(values: ArrayBufferView): void {
    if (!(values instanceof DataView) && dtypeOf(values) !== this.dtype) {
      throw new TypeError(
        `Cannot write() as the dtypes must agree: got ${values.constructor.name} for a tensor ${this.dtype} [${this.shape}]`,
      );
    }
    if (values.byteLength !== this.bytes) {
      throw new TypeError(
        `Cannot write() as the bytes must agree: got ${values.byteLength} for a tensor ${this.dtype} [${this.shape}]`,
      );
    }
    this.device.write(this.storage, values);
  }

  /** Frees the tensor now; a second call does nothing. */
  dispose(): void {
    if (this.#handle.storage === null) return;
    forgotten.unregister(this.#handle);
    release(this.#handle);
    this.grad?.dispose();
    this.grad = null;
  }

  /** Frees the tensor, like {@linkcode Tensor.dispose}; for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  /**
   * Prints the tensor: a line with its dtype and shape, then its elements in aligned columns; of more than 1000, those at
   * the ends of each axis. Costs a round trip to the GPU.
   *
   * @throws {DeviceError} If an operation before it failed.
   *
   * @example Usage
   * ```ts
   * import { Device, tensor } from "@decoupled/uniformity";
   *
   * await using _device = await Device.open();
   * await tensor([[1, 2.5], [3, 4]]).print();
   * // Tensor f32 [2, 2] on …
   * // [[1.0000, 2.5000],
   * //  [3.0000, 4.0000]]
   * ```
   */
  async print(): Promise<void> {
    console.log(await this.#text());
  }

  /** One line: dtype, shape, where, and whether it is gone. */
  toString(): string {
    const grad = this.requiresGrad || this.link ? ", requires grad" : "";
    const state = this.disposed ? ", disposed" : "";
    return `Tensor ${this.dtype} [${this.shape.join(", ")}] on ${this.device.info.description}${grad}${state}`;
  }

  /**
   * Gives the line of {@linkcode Tensor.toString} where a text is wanted, and refuses operators.
   *
   * @throws {TypeError} Of `x + y`, `x * 2`, `x < y`: their operands are numbers or texts.
   */
  [Symbol.toPrimitive](hint: string): string {
    if (hint === "string") return this.toString();
    throw new TypeError(
      `Cannot use a tensor [${this.shape}] in an operator as JavaScript's are of numbers and texts: use add(x, y), ` +
        "mul(x, 2), less(x, y), await x.item(), or ${x} in a text",
    );
  }

  /** Returns what `console.log` shows in Deno: the text of {@linkcode Tensor.print}, read while the caller waits. */
  [Symbol.for("Deno.customInspect")](_inspect?: unknown, options?: unknown): string {
    return indented(this.#seen(), options);
  }

  /** Returns what `console.log` shows in Node, where only {@linkcode Tensor.print} can wait for the elements. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.#seen();
  }

  /** Returns what a Jupyter notebook shows: the text of {@linkcode Tensor.print}. */
  async [Symbol.for("Jupyter.display")](): Promise<Record<string, string>> {
    return { "text/plain": await this.#text() };
  }

  /** Text of the elements where they can be read at once, else of how to see them. */
  #seen(): string {
    if (this.disposed) return this.toString();
    const elements = peekElements(this);
    return elements === null ? `${this} (await print() shows its elements)` : `${this}\n${elements}`;
  }

  async #text(): Promise<string> {
    if (this.disposed) return this.toString();
    const data = await this.data();
    return `${this}\n${showElements(this.shape, this.dtype, (index) => data[index]!)}`;
  }

  static {
    answerOtherNames(this.prototype);
  }
}

function allocate(device: Device, shape: Shape, dtype: DType): DeviceStorage {
  if (!isDType(dtype)) throw new TypeError(`Cannot make a tensor as dtype must be ${DTYPES}: got "${dtype}"`);
  if (!device?.limits) {
    throw new TypeError(`Cannot make a tensor as device must be what Device.open() gives: got ${device}`);
  }
  if (dtype === "f16") checkHalf(device);
  const bytes = sizeOf(shape) * bytesOf(dtype);
  const limit = device.limits.maxStorageBufferBindingSize;
  if (bytes <= limit) return device.allocate(bytes);
  const rows = shape.length > 1 ? Math.floor(limit / (bytes / shape[0]!)) : 0;
  throw new DeviceError(
    `Cannot allocate a tensor ${dtype} [${shape}] of ${bytes} bytes as ${device.info.description} binds at most ` +
      `${limit} bytes at once: ${
        rows > 0
          ? `at most ${rows} of its ${shape[0]} rows fit: take fewer at once, as of a smaller batch`
          : "use a smaller shape"
      }`,
  );
}
