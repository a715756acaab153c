import { defineOp } from "../../autograd/mod.ts";
import { broadcastShapes, type FloatDType, type Shape, sizeOf, type Tensor, zeros } from "../../tensor/mod.ts";
import { checkOptions } from "../../tensor/internal.ts";
import { checkFloat } from "../shared/check.ts";
import { batchAxes, sumToBatch } from "./_batch.ts";
import { packed } from "./layout.ts";
import { inPrecision, precisionOf, sumsOf } from "./precision.ts";
import { padded, product, productPadded, resizeRows } from "./product.ts";

/** Options of {@linkcode matmul}: which operands to transpose. */
export interface MatmulOptions {
  /** Whether to read `a` as `[…, k, m]`, without a copy; false by default. */
  transposeA?: boolean;
  /** Whether to read `b` as `[…, n, k]`, without a copy; false by default. */
  transposeB?: boolean;
}

/** The sizes of a product. */
interface Folded {
  readonly rows: number;
  readonly cols: number;
  readonly inner: number;
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  readonly aBatch: Shape;
  readonly bBatch: Shape;
  /** Shape of the result. */
  readonly shape: Shape;
}

const matmulOp = defineOp<readonly [Tensor, Tensor], Folded>({
  name: "matmul",
  half: true,
  forward(context, inputs, folded) {
    const dtype = precisionOf(inputs);
    const [a, b] = inputs.map((x) => inPrecision(x, dtype)) as [Tensor, Tensor];
    context.save(a, b);
    const { shape, inner, aBatch, bBatch } = folded;
    if (sizeOf(shape) === 0 || inner === 0) return zeros(shape, { device: a.device, dtype });
    const { rows, cols, transposeA, transposeB } = folded;
    const layout = packed({ transposeA, transposeB, batch: batchAxes(aBatch, bBatch) });
    const sizes = { rows, cols, inner };
    return product({ a, b, sizes, layout, epilogue: { dtype }, sums: sumsOf(a, b) }).alias(shape);
  },
  backward({ needsGrad, saved, shapes, dtypes }, grad, folded) {
    const [a, b] = saved as [Tensor, Tensor];
    const { aBatch, bBatch } = folded;
    const batch = broadcastShapes(aBatch, bBatch, "matmul");
    const [x, y, dz] = [{ x: a, batch: aBatch }, { x: b, batch: bBatch }, { x: grad, batch }];
    const { rows: m, cols: n, inner: k, transposeA, transposeB } = folded;
    const gradA = transposeA
      ? { p: y, q: dz, rows: k, cols: m, inner: n, transposeA: transposeB, transposeB: true }
      : { p: dz, q: y, rows: m, cols: k, inner: n, transposeA: false, transposeB: !transposeB };
    const gradB = transposeB
      ? { p: dz, q: x, rows: n, cols: k, inner: m, transposeA: true, transposeB: transposeA }
      : { p: x, q: dz, rows: k, cols: n, inner: m, transposeA: !transposeA, transposeB: false };
    return [{ of: gradA, own: aBatch }, { of: gradB, own: bBatch }].map(({ of, own }, i) =>
      needsGrad[i] ? gradient(of, { batch, own, shape: shapes[i]!, dtype: dtypes[i] as FloatDType }) : null
    );
  },
});

interface Batched {
  readonly x: Tensor;
  readonly batch: Shape;
}

type GradientProduct =
  & { readonly p: Batched; readonly q: Batched }
  & Pick<Folded, "rows" | "cols" | "inner" | "transposeA" | "transposeB">;

interface Operand {
  /** Batch of the result, and the operand's own. */
  readonly batch: Shape;
  readonly own: Shape;
  readonly shape: Shape;
  readonly dtype: FloatDType;
}

/** Computes `p q` of every pair of the batch, summed to the operand's own batch. */
function gradient({ p, q, ...how }: GradientProduct, { batch, own, shape, dtype }: Operand): Tensor {
  const { transposeA, transposeB, ...sizes } = how;
  if (sizeOf(shape) === 0 || sizes.inner === 0 || sizeOf(batch) === 0) return zeros(shape, { device: p.x.device });
  const alone = sizeOf(batch) === sizeOf(own); // what is yet to be summed stays f32
  const full = productPadded({
    a: p.x,
    b: q.x,
    sizes,
    layout: packed({ transposeA, transposeB, batch: batchAxes(p.batch, q.batch) }),
    epilogue: { dtype: alone ? dtype : "f32" },
    sums: sumsOf(p.x, q.x),
  });
  const summed = sumToBatch(full, batch, own, sizes.rows * padded(sizes.cols));
  return resizeRows(summed.alias([...own, sizes.rows, padded(sizes.cols)]), sizes.cols, shape);
}

/**
 * Matrix product `c = a · b` of the last two axes; the axes before broadcast as NumPy's do.
 *
 * Sums are kept in f32; inside `autocast`, or where a or b is f16, c is f16, and what is no parameter is read as f16.
 * Where `b` is one matrix, the batch of `a` counts as rows of one large product.
 *
 * @param a Shape `[…, m, k]`, f32 or f16; `[…, k, m]` with `transposeA`.
 * @param b Shape `[…, k, n]`, f32 or f16; `[…, n, k]` with `transposeB`.
 * @returns Shape `[…, m, n]`.
 * @throws {TypeError} If an operand is not f32 or f16, has fewer than two axes, or the shapes do not match.
 *
 * @example Usage
 * ```ts
 * import { Device, matmul, tensor } from "@decoupled/uniformity";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const a = tensor([[1, 2], [3, 4]]);
 * const b = tensor([[1, 1]]);
 * assertEquals(await matmul(a, b, { transposeB: true }).data(), new Float32Array([3, 7]));
 * ```
 */
export function matmul(a: Tensor, b: Tensor, options: MatmulOptions = {}): Tensor<"f32"> {
  checkOptions("compute matmul()", options, ["transposeA", "transposeB"]);
  checkFloat("matmul", a, b);
  return matmulOp([a, b], foldedOf(a.shape, b.shape, options));
}

function foldedOf(a: Shape, b: Shape, { transposeA = false, transposeB = false }: MatmulOptions): Folded {
  const [m, k] = lastTwo(a, transposeA);
  const [k2, n] = lastTwo(b, transposeB);
  if (a.length < 2 || b.length < 2 || k !== k2) {
    const wanted = `a must be [${transposeA ? "…, k, m" : "…, m, k"}] and b [${transposeB ? "…, n, k" : "…, k, n"}]`;
    throw new TypeError(`Cannot compute matmul() as ${wanted}: got a [${a}] and b [${b}]`);
  }
  const [aBatch, bBatch] = [a.slice(0, -2), b.slice(0, -2)];
  const batch = broadcastShapes(aBatch, bBatch, "matmul");
  const folded = { rows: m, cols: n, inner: k, transposeA, transposeB, shape: [...batch, m, n] };
  // One matrix b for all of a: the batch of a counts as rows.
  if (!transposeA && sizeOf(bBatch) === 1) return { ...folded, rows: sizeOf(batch) * m, aBatch: [], bBatch: [] };
  batchAxes(aBatch, bBatch);
  return { ...folded, aBatch, bBatch };
}

function lastTwo(shape: Shape, transpose: boolean): [number, number] {
  const [rows = -1, cols = -2] = shape.slice(-2);
  return transpose ? [cols, rows] : [rows, cols];
}
