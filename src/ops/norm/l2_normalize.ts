import { defineOp } from "../../autograd/mod.ts";
import { lib_length, lib_rows } from "../../shaders/lib.ts";
import { l2_normalize as code } from "../../shaders/norm.ts";
import { Tensor } from "../../tensor/mod.ts";
import { checkOptions, checkSetting } from "../../tensor/internal.ts";
import { checkFloat } from "../shared/check.ts";
import { laneForm } from "../shared/lanes.ts";
import { rowConstants } from "../shared/rows.ts";
import { columnPrograms, columnsOf, pick, rowsOf } from "../shared/slices.ts";

const FORWARD = columnPrograms("l2Normalize", [lib_rows, lib_length, code], "forward");
const BACKWARD = columnPrograms("l2Normalize", [lib_rows, lib_length, code], "backward");

const l2NormalizeOp = defineOp<[Tensor], { eps: number }>({
  name: "l2Normalize",
  forward(context, [x], { eps }) {
    context.save(x);
    return run(FORWARD, x, null, eps);
  },
  backward: ({ saved: [x] }, grad, { eps }) => [run(BACKWARD, x!, grad, eps)],
});

function run(program: typeof FORWARD, x: Tensor, grad: Tensor | null, eps: number): Tensor {
  const { device } = x;
  const features = x.shape.at(-1)!;
  const columns = columnsOf(features);
  const rows = rowsOf(x);
  const constants = rowConstants(device, columns);
  const result = new Tensor(device, x.shape);
  device.dispatch(laneForm(device, pick(program, features), constants.LANES), {
    params: { rows, columns, eps },
    buffers: {
      1: x.storage,
      2: grad ? undefined : result.storage,
      3: grad?.storage,
      4: grad ? result.storage : undefined,
    },
    workgroups: device.groups(rows, constants.ROWS),
    constants,
  });
  return result;
}

/**
 * Scales the vectors along the last axis to unit length: `x / max(‖x‖₂, eps)`.
 *
 * @param x Vectors `[…, d]`, f32.
 * @param options `eps`: shortest length that is divided by; 1e-12 by default. A zero vector stays zero;
 *   one with a NaN is NaN throughout.
 * @returns The shape of x.
 * @throws {TypeError} If x is a scalar or not f32.
 * @throws {RangeError} If `eps` is not > 0.
 *
 * @example Usage
 * ```ts
 * import { Device, l2Normalize, tensor } from "@decoupled/uniformity";
 * import { assertClose } from "@decoupled/uniformity/testing";
 *
 * await using _device = await Device.open();
 * assertClose(await l2Normalize(tensor([[3, 4], [0, 0]])).data(), [0.6, 0.8, 0, 0]);
 * ```
 *
 * @see `torch.nn.functional.normalize`.
 */
export function l2Normalize(x: Tensor, options: { eps?: number } = {}): Tensor<"f32"> {
  checkOptions("compute l2Normalize()", options, ["eps"]);
  const { eps = 1e-12 } = options;
  if (x.rank < 1) throw new TypeError(`Cannot compute l2Normalize() as x must be [..., features]: got x [${x.shape}]`);
  checkFloat("l2Normalize", x);
  checkSetting("compute l2Normalize()", "eps", eps);
  return l2NormalizeOp([x], { eps });
}
