import { defineOp } from "../../autograd/mod.ts";
import { pool2d as code } from "../../shaders/conv.ts";
import { Tensor } from "../../tensor/mod.ts";
import { floatOf } from "../../tensor/internal.ts";
import { type Pool2dOptions, pooledShape, type Windows, windowsOf } from "./pool_geometry.ts";
import { poolGrad } from "./_pool2d_grad.ts";
import { columnPrograms, pick } from "../shared/slices.ts";

/** Settings of {@linkcode avgPool2d}. */
export interface AvgPool2dOptions extends Pool2dOptions {
  /** Whether padding counts as zeros (true, the default) or is left out of the average. */
  countIncludePad?: boolean;
}

const FORWARD = columnPrograms("avgPool2d", [code], "average");
const GRAD = columnPrograms("avgPool2d", [code], "average_grad");

const avgPool2dOp = defineOp<[Tensor], Windows>({
  name: "avgPool2d",
  half: true,
  forward(_context, [x], windows) {
    const { device } = x;
    const channels = x.shape[3]!;
    const y = new Tensor(device, pooledShape(x.shape, windows), { dtype: floatOf(x) });
    const size = windows.n * windows.out_h * windows.out_w * windows.columns;
    device.dispatch(pick(FORWARD, channels, floatOf(x)), {
      params: { ...windows, size },
      buffers: { 1: x.storage, 2: y.storage },
      workgroups: device.groups(size, 64),
    });
    return y;
  },
  backward({ shapes }, grad, windows) {
    return [poolGrad(GRAD, grad, { shape: shapes[0]!, windows })];
  },
});

/**
 * The average over windows of an image.
 *
 * @param x Images `[n, h, w, c]`, f32 or f16, which the result has too.
 * @param options Window, step and padding in px, and whether padding counts.
 * @returns `[n, ⌊(h + 2 padding − kernelSize) / stride⌋ + 1, …, c]`.
 * @throws {TypeError} If x is not `[n, h, w, c]` or no window fits.
 * @throws {RangeError} If a size is not an integer, or `padding` exceeds half of `kernelSize`.
 *
 * @example Usage
 * ```ts
 * import { avgPool2d, Device, tensor } from "@decoupled/uniformity";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const x = tensor(new Float32Array([1, 2, 3, 4]), { shape: [1, 2, 2, 1] });
 * assertEquals(await avgPool2d(x, { kernelSize: 2 }).data(), new Float32Array([2.5]));
 * ```
 *
 * @see `torch.nn.functional.avg_pool2d`, without `ceil_mode` and `divisor_override`.
 */
export function avgPool2d(x: Tensor, options: AvgPool2dOptions): Tensor<"f32"> {
  return avgPool2dOp([x], windowsOf("avgPool2d", x, options, options.countIncludePad ?? true));
}
