import { defineProgram } from "../../device/mod.ts";
import { lib_flat } from "../../shaders/lib.ts";
import { order as orderCode } from "../../shaders/move.ts";
import { Tensor } from "../../tensor/mod.ts";

const RANK = defineProgram({ name: "sort block", code: [lib_flat, orderCode], entryPoint: "rank_block" });
const MERGE = defineProgram({ name: "sort merge", code: [lib_flat, orderCode], entryPoint: "merge_runs" });

/** Rows of which each is compared with all others; longer runs are merged. */
const RUN = 32;

/** Orders of the bits of x, as the shader counts them. */
const KINDS = { float: 0, signed: 1, unsigned: 2 } as const;

/** Input of a sort: x seen as `[…, rows, columns]`, along its rows. */
interface OrderOptions {
  rows: number;
  columns: number;
  kind: keyof typeof KINDS;
  descending?: boolean;
}

/** Row numbers of the elements of x in their order, of the shape of x, u32; equal ones keep their order. */
export function orderOf(x: Tensor, { rows, columns, kind, descending = false }: OrderOptions): Tensor {
  let order = new Tensor(x.device, x.shape, { dtype: "u32" });
  if (x.size === 0) return order;
  const shared = { items: x.size, rows, columns, kind: KINDS[kind], descending: descending ? 1 : 0 };
  const workgroups = x.device.groups(x.size, 64);
  const params = { ...shared, run: RUN };
  x.device.dispatch(RANK, { params, buffers: { 1: x.storage, 2: order.storage }, workgroups });
  for (let run = RUN; run < rows; run *= 2) {
    const merged = new Tensor(x.device, x.shape, { dtype: "u32" });
    const buffers = { 1: x.storage, 2: merged.storage, 3: order.storage };
    x.device.dispatch(MERGE, { params: { ...shared, run }, buffers, workgroups });
    order.dispose();
    order = merged;
  }
  return order;
}
