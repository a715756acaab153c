import { defineProgram } from "../../device/mod.ts";
import { attention_delta as code } from "../../shaders/attention.ts";
import { lib_flat } from "../../shaders/lib.ts";
import { type FloatDType, Tensor } from "../../tensor/mod.ts";
import { elementAliases, floatOf } from "../../tensor/internal.ts";
import type { AttentionLayout } from "./layout.ts";

function program(dtype: FloatDType) {
  return defineProgram({
    name: "attention delta",
    code: [elementAliases({ X: dtype }), lib_flat, code],
    entryPoint: "main",
  });
}

const DELTA = { f32: program("f32"), f16: program("f16") } as const;

/** Products of each query's output with its gradient, `[batch · heads, queries]`. */
export function deltaOf(out: Tensor, grad: Tensor, layout: AttentionLayout): Tensor {
  const { batch, heads, queries, d4, out: { batch: o_batch, head: o_head, row: o_row } } = layout;
  const delta = new Tensor(out.device, [batch * heads, queries]);
  out.device.dispatch(DELTA[floatOf(out)], {
    params: { size: delta.size, heads, queries, d4, o_batch, o_head, o_row },
    buffers: { 1: out.storage, 2: grad.storage, 3: delta.storage },
    workgroups: out.device.groups(delta.size, 64),
  });
  return delta;
}
