import { defineOp } from "../../autograd/mod.ts";
import { defineProgram } from "../../device/mod.ts";
import { lib_flat } from "../../shaders/lib.ts";
import { index_select as code, index_select_grad as gradCode } from "../../shaders/move.ts";
import { type DType, type Shape, Tensor, tensor } from "../../tensor/mod.ts";
import { checkOptions, normalizeDim } from "../../tensor/internal.ts";
import { aroundDim } from "./_around_dim.ts";
import { orderOf } from "./_order.ts";
import { reshape } from "./reshape.ts";
import { checkFloat, checkWords } from "../shared/check.ts";

/** Row numbers: on the GPU (u32 or i32), or on the host, where they are checked. */
export type Indices = Tensor | readonly number[] | Uint32Array | Int32Array;

function take(words: string) {
  return defineProgram({ name: "indexSelect", code: [lib_flat, `alias W = ${words};`, code], entryPoint: "take_rows" });
}
const TAKE = { single: take("u32"), wide: take("vec4u") };

function grad(words: string, entryPoint: string) {
  return defineProgram({ name: "indexSelect grad", code: [lib_flat, `alias W = ${words};`, gradCode], entryPoint });
}
const STARTS = grad("f32", "row_starts");
const ADD = { single: grad("f32", "add_rows"), wide: grad("vec4f", "add_rows") };

/** Indices of one row that one dispatch of the gradient adds; more are added in further ones. */
const CHUNK = 2048;

/** No row: the gradient leaves none out. */
const NONE = 0xffff_ffff;

/** Bits of what stands for a row that is not there, as in JAX: NaN, the least i32, the largest u32. */
const FILL = { f32: 0x7fc0_0000, i32: 0x8000_0000, u32: 0xffff_ffff } as const;

const indexSelectOp = defineOp<[Tensor, Tensor], { readonly dim: number; readonly skip?: number }, DType>({
  name: "indexSelect",
  forward(context, [x, index], { dim }) {
    context.save(index);
    const y = new Tensor(x.device, x.shape.with(dim, index.size), { dtype: x.dtype });
    const { unit, ...params } = rowParams(x.shape, dim, y.size);
    x.device.dispatch(unit === 4 ? TAKE.wide : TAKE.single, {
      params: { ...params, count: index.size, fill: FILL[x.dtype as keyof typeof FILL] },
      buffers: { 1: index.storage, 2: x.storage, 3: y.storage },
      workgroups: x.device.groups(params.items, 64),
    });
    return y;
  },
  backward({ saved: [index], shapes: [shape] }, grad, { dim, skip = NONE }) {
    const gradX = new Tensor(grad.device, shape!);
    addRows(index!, grad, gradX, { dim, skip });
    return [gradX, null];
  },
});

/** Sizes of an array that is walked in units of four elements where rows allow it. */
function rowParams(shape: Shape, dim: number, size: number) {
  const [, rows, inner] = aroundDim(shape, dim);
  const unit = inner % 4 === 0 ? 4 : 1;
  return { unit, items: size / unit, rows, inner: inner / unit };
}

/** Sums the rows of a gradient by their index: the indices are sorted, so that no row has to look through all of them. */
function addRows(index: Tensor, from: Tensor, to: Tensor, { dim, skip }: { dim: number; skip: number }): void {
  const { device } = to;
  const count = index.size;
  const { unit, ...sizes } = rowParams(to.shape, dim, to.size);
  const order = orderOf(index, { rows: count, columns: 1, kind: "unsigned" });
  const starts = new Tensor(device, [sizes.rows + 1], { dtype: "u32" });
  const shared = { ...sizes, count, first: 0, last: 0, skip };
  device.dispatch(STARTS, {
    params: { ...shared, items: starts.size },
    buffers: { 1: index.storage, 2: order.storage, 3: starts.storage },
    workgroups: device.groups(starts.size, 64),
  });
  for (let first = 0; first === 0 || first < count; first += CHUNK) {
    device.dispatch(unit === 4 ? ADD.wide : ADD.single, {
      params: { ...shared, first, last: first + CHUNK },
      buffers: { 2: order.storage, 3: starts.storage, 4: from.storage, 5: to.storage },
      workgroups: device.groups(sizes.items, 64),
    });
  }
  order.dispose();
  starts.dispose();
}

/**
 * Takes rows by number along an axis, as `torch.index_select`. A row may be taken several times: its gradient is the sum,
 * added in one order, so that it is the same every time.
 *
 * @param x Any shape of rank ≥ 1, f32, i32 or u32, at least one row along `dim`.
 * @param dim The axis, negative ones counted from the end.
 * @param indices Row numbers `[k]`. Numbers on the host are checked. Those of a tensor (u32 or i32) would have to be waited
 *   for: as in JAX, one out of range takes a row of NaN (of i32 the least, of u32 the largest number) and has no gradient.
 * @returns The shape of `x` with size k along `dim`.
 * @throws {TypeError} If a dtype is another, the indices are not of rank 1, or there are no rows.
 * @throws {RangeError} If `dim` or a number on the host is out of range.
 *
 * @example Usage
 * ```ts
 * import { Device, indexSelect, tensor } from "@decoupled/uniformity";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const x = tensor([[1, 2], [3, 4], [5, 6]]);
 * assertEquals(await indexSelect(x, 0, [2, 0]).data(), new Float32Array([5, 6, 1, 2]));
 * ```
 */
export function indexSelect<D extends DType>(x: Tensor<D>, dim: number, indices: Indices): Tensor<D> {
  checkWords("indexSelect", x);
  const axis = normalizeDim(dim, x.rank, "indexSelect");
  const index = indexTensor("indexSelect", x, axis, indices);
  if (index.rank !== 1) {
    throw new TypeError(`Cannot compute indexSelect() as indices must be [k]: got [${index.shape}]`);
  }
  return indexSelectOp([x, index], { dim: axis }) as Tensor<D>;
}

/**
 * Takes rows of the first axis by number, as NumPy's `x[indices]`; else as {@linkcode indexSelect}.
 *
 * @param x `[rows, …]`, f32, i32 or u32.
 * @param indices Row numbers of any shape.
 * @returns The shape of `indices` followed by that of a row.
 *
 * @example Usage
 * ```ts
 * import { Device, gather, tensor } from "@decoupled/uniformity";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const words = tensor([[1, 2], [3, 4], [5, 6]]);
 * assertEquals(gather(words, tensor([[0, 1], [2, 2]], { dtype: "u32" })).shape, [2, 2, 2]);
 * ```
 */
export function gather<D extends DType>(x: Tensor<D>, indices: Indices): Tensor<D> {
  checkWords("gather", x);
  const axis = normalizeDim(0, x.rank, "gather");
  const index = indexTensor("gather", x, axis, indices);
  const rows = indexSelectOp([x, index], { dim: axis }) as Tensor<D>;
  return reshape(rows, [...index.shape, ...x.shape.slice(1)]);
}

/** Settings of {@linkcode embedding}. */
export interface EmbeddingOptions {
  /** A row that does not learn, as one of padding; none by default. */
  readonly paddingIdx?: number;
}

/**
 * Looks up the rows of a table, as `torch.nn.functional.embedding`: {@linkcode gather}, but for a row of padding whose
 * gradient stays 0.
 *
 * @param weight Table `[rows, features]`, f32.
 * @param indices Row numbers of any shape; one of a tensor (u32 or i32) that is out of range takes a row of NaN.
 * @param options `paddingIdx`, counted from the end where negative.
 * @returns The shape of `indices` followed by `features`, f32.
 * @throws {TypeError} If a dtype or the shape of the table is another.
 * @throws {RangeError} If a number on the host or `paddingIdx` is out of range.
 *
 * @example Usage
 * ```ts
 * import { Device, ones } from "@decoupled/uniformity";
 * import { embedding } from "@decoupled/uniformity/ops";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * assertEquals(embedding(ones([10, 4]), [1, 0, 0], { paddingIdx: 0 }).shape, [3, 4]);
 * ```
 */
export function embedding(weight: Tensor, indices: Indices, options: EmbeddingOptions = {}): Tensor<"f32"> {
  checkOptions("compute embedding()", options, ["paddingIdx"]);
  const { paddingIdx } = options;
  checkFloat("embedding", weight);
  if (weight.rank !== 2) {
    throw new TypeError(`Cannot compute embedding() as weight must be [rows, features]: got [${weight.shape}]`);
  }
  const index = indexTensor("embedding", weight, 0, indices);
  const skip = paddingIdx === undefined ? undefined : paddingRow(paddingIdx, weight.shape[0]!);
  const rows = indexSelectOp([weight, index], { dim: 0, skip }) as Tensor<"f32">;
  return reshape(rows, [...index.shape, weight.shape[1]!]);
}

function paddingRow(paddingIdx: number, rows: number): number {
  const row = paddingIdx < 0 ? paddingIdx + rows : paddingIdx;
  if (Number.isInteger(row) && row >= 0 && row < rows) return row;
  throw new RangeError(
    `Cannot compute embedding() as paddingIdx must be in [${-rows}, ${rows - 1}]: got ${paddingIdx}`,
  );
}

function indexTensor(op: string, x: Tensor, dim: number, indices: Indices): Tensor {
  const rows = x.shape[dim]!;
  const onHost = !(indices instanceof Tensor);
  const index = onHost ? fromHost(op, rows, indices, x) : indices;
  if (index.dtype !== "u32" && index.dtype !== "i32") {
    throw new TypeError(`Cannot compute ${op}() as indices must be u32 or i32: got ${index.dtype} [${index.shape}]`);
  }
  if (rows === 0 && index.size > 0) {
    throw new TypeError(`Cannot compute ${op}() as x must have rows to take: got x [${x.shape}]`);
  }
  return index;
}

function fromHost(op: string, rows: number, indices: Exclude<Indices, Tensor>, x: Tensor): Tensor {
  for (const i of indices) {
    if (!Number.isInteger(i) || i < 0 || i >= rows) {
      throw new RangeError(`Cannot compute ${op}() as indices must be in [0, ${rows - 1}]: got ${i}`);
    }
  }
  return tensor(Uint32Array.from(indices), { device: x.device });
}
