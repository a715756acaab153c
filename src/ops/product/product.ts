// Matrix products on storages: what matmul, linear and conv2d are made of.
import { type Constants, defineProgram, type DeviceStorage, type StorageWindow } from "../../device/mod.ts";
import { lib_flat } from "../../shaders/lib.ts";
import { matmul_pad } from "../../shaders/product.ts";
import { type FloatDType, key, type Shape, sizeOf, Tensor, uniform } from "../../tensor/mod.ts";
import { bytesOf, castTo, elementAliases, floatOf } from "../../tensor/internal.ts";
import type { Question } from "../shared/answers.ts";
import { policyOf } from "../shared/policy.ts";
import { constantsOf, type ProductForm, workgroupCount } from "./forms.ts";
import { type BatchAxes, isPart, type Layout, packed, type Strides } from "./layout.ts";
import type { GradientSums } from "./gradient_sums.ts";
import type { SideMoments } from "./moments.ts";
import { choosePlan, tablePlan, textureBytesOf } from "./plan.ts";
import { programOf } from "./programs.ts";
import { sumMiddleInto } from "./sum_middle.ts";

/** Triangles of a product: which terms count, and which elements are wanted, where triangular matrices leave zeros. */
export interface Triangles {
  /** Whether only k ≥ i count: the a of the product is upper triangular. */
  readonly fromRow?: boolean;
  /** Whether only k ≥ j count: b is lower triangular. */
  readonly fromCol?: boolean;
  /** Whether only k ≤ i count: a is lower triangular. */
  readonly toRow?: boolean;
  /** Whether only k ≤ j count: b is upper triangular. */
  readonly toCol?: boolean;
  /** Whether only `c[i, j]` with j ≤ i are wanted; the others are undefined. */
  readonly lower?: boolean;
}

/** Sizes and terms of the sum: `c[i, j] = Σₖ a[i, k] b[k, j]`. */
export interface ProductSizes {
  readonly rows: number;
  readonly cols: number;
  readonly inner: number;
  /** Leaves out whole blocks of zeros; the zeros themselves must be there. */
  readonly triangles?: Triangles;
}

/** Epilogue of a product: what becomes of the sums. */
export interface Epilogue {
  /** Dtype of c; f32 by default. */
  readonly dtype?: FloatDType;
  /** Bias of every row, `[cols]`, f32. */
  readonly bias?: Tensor;
  /** Adds to what this tensor holds instead of making one; its rows are padded to whole vectors. */
  readonly into?: Tensor;
  /** Gate, `[4]`: nothing is done where its first number is not 0; with `triangles`, without `bias`. */
  readonly gate?: Tensor;
  /** Takes the moments of the rows per column, where the sum is not split. */
  readonly side?: SideMoments;
  /** Has c masked and summed, where the form is a tile and the sum is not split; without `bias`, `gate`, batch and strides. */
  readonly gradient?: GradientSums;
}

/** One product; a and b are f32 or f16, the sum is f32, but for what `sums` allows. */
export interface Product {
  /** Left operand `[…, rows, inner]`, or transposed. */
  readonly a: Tensor;
  /** Right operand `[…, inner, cols]`, or transposed. */
  readonly b: Tensor;
  readonly sizes: ProductSizes;
  /** Strides of the operands and the result; `packed()` by default. */
  readonly layout?: Layout;
  readonly epilogue?: Epilogue;
  /** Precision in which a few terms may be summed; f32 by default. See `sumsOf()`. */
  readonly sums?: FloatDType;
  /** Normalisation of a as it is read, `[inner / 4, 2, 4]`, or of its rows where it is transposed; see `normToRead()`. */
  readonly norm?: Tensor;
}

/** A product with every default filled in. */
type WholeProduct = Required<Omit<Product, "norm" | "sums">> & Pick<Product, "norm" | "sums">;

function padProgram(dtype: FloatDType) {
  return defineProgram({
    name: "pad",
    code: [elementAliases({ E: dtype }, 1), lib_flat, matmul_pad],
    entryPoint: "main",
  });
}

/** Terms of a segment where triangles leave segments out. */
const TRIANGLE_DEPTH = 64;

const PAD = { f32: padProgram("f32"), f16: padProgram("f16") } as const;

const PACKED = packed();

const PLAIN: Epilogue = {};

/** Rounds a row length up to whole vectors. */
export function padded(cols: number): number {
  return Math.ceil(cols / 4) * 4;
}

/** Computes a product (GEMM) as `[batch, rows, cols]`; the batch axes are one. */
export function product(p: Product): Tensor {
  const { rows, cols } = p.sizes;
  const full = productPadded(p);
  return resizeRows(full, cols, [full.size / padded(cols) / rows, rows, cols]);
}

/**
 * Computes {@linkcode product} with every row padded to whole vectors: `[batch, rows, padded(cols)]`, or laid by the
 * strides of the layout.
 */
export function productPadded({ a, b, sizes, layout = PACKED, epilogue = PLAIN, sums, norm }: Product): Tensor {
  const p = { a, b, sizes, layout, epilogue, sums, norm };
  const { rows, cols, inner, triangles } = sizes;
  const { bias, into, dtype = "f32" } = epilogue;
  const { strides } = layout;
  if (cols === 1 && rows > 1 && !bias && !into && !strides) return columnProduct(p);
  const { device } = a;
  const count = sizeOf(layout.batch.sizes);
  const shape = strides ? [strides.size] : [count, rows, padded(cols)];
  const size = sizeOf(shape);
  const whole = !triangles && !isPart(strides);
  const textureBytes = whole ? textureBytesOf(b) : 0;
  const asked = {
    rows,
    cols4: padded(cols) / 4,
    batch: count,
    terms: inner,
    resultBytes: size * 4,
    sums,
    textureBytes,
  };
  const plan = whole
    ? choosePlan(policyOf(device), asked, () => questionOf(p, count))
    : tablePlan(policyOf(device), { ...asked, mostSplits: into || triangles ? 1 : undefined });
  const depth = Math.ceil(inner / plan.splits / 8) * 8; // a slice of the tiles
  const splits = Math.ceil(inner / depth);
  const result: Tensor = into ?? new Tensor(device, shape, { dtype });
  const target = splits === 1 ? result : new Tensor(device, [splits, size]);
  run(p, plan.form, triangles ? { depth: TRIANGLE_DEPTH, splits } : { depth, splits }, target);
  if (splits > 1) {
    const accumulate = into !== undefined;
    sumMiddleInto(target, result, { outer: 1, length: splits, inner: size, bias, cols: padded(cols), accumulate });
    target.dispose();
  }
  return result;
}

/** Makes the question that times a product: bias and accumulation cost the same in all plans, so they are left out. */
function questionOf(p: WholeProduct, count: number): Pick<Question, "key" | "prepare"> {
  const { a, b, sizes: { rows, cols, inner }, layout: { transposeA, transposeB, strides } } = p;
  const laid = strides ? ` rows ${[strides.a, strides.b, strides.c].map(({ row }) => row).join(",")}` : "";
  const sides = `${transposeA ? "At" : "A"}${transposeB ? "Bt" : "B"}`;
  return {
    key: `matmul ${sides} ${count} x ${rows}x${inner}x${cols}${laid} ${a.dtype}`,
    prepare() {
      const [x, y] = [noiseLike(a, 1), noiseLike(b, 2)];
      const { dtype, gate } = p.epilogue;
      return {
        run: () => productPadded({ ...p, a: x, b: y, epilogue: { dtype, gate }, norm: undefined }),
        defined: strides
          ? (c) => resizeRows(c.alias([c.size / strides.c.row, strides.c.row]), strides.c.matrix * count)
          : undefined,
      };
    },
  };
}

/** Random numbers in [−1, 1) in the shape and dtype of x. */
export function noiseLike(x: Pick<Tensor, "shape" | "device" | "dtype">, seed: number): Tensor {
  const noise = uniform(x.shape, { key: key(seed), low: -1, device: x.device });
  return x.dtype === "f16" ? castTo(noise, "f16") : noise;
}

/** Computes a product with one column as the transpose of one with one row, where the wide blocks are of use. */
function columnProduct({ a, b, sizes: { rows, inner }, layout, epilogue: { dtype }, sums }: WholeProduct): Tensor {
  const { batch } = layout;
  const row = product({
    a: b,
    b: a,
    sizes: { rows: 1, cols: rows, inner },
    layout: packed({
      transposeA: !layout.transposeB,
      transposeB: !layout.transposeA,
      batch: { sizes: batch.sizes, a: batch.b, b: batch.a },
    }),
    epilogue: { dtype },
    sums,
  });
  return resizeRows(row.alias([row.shape[0]!, rows, 1]), 4, [row.shape[0]!, rows, 4]);
}

function run(p: WholeProduct, form: ProductForm, parts: { depth: number; splits: number }, target: Tensor): void {
  const { sizes: { rows, cols, inner }, epilogue: { bias, gate } } = p;
  const { transposeA, transposeB, batch, strides } = p.layout;
  const { device } = p.a;
  const count = sizeOf(batch.sizes);
  const a = strides ? p.a : resizeRows(p.a, padded(p.a.shape.at(-1)!));
  const b = strides ? p.b : resizeRows(p.b, padded(p.b.shape.at(-1)!));
  const inA = strides?.a ?? rowsOf(a, transposeA ? inner : rows);
  const inB = strides?.b ?? rowsOf(b, transposeB ? cols : inner);
  const inC = strides?.c ?? { row: padded(cols), matrix: rows * padded(cols) };
  const { depth, splits } = parts;
  const split4 = (strides?.size ?? count * inC.matrix) / 4;
  const whole = splits === 1; // else the sum over the parts adds what is to be added
  const { found, gradient, ...extras } = whole ? sideOf(p, form) : NO_SIDE;
  const sizes = { rows, cols4: padded(cols) / 4, inner, depth, segments: Math.ceil(inner / depth), splits, split4 };
  const steps = { ...batchSteps(batch, inA, inB), lda4: inA.row / 4, ldb4: inB.row / 4, ldc4: inC.row / 4 };
  const added = whole ? bias : undefined;
  const constants = { ...constantsOf(device, form, sizes), ...switchesOf(p, whole && !gradient) };
  const [x, y] = device.groups(workgroupCount(form, rows, padded(cols) / 4), 1);
  const limit = device.limits.maxComputeWorkgroupsPerDimension;
  for (let first_z = 0; first_z < count * splits; first_z += limit) {
    device.dispatch(programOf(device, form, { a, b, c: target }, { ...extras, gradient, norm: p.norm }), {
      params: { ...sizes, ...steps, c_step: inC.matrix / 4, first_z },
      buffers: {
        1: windowFrom(a, inA.from),
        2: windowFrom(b, inB.from),
        3: windowFrom(target, inC.from),
        4: (added ?? gate ?? b).storage,
        5: found?.storage,
        7: p.norm?.storage,
        ...(gradient && gradientBindings(gradient)),
      },
      workgroups: [x, y, Math.min(limit, count * splits - first_z)],
      constants,
    });
  }
  if (a !== p.a) a.dispose();
  if (b !== p.b) b.dispose();
}

const NO_SIDE = { found: undefined, gradient: undefined, moments: false, adds: false } as const;

/** Makes room for the side output of a sum that is not split: moments, or sums of a gradient. */
function sideOf({ a, sizes: { rows, cols }, epilogue }: WholeProduct, form: ProductForm) {
  const gradient = form.memory > 0 ? epilogue.gradient : undefined;
  const found = (gradient ?? epilogue.side)?.open(a.device, Math.ceil(rows / form.rows), cols);
  return { found, gradient, moments: found !== undefined && !gradient, adds: epilogue.into !== undefined };
}

function gradientBindings({ x, moments, mask }: GradientSums) {
  const told = "output" in mask ? { 6: mask.output.storage } : { 7: mask.reading.storage };
  return { ...told, 8: x.storage, 9: moments.storage };
}

/** The constants of a product that its form does not set; those for triangles and gates only where there are any. */
function switchesOf({ sizes, layout, epilogue: { bias, into, gate } }: WholeProduct, whole: boolean): Constants {
  return {
    A_T: layout.transposeA,
    B_T: layout.transposeB,
    K_TAIL: sizes.inner % 4 !== 0,
    BIAS: bias !== undefined && whole,
    ACCUMULATE: into !== undefined && whole,
    ...triangleConstants(sizes.triangles),
    ...(gate && { GATE: true }),
  };
}

/** Vectors from matrix to matrix along the axes of the batch. */
function batchSteps({ sizes, a, b }: BatchAxes, inA: Strides, inB: Strides) {
  const [ofA, ofB] = [inA.matrix / 4, inB.matrix / 4];
  const [a0, a1, a2] = [a[0] * ofA, a[1] * ofA, a[2] * ofA];
  const [b0, b1, b2] = [b[0] * ofB, b[1] * ofB, b[2] * ofB];
  return { batch1: sizes[1], batch2: sizes[2], a0, a1, a2, b0, b1, b2 };
}

/** The constants that narrow a sum; none for most products, whose pipelines they would double. */
function triangleConstants(triangles?: Triangles): Constants {
  if (!triangles) return {};
  const { fromRow = false, fromCol = false, toRow = false, toCol = false, lower = false } = triangles;
  return { FROM_ROW: fromRow, FROM_COL: fromCol, TO_ROW: toRow, TO_COL: toCol, LOWER: lower };
}

/** A tensor's storage from an element on. */
function windowFrom({ storage, dtype }: Tensor, element = 0): DeviceStorage | StorageWindow {
  const offset = bytesOf(dtype) * element;
  return element === 0 ? storage : { storage, offset, size: storage.bytes - offset };
}

/** Strides of matrices of `rows` rows, one after another. */
function rowsOf(x: Tensor, rows: number): Strides {
  const row = x.shape.at(-1)!;
  return { row, matrix: rows * row };
}

/** Rows of another length, padded with zeros or cropped, and fewer of them when `shape` says so; x itself where that changes nothing. */
export function resizeRows(x: Tensor, cols: number, shape: Shape = [...x.shape.slice(0, -1), cols]): Tensor {
  const from = x.shape.at(-1)!;
  if (from === cols && sizeOf(shape) === x.size) {
    return x.rank === shape.length && x.shape.every((n, i) => n === shape[i]) ? x : x.alias(shape);
  }
  const y = new Tensor(x.device, shape, { dtype: x.dtype });
  const size = Math.ceil(y.size / 4);
  x.device.dispatch(PAD[floatOf(x)], {
    params: { size, from_cols: from, to_cols: cols },
    buffers: { 1: x.storage, 2: y.storage },
    workgroups: x.device.groups(size, 64),
  });
  return y;
}
