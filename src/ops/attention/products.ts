// Attention by matrix products of some heads and queries at a time: for CPU adapters, where those are quickest.
import { defineProgram } from "../../device/mod.ts";
import { attention_weights as code } from "../../shaders/attention.ts";
import { lib_flat, lib_nan, lib_rows } from "../../shaders/lib.ts";
import { type Shape, Tensor, zeros } from "../../tensor/mod.ts";
import { castTo, floatOf } from "../../tensor/internal.ts";
import { copyStrided, type Walk } from "../move/strided.ts";
import { packed } from "../product/layout.ts";
import { padded, productPadded } from "../product/product.ts";
import { laneForm } from "../shared/lanes.ts";
import { rowConstants } from "../shared/rows.ts";
import { deltaOf } from "./delta.ts";
import {
  type Attended,
  type AttentionLayout,
  type AttentionOperands,
  type AttentionRows,
  FOURS,
  gradSize,
} from "./layout.ts";

const SOFTEN = defineProgram({
  name: "attention weights",
  code: [FOURS, lib_flat, lib_nan, lib_rows, code],
  form: "attention:products",
  entryPoint: "soften",
});
const SOFTEN_GRAD = { ...SOFTEN, name: "attention weights grad", entryPoint: "soften_grad" };

/** Maximum number of products of queries and keys at once: 8 MiB. */
const MOST = 2 ** 21;

/** Chunk of the work: some heads of some samples (all heads, or one sample), and some queries of each. */
interface Chunk {
  readonly sample: number;
  readonly samples: number;
  readonly head: number;
  readonly heads: number;
  readonly first: number;
  readonly count: number;
}

/** Computes `attend` of forms.ts by matrix products. */
export function attendProducts(operands: AttentionOperands, layout: AttentionLayout, shape: Shape): Attended {
  const { q, k, v } = inFull(operands);
  const out = new Tensor(q.device, shape);
  const lse = new Tensor(q.device, [layout.batch * layout.heads, layout.queries]);
  for (const chunk of chunksOf(layout)) {
    const keys = keyRows(k, layout.k, chunk, layout);
    const weights = times(queryRows(q, layout.q, chunk, layout), keys, { transposeB: true });
    soften(weights, lse, chunk, layout);
    const result = times(weights, keyRows(v, layout.v, chunk, layout), {});
    copyStrided("attention", { tensor: result }, walk(out, layout.out, chunk, chunk.first), sizesOf(chunk, layout));
  }
  return { out: castTo(out, floatOf(operands.q)), lse };
}

/** Computes `attendGrad` of forms.ts by matrix products. */
export function attendProductsGrad(
  operands: AttentionOperands,
  layout: AttentionLayout,
  { out, lse }: Attended,
  grad: Tensor,
): Tensor {
  const { q, k, v } = inFull(operands);
  const [gradOut, delta] = [castTo(grad, "f32"), deltaOf(out, grad, layout)];
  const grads = new Tensor(q.device, [gradSize(layout)]);
  const into = (rows: AttentionRows, which: 0 | 1 | 2) => ({ ...rows, from: rows.from + layout.gradFrom[which] });
  let sums: [Tensor, Tensor] | null = null;
  for (const chunk of chunksOf(layout)) {
    const [queries, keys] = [queryRows(q, layout.q, chunk, layout), keyRows(k, layout.k, chunk, layout)];
    const gradRows = queryRows(gradOut, layout.out, chunk, layout);
    const weights = times(queries, keys, { transposeB: true });
    const slopes = times(gradRows, keyRows(v, layout.v, chunk, layout), { transposeB: true });
    softenGrad(weights, slopes, { lse, delta }, chunk, layout);
    const gradQ = times(slopes, keys, {});
    copyStrided(
      "attention",
      { tensor: gradQ },
      walk(grads, into(layout.q, 0), chunk, chunk.first),
      sizesOf(chunk, layout),
    );
    sums = [[slopes, queries], [weights, gradRows]].map(([a, b], i) =>
      times(a!, b!, { transposeA: true, into: chunk.first === 0 ? undefined : sums![i] })
    ) as [Tensor, Tensor];
    if (chunk.first + chunk.count < layout.queries) continue;
    const all = [chunk.samples, chunk.heads, layout.keys, 4 * layout.d4];
    const from = cut(sums, layout);
    copyStrided("attention", from[0], walk(grads, into(layout.k, 1), chunk, 0), all);
    copyStrided("attention", from[1], walk(grads, into(layout.v, 2), chunk, 0), all);
  }
  return castTo(grads, floatOf(operands.q));
}

function inFull({ q, k, v }: AttentionOperands): AttentionOperands {
  const full = castTo(q, "f32");
  return { q: full, k: k === q ? full : castTo(k, "f32"), v: v === q ? full : castTo(v, "f32") };
}

/** Chunks whose products are at most {@linkcode MOST}; those of the same heads follow each other. */
function* chunksOf({ batch, heads, queries, keys }: AttentionLayout): Iterable<Chunk> {
  const matrix = queries * padded(keys);
  const most = Math.max(1, Math.floor(MOST / matrix)); // heads
  const samples = Math.max(1, Math.min(batch, Math.floor(most / heads)));
  const some = samples > 1 ? heads : Math.min(heads, most);
  const count = Math.min(queries, Math.max(32, Math.floor(MOST / padded(keys))));
  for (let sample = 0; sample < batch; sample += samples) {
    for (let head = 0; head < heads; head += some) {
      for (let first = 0; first < queries; first += count) {
        yield {
          sample,
          samples: Math.min(samples, batch - sample),
          head,
          heads: Math.min(some, heads - head),
          first,
          count: Math.min(count, queries - first),
        };
      }
    }
  }
}

/** The rows of a chunk from one on, where they lie. */
function walk(tensor: Tensor, { from, batch, head, row }: AttentionRows, chunk: Chunk, first: number): Walk {
  const offset = 4 * (from + chunk.sample * batch + chunk.head * head + first * row);
  return { tensor, offset, strides: [4 * batch, 4 * head, 4 * row, 1] };
}

function sizesOf({ samples, heads, count }: Chunk, { d4 }: AttentionLayout): number[] {
  return [samples, heads, count, 4 * d4];
}

/** A copy of a chunk's rows of queries, `[samples · heads, count, d]`. */
function queryRows(x: Tensor, rows: AttentionRows, chunk: Chunk, layout: AttentionLayout): Tensor {
  const { samples, heads, count } = chunk;
  const y = new Tensor(x.device, [samples * heads, count, 4 * layout.d4]);
  copyStrided("attention", walk(x, rows, chunk, chunk.first), { tensor: y }, sizesOf(chunk, layout));
  return y;
}

/** A copy of a chunk's rows of keys, with zeros up to a multiple of four rows. */
function keyRows(x: Tensor, rows: AttentionRows, chunk: Chunk, { keys, d4 }: AttentionLayout): Tensor {
  const { samples, heads } = chunk;
  const wide = padded(keys);
  const shape = [samples * heads, wide, 4 * d4];
  const y = wide === keys ? new Tensor(x.device, shape) : zeros(shape, { device: x.device });
  const strides = [heads * wide * 4 * d4, wide * 4 * d4, 4 * d4, 1];
  copyStrided("attention", walk(x, rows, chunk, 0), { tensor: y, strides }, [samples, heads, keys, 4 * d4]);
  return y;
}

/** Sums of keys without the rows that {@linkcode keyRows} adds, as something to copy from. */
function cut(sums: readonly [Tensor, Tensor], { heads, keys, d4 }: AttentionLayout): [Walk, Walk] {
  const matrix = padded(keys) * 4 * d4;
  return sums.map((tensor): Walk => ({ tensor, strides: [heads * matrix, matrix, 4 * d4, 1] })) as [Walk, Walk];
}

interface Transposed {
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
  readonly into?: Tensor;
}

/** Products of matrices pair by pair. */
function times(a: Tensor, b: Tensor, { transposeA = false, transposeB = false, into }: Transposed): Tensor {
  const [count, a0, a1] = a.shape as [number, number, number];
  const [, b0, b1] = b.shape as [number, number, number];
  const [rows, inner] = transposeA ? [a1, a0] : [a0, a1];
  const steps = [0, 0, 1] as const;
  const batch = { sizes: [1, 1, count], a: steps, b: steps } as const;
  const layout = packed({ transposeA, transposeB, batch });
  return productPadded({ a, b, sizes: { rows, cols: transposeB ? b0 : b1, inner }, layout, epilogue: { into } });
}

function paramsOf(weights: Tensor, chunk: Chunk, layout: AttentionLayout) {
  const [heads, count, wide] = weights.shape as [number, number, number];
  const { keys, queries, scale, causal } = layout;
  const head = chunk.sample * layout.heads + chunk.head;
  const own = { keys, scale, causal: causal ? 1 : 0, queries, first: chunk.first, count, head };
  return { rows: heads * count, columns: wide / 4, ...own };
}

function soften(weights: Tensor, lse: Tensor, chunk: Chunk, layout: AttentionLayout): void {
  const { device } = weights;
  const params = paramsOf(weights, chunk, layout);
  const constants = rowConstants(device, params.columns);
  device.dispatch(laneForm(device, SOFTEN, constants.LANES), {
    params,
    buffers: { 1: weights.storage, 2: lse.storage },
    workgroups: device.groups(params.rows, constants.ROWS),
    constants,
  });
}

function softenGrad(
  weights: Tensor,
  slopes: Tensor,
  { lse, delta }: { lse: Tensor; delta: Tensor },
  chunk: Chunk,
  layout: AttentionLayout,
): void {
  const { device } = weights;
  const params = paramsOf(weights, chunk, layout);
  device.dispatch(SOFTEN_GRAD, {
    params,
    buffers: { 1: weights.storage, 2: lse.storage, 3: delta.storage, 4: slopes.storage },
    workgroups: device.groups(params.rows * params.columns, 64),
  });
}
