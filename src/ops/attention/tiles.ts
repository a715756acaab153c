// Attention by tiles that a workgroup keeps to itself: for GPUs.
import { defineProgram, type Device, type Part } from "../../device/mod.ts";
import { withParts } from "../../device/internal.ts";
import { attention as forwardCode, attention_grad_kv, attention_grad_q } from "../../shaders/attention.ts";
import { lib_attention, lib_attention_grad, lib_attention_rows, lib_nan } from "../../shaders/lib.ts";
import { type FloatDType, type Shape, Tensor } from "../../tensor/mod.ts";
import { deltaOf } from "./delta.ts";
import { type Attended, type AttentionLayout, type AttentionOperands, FOURS, gradSize } from "./layout.ts";
import { elementAliases, floatOf } from "../../tensor/internal.ts";

function programs<const C extends readonly Part[]>(name: string, code: C, entryPoint: string) {
  const program = defineProgram({ name, form: "attention:tiles", code, entryPoint });
  const make = (dtype: FloatDType) => withParts(program, elementAliases({ X: dtype }));
  return { f32: make("f32"), f16: make("f16") };
}

const GRAD = [FOURS, lib_nan, lib_attention, lib_attention_grad] as const;
const FORWARD = programs("attention", [FOURS, lib_nan, lib_attention, lib_attention_rows, forwardCode], "forward");
const GRAD_Q = programs("attention grad q", [...GRAD, lib_attention_rows, attention_grad_q], "backward_q");
const GRAD_KV = programs("attention grad kv", [...GRAD, attention_grad_kv], "backward_kv");

/** Queries, or keys, of a workgroup. */
const TILE = 32;

/** Computes `attend` of forms.ts in tiles, without storing scores (online softmax, as FlashAttention). */
export function attendTiles({ q, k, v }: AttentionOperands, layout: AttentionLayout, shape: Shape): Attended {
  const out = new Tensor(q.device, shape, { dtype: floatOf(q) });
  const lse = new Tensor(q.device, [layout.batch * layout.heads, layout.queries]);
  q.device.dispatch(FORWARD[floatOf(q)], {
    ...sharedOut(q.device, layout, layout.queries),
    buffers: { 1: q.storage, 2: k.storage, 3: v.storage, 4: out.storage, 5: lse.storage },
  });
  return { out, lse };
}

/** Computes `attendGrad` of forms.ts in tiles. */
export function attendTilesGrad(
  { q, k, v }: AttentionOperands,
  layout: AttentionLayout,
  { out, lse }: Attended,
  grad: Tensor,
): Tensor {
  const { device } = q;
  const grads = new Tensor(device, [gradSize(layout)], { dtype: floatOf(q) });
  const delta = deltaOf(out, grad, layout);
  const operands = { 1: q.storage, 2: k.storage, 3: v.storage };
  const buffers = { ...operands, 4: grad.storage, 5: lse.storage, 6: delta.storage, 7: grads.storage };
  device.dispatch(GRAD_Q[floatOf(q)], { ...sharedOut(device, layout, layout.queries), buffers });
  device.dispatch(GRAD_KV[floatOf(q)], { ...sharedOut(device, layout, layout.keys), buffers });
  return grads;
}

/** Scalars, workgroups and constants of a pass over the tiles of `rows` queries or keys. */
function sharedOut(device: Device, layout: AttentionLayout, rows: number) {
  const { heads, queries, keys, d4, q, k, v, out, scale, causal, gradFrom } = layout;
  const tiles = Math.ceil(rows / TILE);
  const total = tiles * layout.batch * heads;
  return {
    params: {
      ...{ total, tiles, heads, queries, keys, scale },
      ...{ q_from: q.from, q_batch: q.batch, q_head: q.head, q_row: q.row },
      ...{ k_from: k.from, v_from: v.from, k_batch: k.batch, k_head: k.head, k_row: k.row },
      ...{ o_batch: out.batch, o_head: out.head, o_row: out.row },
      ...{ grad_k_from: gradFrom[1], grad_v_from: gradFrom[2], d4, eighth: 8, causal: causal ? 1 : 0 },
    },
    workgroups: device.groups(total, 1),
    constants: { D4: d4 },
  };
}
