import { defineProgram, Device } from "../device/mod.ts";
import { lib_flat } from "../shaders/lib.ts";
import { fill as fillCode } from "../shaders/tensor.ts";
import { arrayOf, bytesOf, type DType, dtypeOf } from "./dtype.ts";
import { checkOptions } from "../checks/internal.ts";
import { checkNumber } from "./given.ts";
import { checkShape, type Shape, sizeOf } from "./shape.ts";
import { Tensor } from "./tensor.ts";

/** Numbers in nested arrays, all rows of one length. */
export type Nested = number | readonly Nested[];

/** Options of making a tensor: device and dtype. */
export interface CreateOptions<D extends DType = DType> {
  /** Element type; `"f32"` by default, or that of a typed array given. */
  dtype?: D;
  /** Device; the default device by default. */
  device?: Device;
}

/** Options of {@linkcode tensor}. */
export interface TensorFromOptions<D extends DType = DType> extends CreateOptions<D> {
  /** Shape of a flat array; needed only when it is not one-dimensional. */
  shape?: Shape;
}

/** Maximum number of axes of nested arrays. */
const MOST_AXES = 64;

/** The least and the largest value of the dtypes of integers. */
const RANGES = { i32: [-(2 ** 31), 2 ** 31 - 1], u32: [0, 2 ** 32 - 1], u8: [0, 255] } as const;

const FILL = defineProgram({
  name: "fill",
  code: [lib_flat, fillCode],
  entryPoint: "fill",
});

/** Makes a tensor of indices. */
export function tensor(values: Uint32Array, options?: TensorFromOptions<"u32">): Tensor<"u32">;
/** Makes a tensor of signed integers. */
export function tensor(values: Int32Array, options?: TensorFromOptions<"i32">): Tensor<"i32">;
/** Makes a tensor of half-precision values. */
export function tensor(values: Float16Array, options?: TensorFromOptions<"f16">): Tensor<"f16">;
/** Makes a tensor of image bytes. */
export function tensor(values: Uint8Array | Uint8ClampedArray, options?: TensorFromOptions<"u8">): Tensor<"u8">;
/**
 * Makes a tensor of a number, nested arrays, or a typed array with a `shape`.
 *
 * @param values The elements, row-major.
 * @returns A tensor of the shape of the nesting, or of `options.shape`.
 * @throws {TypeError} If rows differ in length, an element is no number, or the size does not match the shape.
 * @throws {RangeError} If an element does not fit an integer dtype; fractions are cut off, as NumPy does.
 *
 * @example Usage
 * ```ts
 * import { Device, tensor } from "@decoupled/uniformity";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * assertEquals(tensor([[1, 2, 3], [4, 5, 6]]).shape, [2, 3]);
 * assertEquals(tensor(new Uint32Array([7, 8]), { shape: [2, 1] }).dtype, "u32");
 * ```
 */
export function tensor<D extends DType = "f32">(
  values: Nested | ArrayBufferView,
  options?: TensorFromOptions<D>,
): Tensor<D>;
export function tensor<D extends DType = "f32">(
  values: Nested | ArrayBufferView,
  options: TensorFromOptions<D> = {},
): Tensor<D> {
  checkOptions("make a tensor", options, ["dtype", "device", "shape"]);
  const flat = ArrayBuffer.isView(values) ? values : flatten(values);
  const dtype = options.dtype ?? (ArrayBuffer.isView(values) ? dtypeOf(values) : "f32") as D;
  if (dtype === undefined) {
    throw new TypeError(
      `Cannot make a tensor of this array: got ${values.constructor.name}, want f32, f16, i32, u32 or u8`,
    );
  }
  const elements = flat as unknown as ArrayLike<number> & ArrayBufferView;
  const shape = options.shape ?? (ArrayBuffer.isView(values) ? [elements.length] : nestedShape(values));
  checkShape(shape, "a tensor");
  if (sizeOf(shape) !== elements.length) {
    throw new TypeError(`Cannot make a tensor [${shape}] as it has ${sizeOf(shape)} elements: got ${elements.length}`);
  }
  return made(shape, { ...options, dtype }, () => elements);
}

/** Makes the tensor first: a device says what is too large for it before the host makes the elements. */
function made<D extends DType>(
  shape: Shape,
  options: CreateOptions<D>,
  elements: () => ArrayLike<number> | ArrayBufferView,
): Tensor<D> {
  const result = new Tensor<D>(options.device ?? Device.current, shape, { dtype: options.dtype });
  if (result.size > 0) result.device.write(result.storage, convert(elements(), result.dtype));
  return result;
}

/**
 * A tensor of zeros.
 *
 * @example Usage
 * ```ts
 * import { Device, zeros } from "@decoupled/uniformity";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const x = zeros([2, 3]);
 * assertEquals([x.shape, await x.data()], [[2, 3], new Float32Array(6)]);
 * ```
 */
export function zeros<D extends DType = "f32">(shape: Shape, options: CreateOptions<D> = {}): Tensor<D> {
  return full(shape, 0, options);
}

/**
 * A tensor of ones.
 *
 * @example Usage
 * ```ts
 * import { Device, ones } from "@decoupled/uniformity";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * assertEquals(await ones([3], { dtype: "i32" }).data(), new Int32Array([1, 1, 1]));
 * ```
 */
export function ones<D extends DType = "f32">(shape: Shape, options: CreateOptions<D> = {}): Tensor<D> {
  return full(shape, 1, options);
}

/**
 * A tensor of one value.
 *
 * @example Usage
 * ```ts
 * import { Device, full } from "@decoupled/uniformity";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * assertEquals(await full([2, 2], 0.5).data(), new Float32Array([0.5, 0.5, 0.5, 0.5]));
 * ```
 */
export function full<D extends DType = "f32">(shape: Shape, value: number, options: CreateOptions<D> = {}): Tensor<D> {
  checkOptions("make a tensor", options, ["dtype", "device"]);
  const dtype = options.dtype ?? "f32" as D;
  const result = new Tensor<D>(options.device ?? Device.current, shape, { dtype });
  fill(result, value);
  return result;
}

/**
 * Overwrites every element of a tensor; for buffers outside any graph.
 *
 * @example Usage
 * ```ts
 * import { Device, fill, tensor } from "@decoupled/uniformity";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const x = tensor([1, 2, 3]);
 * fill(x, 7);
 * assertEquals(await x.data(), new Float32Array([7, 7, 7]));
 * ```
 */
export function fill(x: Tensor, value: number): void {
  checkNumber("make a tensor", "every element", value);
  const word = new ArrayBuffer(4);
  const elements = convert(new Array<number>(4 / bytesOf(x.dtype)).fill(value), x.dtype);
  new Uint8Array(word).set(new Uint8Array(elements.buffer, elements.byteOffset, elements.byteLength));
  const size = Math.ceil(x.bytes / 4);
  x.storage.forget();
  x.device.run("fill", [x.shape], () =>
    x.device.dispatch(FILL, {
      params: { size, bits: new Uint32Array(word)[0]! },
      buffers: { 1: x.storage },
      workgroups: x.device.groups(size, 64),
    }));
}

/**
 * Makes `start, start + step, …` up to but not including `stop`, as NumPy's `arange`.
 *
 * @throws {TypeError} If an option is unknown: the step is one, `{ step: 2 }`.
 * @throws {RangeError} If `step` is 0, or a number is not finite.
 *
 * @example Usage
 * ```ts
 * import { arange, Device } from "@decoupled/uniformity";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * assertEquals(await arange(0, 10, { step: 3 }).data(), new Float32Array([0, 3, 6, 9]));
 * ```
 */
export function arange<D extends DType = "f32">(
  start: number,
  stop: number,
  options: CreateOptions<D> & { step?: number } = {},
): Tensor<D> {
  checkOptions("make arange()", options, ["step", "dtype", "device"]);
  const step = options.step ?? 1;
  if (step === 0) throw new RangeError("Cannot make arange() as step must not be 0: got 0");
  for (const value of [start, stop, step]) checkNumber("make arange()", "start, stop and step", value);
  const length = Math.max(0, Math.ceil((stop - start) / step));
  if (!Number.isFinite(length)) {
    throw new RangeError(
      `Cannot make arange() as start, stop and step must be finite: got ${start}, ${stop} and ${step}`,
    );
  }
  return made([length], options, () => Array.from({ length }, (_, i) => start + i * step));
}

/**
 * The identity matrix `[n, n]`.
 *
 * @example Usage
 * ```ts
 * import { Device, eye } from "@decoupled/uniformity";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * assertEquals(await eye(2).data(), new Float32Array([1, 0, 0, 1]));
 * ```
 */
export function eye(n: number, options: CreateOptions<"f32"> = {}): Tensor<"f32"> {
  checkOptions("make eye()", options, ["dtype", "device"]);
  return made([n, n], options, () => {
    const values = new Float32Array(n * n);
    for (let i = 0; i < n; i++) values[i * n + i] = 1;
    return values;
  });
}

function nestedShape(values: Nested): number[] {
  const shape: number[] = [];
  for (let each = values; typeof each !== "number"; each = each[0]!) {
    checkNested(each);
    shape.push(each.length);
    if (each.length === 0) break;
    if (shape.length > MOST_AXES) {
      throw new TypeError(`Cannot make a tensor as there must be at most ${MOST_AXES} axes: got arrays nested deeper`);
    }
  }
  return shape;
}

/** Refuses what is neither a number nor an array: strings have a length too, and booleans are no numbers. */
function checkNested(values: unknown): void {
  if (Array.isArray(values) || (ArrayBuffer.isView(values) && !(values instanceof DataView))) return;
  checkNumber("make a tensor", "every element", values);
}

function flatten(values: Nested): Float64Array {
  const shape = nestedShape(values);
  const flat: number[] = [];
  collect(values, shape, 0, flat);
  return new Float64Array(flat);
}

function collect(values: Nested, shape: Shape, depth: number, flat: number[]): void {
  if (typeof values === "number") {
    if (depth !== shape.length) throw raggedError(shape);
    flat.push(values);
  } else {
    checkNested(values);
    if (values.length !== shape[depth]) throw raggedError(shape);
    for (const each of values) collect(each, shape, depth + 1, flat);
  }
}

function raggedError(shape: Shape): TypeError {
  return new TypeError(`Cannot make a tensor as all rows must have one length: the first ones say [${shape}]`);
}

function convert(values: ArrayLike<number> | ArrayBufferView, dtype: DType): ArrayBufferView {
  if (dtypeOf(values) === dtype) return values as ArrayBufferView;
  const numbers = values as ArrayLike<number>;
  if (dtype === "f32") return Float32Array.from(numbers);
  if (dtype === "f16") return arrayOf("f16").from(numbers);
  checkIntegers(numbers, dtype);
  if (dtype === "i32") return Int32Array.from(numbers);
  return dtype === "u32" ? Uint32Array.from(numbers) : Uint8Array.from(numbers);
}

/** Refuses numbers past the range of an integer dtype, which would wrap around, and NaN, which would be 0. */
function checkIntegers(values: ArrayLike<number>, dtype: keyof typeof RANGES): void {
  const [least, most] = RANGES[dtype];
  for (let i = 0; i < values.length; i++) {
    const whole = Math.trunc(values[i]!);
    if (whole >= least && whole <= most) continue;
    throw new RangeError(
      `Cannot make a tensor as every element of ${dtype} must be in [${least}, ${most}]: got ${values[i]} at ${i}`,
    );
  }
}
