import { defineOp } from "../../autograd/mod.ts";
import { global_avg_pool as code } from "../../shaders/conv.ts";
import { Tensor } from "../../tensor/mod.ts";
import { floatOf } from "../../tensor/internal.ts";
import { checkFloat } from "../shared/check.ts";
import { columnPrograms, columnsOf, pick } from "../shared/slices.ts";

const SUM_ROWS = columnPrograms("globalAvgPool", [code], "sum_rows");
const SPREAD = columnPrograms("globalAvgPool", [code], "spread");
/** Rows that one invocation sums; images of more are summed in two stages. */
const PART_ROWS = 256;

const globalAvgPoolOp = defineOp<[Tensor], null>({
  name: "globalAvgPool",
  half: true,
  forward(_context, [x]) {
    const [n, h, w, c] = x.shape as [number, number, number, number];
    const rows = h * w;
    if (rows <= PART_ROWS) return sumRows(x, [n, rows, c], 1, 1 / rows).alias([n, c]);
    const parts = Math.ceil(rows / PART_ROWS);
    const sums = sumRows(x, [n, rows, c], parts, 1);
    return sumRows(sums, [n, parts, c], 1, 1 / rows).alias([n, c]);
  },
  backward({ shapes }, grad) {
    const { device } = grad;
    const [n, h, w, c] = shapes[0] as [number, number, number, number];
    const columns = columnsOf(c);
    const gradX = new Tensor(device, shapes[0]!, { dtype: floatOf(grad) });
    device.dispatch(pick(SPREAD, c, floatOf(grad)), {
      params: { n, rows: h * w, columns, parts: 1, part_rows: h * w, scale: 1 / (h * w) },
      buffers: { 1: grad.storage, 2: gradX.storage },
      workgroups: device.groups(n * h * w * columns, 64),
    });
    return [gradX];
  },
});

/** Sums `[n, rows, c]` to `[n, parts, c]`. */
function sumRows(x: Tensor, [n, rows, c]: [number, number, number], parts: number, scale: number): Tensor {
  const { device } = x;
  const columns = columnsOf(c);
  const y = new Tensor(device, [n, parts, c], { dtype: floatOf(x) });
  device.dispatch(pick(SUM_ROWS, c, floatOf(x)), {
    params: { n, rows, columns, parts, part_rows: Math.ceil(rows / parts), scale },
    buffers: { 1: x.storage, 2: y.storage },
    workgroups: device.groups(n * parts * columns, 64),
  });
  return y;
}

/**
 * The mean over an image: `[n, h, w, c]` to `[n, c]`, as `torch.nn.AdaptiveAvgPool2d(1)` and a flatten.
 *
 * @param x Images `[n, h, w, c]`, f32 or f16, which the result has too; of at least one px.
 * @returns `[n, c]`.
 * @throws {TypeError} If x is not `[n, h, w, c]`, or has no px.
 *
 * @example Usage
 * ```ts
 * import { Device, globalAvgPool, tensor } from "@decoupled/uniformity";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const x = tensor(new Float32Array([1, 10, 3, 30]), { shape: [1, 2, 1, 2] });
 * assertEquals(await globalAvgPool(x).data(), new Float32Array([2, 20]));
 * ```
 */
export function globalAvgPool(x: Tensor): Tensor<"f32"> {
  if (x.rank !== 4 || x.shape[1] === 0 || x.shape[2] === 0) {
    throw new TypeError(`Cannot compute globalAvgPool() as x must be [n, h, w, c] with h, w >= 1: got x [${x.shape}]`);
  }
  checkFloat("globalAvgPool", x);
  return globalAvgPoolOp([x], null);
}
