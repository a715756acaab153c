import { allocate, type NdArrayData, type NdDType } from "./dtype.ts";
import { elementCount, type NdArray, ndarray } from "./ndarray.ts";

/**
 * Reorders the dimensions, as NumPy's `transpose(array, axes)`; the elements are copied.
 *
 * @param array Any shape and element type.
 * @param axes Each dimension of `array` once: dimension `i` of the result is dimension `axes[i]` of `array`.
 * @throws {TypeError} If `axes` does not name each dimension once.
 */
export function permuteAxes(array: NdArray, axes: readonly number[]): NdArray {
  const rank = array.shape.length;
  if (axes.length !== rank || new Set(axes).size !== rank || !axes.every((axis) => axis in array.shape)) {
    throw new TypeError(
      `Cannot run permuteAxes() as axes must name each dimension once: got axes [${axes}] and array [${array.shape}]`,
    );
  }
  const strides = contiguousStrides(array.shape);
  const shape = axes.map((axis) => array.shape[axis]!);
  return ndarray(
    shape,
    array.dtype,
    readStrided(array.dtype, array.data, shape, axes.map((axis) => strides[axis]!), 0),
  );
}

/** The step, in elements, from one index to the next of each dimension of an array in C order. */
export function contiguousStrides(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = step;
    step *= shape[i]!;
  }
  return strides;
}

/** Copies `shape` elements out of `data`, element `[i, j, …]` from `offset + i * strides[0] + j * strides[1] + …`. */
export function readStrided<D extends NdDType>(
  dtype: D,
  data: NdArrayData[NdDType],
  shape: readonly number[],
  strides: readonly number[],
  offset: number,
): NdArrayData[D] {
  const result = allocate(dtype, elementCount(shape));
  const rank = shape.length;
  const inner = rank ? shape[rank - 1]! : 1;
  const step = rank ? strides[rank - 1]! : 0;
  const index = new Array<number>(rank).fill(0);
  let from = offset;
  for (let to = 0; to < result.length; to += inner) {
    for (let i = 0; i < inner; i++) result[to + i] = data[from + i * step]!;
    for (let d = rank - 2; d >= 0; d--) {
      from += strides[d]!;
      index[d]!++;
      if (index[d]! < shape[d]!) break;
      from -= strides[d]! * shape[d]!;
      index[d] = 0;
    }
  }
  return result;
}

function permuteRank(name: string, array: NdArray, layout: string, axes: readonly number[]): NdArray {
  if (array.shape.length === axes.length) return permuteAxes(array, axes);
  throw new TypeError(`Cannot run ${name}() as array must be ${layout}: got array [${array.shape}]`);
}

/** A convolution weight from PyTorch's `[out, in / groups, kh, kw]` to `[kh, kw, in / groups, out]`. */
export function oihwToHwio(weight: NdArray): NdArray {
  return permuteRank("oihwToHwio", weight, "[out, in, kh, kw]", [2, 3, 1, 0]);
}

/** A convolution weight from `[kh, kw, in / groups, out]` to PyTorch's `[out, in / groups, kh, kw]`. */
export function hwioToOihw(weight: NdArray): NdArray {
  return permuteRank("hwioToOihw", weight, "[kh, kw, in, out]", [3, 2, 0, 1]);
}

/** A linear weight between PyTorch's `[out, in]` and `[in, out]`; its own inverse. */
export function transposeLinear(weight: NdArray): NdArray {
  return permuteRank("transposeLinear", weight, "[rows, cols]", [1, 0]);
}

/** Images from channels first `[n, c, h, w]` to channels last `[n, h, w, c]`. */
export function nchwToNhwc(images: NdArray): NdArray {
  return permuteRank("nchwToNhwc", images, "[n, c, h, w]", [0, 2, 3, 1]);
}

/** Images from channels last `[n, h, w, c]` to channels first `[n, c, h, w]`. */
export function nhwcToNchw(images: NdArray): NdArray {
  return permuteRank("nhwcToNchw", images, "[n, h, w, c]", [0, 3, 1, 2]);
}
