import { defineOp } from "../../autograd/mod.ts";
import { lib_nan, lib_rows } from "../../shaders/lib.ts";
import { cross_entropy as code } from "../../shaders/reduce.ts";
import { Tensor, tensor } from "../../tensor/mod.ts";
import { checkFloat } from "../shared/check.ts";
import { laneForm } from "../shared/lanes.ts";
import { reduce } from "../shared/reduce.ts";
import { rowConstants } from "../shared/rows.ts";
import { columnPrograms, columnsOf, pick } from "../shared/slices.ts";
import { NAN_BITS } from "../shared/params.ts";
import { checkOptions } from "../../tensor/internal.ts";

const PARTS = ["alias F = V;", lib_nan, lib_rows, code] as const;
const PER_ROW = columnPrograms("crossEntropy", PARTS, "per_row");
const BACKWARD = columnPrograms("crossEntropy", PARTS, "backward");

function scalars(x: Tensor, smoothing: number): Record<keyof typeof code.params, number> {
  const [rows, classes] = x.shape as [number, number];
  return { rows, columns: columnsOf(classes), classes, smoothing, nan_bits: NAN_BITS };
}

const crossEntropyOp = defineOp<[Tensor, Tensor], { smoothing: number }>({
  name: "crossEntropy",
  forward(context, [x, labels], { smoothing }) {
    const { device } = x;
    const [rows, classes] = x.shape as [number, number];
    const losses = new Tensor(device, [rows]);
    const lse = new Tensor(device, [rows]);
    const constants = rowConstants(device, columnsOf(classes));
    const values = scalars(x, smoothing);
    device.dispatch(laneForm(device, pick(PER_ROW, classes), constants.LANES), {
      params: values,
      buffers: { 1: x.storage, 2: labels.storage, 3: losses.storage, 4: lse.storage },
      workgroups: device.groups(rows, constants.ROWS),
      constants,
    });
    context.save(x, labels, lse);
    return reduce("sum", losses, [0], { scale: 1 / rows }); // in parts: f32 cannot add millions one by one
  },
  backward({ saved }, grad, { smoothing }) {
    const [x, labels, lse] = saved as [Tensor, Tensor, Tensor];
    const { device } = x;
    const gradX = new Tensor(device, x.shape);
    const values = scalars(x, smoothing);
    device.dispatch(pick(BACKWARD, x.shape[1]!), {
      params: values,
      buffers: { 1: x.storage, 2: labels.storage, 5: lse.storage, 6: grad.storage, 7: gradX.storage },
      workgroups: device.groups(values.rows * values.columns, 64),
    });
    return [gradX, null];
  },
});

/**
 * Mean cross-entropy of logits against class labels: `mean_i (logSumExp(xᵢ) − xᵢ[labelᵢ])`.
 *
 * @param x Logits `[n, k]`, f32, n ≥ 1, k ≥ 1.
 * @param labels Classes `[n]` in [0, k): a `u32` tensor, or numbers, which are checked and uploaded. A label of a tensor
 *   that is not a class makes loss and gradient NaN, as the device cannot throw.
 * @param options `labelSmoothing` in [0, 1], 0 by default: the part of the target spread evenly over the classes.
 * @returns The loss, shape `[]`.
 * @throws {TypeError} If x is not `[n, k]`, or there are not n labels of `u32`.
 * @throws {RangeError} If `labelSmoothing` is outside [0, 1], or a label given as a number is not a class.
 *
 * @example Usage
 * ```ts
 * import { crossEntropy, Device, tensor } from "@decoupled/uniformity";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const loss = crossEntropy(tensor([[0, 0], [0, 0]]), [1, 0]);
 * assertAlmostEquals(await loss.item(), Math.log(2), 1e-6);
 * ```
 *
 * @see `torch.nn.functional.cross_entropy` with class indices.
 */
export function crossEntropy(
  x: Tensor,
  labels: Tensor | ArrayLike<number>,
  options: { labelSmoothing?: number } = {},
): Tensor<"f32"> {
  checkOptions("compute crossEntropy()", options, ["labelSmoothing"]);
  const { labelSmoothing: smoothing = 0 } = options;
  if (x.rank !== 2 || x.size === 0) {
    throw new TypeError(`Cannot compute crossEntropy() as x must be [n, k] with n, k >= 1: got x [${x.shape}]`);
  }
  checkFloat("crossEntropy", x);
  if (!(smoothing >= 0 && smoothing <= 1)) {
    throw new RangeError(`Cannot compute crossEntropy() as labelSmoothing must be in [0, 1]: got ${smoothing}`);
  }
  if (labels instanceof Tensor) return crossEntropyOp([x, checkLabels(x, labels)], { smoothing });
  using uploaded = upload(x, labels);
  return crossEntropyOp([x, uploaded], { smoothing });
}

function checkLabels(x: Tensor, labels: Tensor): Tensor {
  if (labels.dtype === "u32" && labels.rank === 1 && labels.shape[0] === x.shape[0]) return labels;
  throw new TypeError(
    `Cannot compute crossEntropy() as labels must be u32 [${x.shape[0]}]: got x [${x.shape}] and labels ` +
      `${labels.dtype} [${labels.shape}]`,
  );
}

function upload(x: Tensor, labels: ArrayLike<number>): Tensor {
  const [n, classes] = x.shape as [number, number];
  if (labels.length !== n) {
    throw new TypeError(
      `Cannot compute crossEntropy() as there must be one label for each row: got x [${x.shape}] and ${labels.length} labels`,
    );
  }
  for (let i = 0; i < n; i++) {
    const label = labels[i]!;
    if (Number.isInteger(label) && label >= 0 && label < classes) continue;
    throw new RangeError(
      `Cannot compute crossEntropy() as every label must be an integer in [0, ${classes}): got ${label} at ${i}`,
    );
  }
  return tensor<"u32">(Uint32Array.from(labels), { device: x.device });
}
