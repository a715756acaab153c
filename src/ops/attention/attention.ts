import { defineOp } from "../../autograd/mod.ts";
import { type FloatDType, type Shape, sizeOf, type Tensor, zeros } from "../../tensor/mod.ts";
import { castTo, checkOptions, floatOf, stridesOf } from "../../tensor/internal.ts";
import { pad } from "../move/pad.ts";
import { reshape } from "../move/reshape.ts";
import { slice } from "../move/slice.ts";
import { gatherStrided } from "../move/strided.ts";
import { checkFloat } from "../shared/check.ts";
import { attend, attendGrad } from "./forms.ts";
import type { AttentionLayout, AttentionRows } from "./layout.ts";

/** Settings of {@linkcode attention}. */
export interface AttentionOptions {
  /** Factor of the products of queries and keys; `1 / √d` by default. */
  scale?: number;
  /** Whether query i sees no keys past number i; false by default. */
  causal?: boolean;
}

/** Settings of {@linkcode selfAttention}. */
export interface SelfAttentionOptions extends AttentionOptions {
  /** Heads that the features are divided into. */
  heads: number;
}

/** Maximum number of features of a head: a workgroup has that many invocations. */
const MOST_FEATURES = 256;

const attentionOp = defineOp<readonly [Tensor, Tensor, Tensor], AttentionLayout>({
  name: "attention",
  half: true,
  forward(context, inputs, layout) {
    const dtype: FloatDType = inputs.every((x) => x.dtype === "f16") ? "f16" : "f32";
    const [q, k, v] = inputs.map((x) => castTo(x, dtype)) as [Tensor, Tensor, Tensor];
    if (q.size === 0) return q.alias(q.shape);
    const { out, lse } = attend({ q, k, v }, layout, q.shape);
    context.save(q, k, v, out, lse);
    return out;
  },
  backward({ saved, shapes, dtypes }, grad, layout) {
    if (saved.length === 0) return shapes.map((shape) => zeros(shape, { device: grad.device }));
    const [q, k, v, out, lse] = saved as [Tensor, Tensor, Tensor, Tensor, Tensor];
    const grads = attendGrad({ q, k, v }, layout, { out, lse }, grad);
    return shapes.map((shape, i) => castTo(part(grads, 4 * layout.gradFrom[i]!, shape), dtypes[i] as FloatDType));
  },
});

/** Elements of a flat tensor from one on, as f32 (what moves elements knows words only). */
function part(x: Tensor, offset: number, shape: Shape): Tensor {
  return gatherStrided("attention", { tensor: castTo(x, "f32"), offset, strides: stridesOf(shape) }, shape);
}

const selfAttentionOp = defineOp<readonly [Tensor], AttentionLayout>({
  name: "selfAttention",
  half: true,
  forward(context, [x], layout) {
    const [batch, n, features] = x.shape as [number, number, number];
    const shape = [batch, n, features / 3];
    if (x.size === 0) return zeros(shape, { device: x.device, dtype: floatOf(x) });
    const { out, lse } = attend({ q: x, k: x, v: x }, layout, shape);
    context.save(x, out, lse);
    return out;
  },
  backward({ saved, shapes: [shape] }, grad, layout) {
    const [x, out, lse] = saved as [Tensor, Tensor, Tensor];
    if (!x) return [zeros(shape!, { device: grad.device })];
    return [attendGrad({ q: x, k: x, v: x }, layout, { out, lse }, grad).alias(shape!)];
  },
});

/**
 * Attention: `softmax(scale · q kᵀ) v` for each sample and head, as PyTorch's `scaled_dot_product_attention`.
 *
 * The products of queries and keys are made a tile at a time (of 32 by 32 on GPUs; on CPUs, where large products are
 * quicker, of at most 8 MiB) and made again in the gradient, so that no n × m of all heads is ever stored: what is kept beside
 * the operands is one number a query. Sums are f32; f16 operands give f16.
 *
 * @param q Queries `[…, n, d]`, f32 or f16, d ≤ 256; the axes before n (samples, heads) are those of k and v.
 * @param k Keys `[…, m, d]`, m ≥ 1.
 * @param v Values `[…, m, d]`.
 * @param options `scale`, `causal`.
 * @returns `[…, n, d]`.
 * @throws {TypeError} If a tensor is not f32 or f16, or the shapes do not match.
 * @throws {RangeError} If d is above 256, or `scale` not finite.
 *
 * @example Usage
 * ```ts
 * import { Device, ones, tensor } from "@decoupled/uniformity";
 * import { attention } from "@decoupled/uniformity/ops";
 * import { assertClose } from "@decoupled/uniformity/testing";
 *
 * await using _device = await Device.open();
 * const [q, k] = [ones([1, 1, 4]), ones([1, 2, 4])]; // both keys count alike
 * const v = tensor([[[0, 1, 2, 3], [2, 3, 4, 5]]]);
 * assertClose(await attention(q, k, v).data(), [1, 2, 3, 4]);
 * ```
 *
 * @see Dao et al., "FlashAttention", arXiv:2205.14135.
 */
export function attention(q: Tensor, k: Tensor, v: Tensor, options: AttentionOptions = {}): Tensor<"f32"> {
  checkOptions("compute attention()", options, ["scale", "causal"]);
  checkFloat("attention", q, k, v);
  const [n, d] = q.shape.slice(-2) as [number, number];
  const m = k.shape.at(-2) ?? 0;
  const outer = q.shape.slice(0, -2);
  if (q.rank < 2 || d === 0 || m === 0 || `${k.shape}` !== `${[...outer, m, d]}` || `${v.shape}` !== `${k.shape}`) {
    throw new TypeError(
      "Cannot compute attention() as q must be [..., n, d], k and v [..., m, d] with m and d >= 1: " +
        `got q [${q.shape}], k [${k.shape}] and v [${v.shape}]`,
    );
  }
  const settings = settingsOf("attention", d, options);
  const heads = sizeOf(outer);
  const wide = 4 * Math.ceil(d / 4);
  const [q3, k3, v3] = [q, k, v].map((x) => widen(x, heads, wide)) as [Tensor, Tensor, Tensor];
  const d4 = wide / 4;
  const rows = (count: number): AttentionRows => ({ from: 0, batch: 0, head: count * d4, row: d4 });
  const gradFrom = [0, heads * n * d4, heads * (n + m) * d4] as const;
  const places = { q: rows(n), k: rows(m), v: rows(m), out: rows(n), gradFrom };
  const out = attentionOp([q3, k3, v3], { batch: 1, heads, queries: n, keys: m, d4, ...places, ...settings });
  return reshape(wide === d ? out : slice(out, [null, null, { stop: d }]), q.shape);
}

/** Pads x to `[heads, rows, wide]`, with zeros behind each row. */
function widen(x: Tensor, heads: number, wide: number): Tensor {
  const [rows, d] = x.shape.slice(-2) as [number, number];
  const flat = reshape(x, [heads, rows, d]);
  return wide === d ? flat : pad(flat, [[0, 0], [0, 0], [0, wide - d]]);
}

/**
 * Attention among the rows of each sample, with queries, keys and values side by side as one linear layer gives them:
 * what {@linkcode attention} computes, without a copy of any.
 *
 * @param qkv `[batch, n, 3 · heads · d]`, f32 or f16, n ≥ 1: all heads' queries, then all keys, then all values, as timm's and
 *   PyTorch's `in_proj` have them; d is a multiple of 4 up to 256.
 * @param options `heads`, and those of {@linkcode attention}.
 * @returns `[batch, n, heads · d]`.
 * @throws {TypeError} If qkv is not f32 or f16 or of another shape.
 * @throws {RangeError} If d is above 256 or no multiple of 4, or `scale` not finite.
 *
 * @example Usage
 * ```ts
 * import { Device, ones } from "@decoupled/uniformity";
 * import { selfAttention } from "@decoupled/uniformity/ops";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * assertEquals(selfAttention(ones([2, 5, 3 * 2 * 8]), { heads: 2 }).shape, [2, 5, 16]);
 * ```
 */
export function selfAttention(qkv: Tensor, options: SelfAttentionOptions): Tensor<"f32"> {
  checkOptions("compute selfAttention()", options, ["scale", "causal", "heads"]);
  checkFloat("selfAttention", qkv);
  const { heads } = options;
  const [batch, n, all] = qkv.shape as [number, number, number];
  const d = all / 3 / heads;
  if (qkv.rank !== 3 || n === 0 || !Number.isInteger(d) || d < 1 || !Number.isInteger(heads)) {
    throw new TypeError(
      "Cannot compute selfAttention() as qkv must be [batch, n, 3 heads d] with n and d >= 1: " +
        `got [${qkv.shape}] and ${heads} heads`,
    );
  }
  if (d % 4 !== 0) {
    throw new RangeError(`Cannot compute selfAttention() as a head must have a multiple of 4 features: got ${d}`);
  }
  const settings = settingsOf("selfAttention", d, options);
  const d4 = d / 4;
  const row = 3 * heads * d4;
  const rows = (which: number): AttentionRows => ({ from: which * heads * d4, batch: n * row, head: d4, row });
  const out = { from: 0, batch: n * heads * d4, head: d4, row: heads * d4 };
  const places = { q: rows(0), k: rows(1), v: rows(2), out, gradFrom: [0, 0, 0] as const };
  return selfAttentionOp([qkv], { batch, heads, queries: n, keys: n, d4, ...places, ...settings });
}

function settingsOf(op: string, d: number, options: AttentionOptions): { scale: number; causal: boolean } {
  const { scale = 1 / Math.sqrt(d), causal = false } = options;
  if (d > MOST_FEATURES) {
    throw new RangeError(
      `Cannot compute ${op}() as a head must have at most ${MOST_FEATURES} features: got ${d}`,
    );
  }
  if (!Number.isFinite(Math.fround(scale))) {
    throw new RangeError(`Cannot compute ${op}() as scale must be finite: current value is ${scale}`);
  }
  return { scale, causal };
}
