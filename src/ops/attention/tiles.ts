// Attention by tiles that a workgroup keeps to itself: for GPUs.
import type { Program } from "../../device/mod.ts";
import {
  attention as forwardCode,
  attention_grad_kv,
  attention_grad_q,
  lib_attention,
  lib_attention_grad,
} from "../../shaders/gen.ts";
import { type FloatDType, type Shape, Tensor } from "../../tensor/mod.ts";
import { deltaOf } from "./delta.ts";
import { type Attended, gradSize, type Layout, type Operands } from "./layout.ts";
import { elementAliases, floatOf } from "../../tensor/internal.ts";

type Programs = Readonly<Record<FloatDType, Program>>;

function programs(name: string, code: Program["code"], entryPoint: string, params: Program["params"]): Programs {
  const make = (dtype: FloatDType): Program => {
    return { name, form: "attention:tiles", code: [elementAliases({ X: dtype }), ...code], entryPoint, params };
  };
  return { f32: make("f32"), f16: make("f16") };
}

const { params } = lib_attention;
const GRAD = [lib_attention, lib_attention_grad];
const FORWARD = programs("attention", [lib_attention, forwardCode], "forward", params);
const GRAD_Q = programs("attention grad q", [...GRAD, attention_grad_q], "backward_q", params);
const GRAD_KV = programs("attention grad kv", [...GRAD, attention_grad_kv], "backward_kv", params);

/** Queries, or keys, of a workgroup. */
const TILE = 32;

/** As `attend` in forms.ts. */
export function attendTiles({ q, k, v }: Operands, layout: Layout, shape: Shape): Attended {
  const out = new Tensor(q.device, shape, { dtype: floatOf(q) });
  const lse = new Tensor(q.device, [layout.batch * layout.heads, layout.queries]);
  run(FORWARD, layout, layout.queries, { 1: q, 2: k, 3: v, 4: out, 5: lse });
  return { out, lse };
}

/** As `attendGrad` in forms.ts. */
export function attendTilesGrad(
  { q, k, v }: Operands,
  layout: Layout,
  { out, lse }: Attended,
  grad: Tensor,
): Tensor {
  const grads = new Tensor(q.device, [gradSize(layout)], { dtype: floatOf(q) });
  const arrays = { 1: q, 2: k, 3: v, 4: grad, 5: lse, 6: deltaOf(out, grad, layout), 7: grads };
  run(GRAD_Q, layout, layout.queries, arrays);
  run(GRAD_KV, layout, layout.keys, arrays);
  return grads;
}

function run(programs: Programs, layout: Layout, rows: number, arrays: Readonly<Record<number, Tensor>>): void {
  const { heads, queries, keys, d4, q, k, v, out, scale, causal, gradFrom } = layout;
  const { device } = arrays[1]!;
  const tiles = Math.ceil(rows / TILE);
  const total = tiles * layout.batch * heads;
  const buffers = Object.fromEntries(Object.entries(arrays).map(([binding, array]) => [binding, array.storage]));
  device.dispatch(programs[floatOf(arrays[1]!)], {
    params: {
      ...{ total, tiles, heads, queries, keys, scale },
      ...{ q_from: q.from, q_batch: q.batch, q_head: q.head, q_row: q.row },
      ...{ k_from: k.from, v_from: v.from, k_batch: k.batch, k_head: k.head, k_row: k.row },
      ...{ o_batch: out.batch, o_head: out.head, o_row: out.row },
      ...{ grad_k_from: gradFrom[1], grad_v_from: gradFrom[2], d4, eighth: 8, causal: causal ? 1 : 0 },
    },
    buffers,
    workgroups: device.groups(total, 1),
    constants: { D4: d4 },
  });
}
