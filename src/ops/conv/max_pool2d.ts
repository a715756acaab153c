import { defineOp } from "../../autograd/mod.ts";
import { pool2d as code } from "../../shaders/conv.ts";
import { Tensor } from "../../tensor/mod.ts";
import { floatOf } from "../../tensor/internal.ts";
import { type Pool2dOptions, pooledShape, type Windows, windowsOf } from "./pool_geometry.ts";
import { poolGrad } from "./_pool2d_grad.ts";
import { columnPrograms, pick } from "../shared/slices.ts";

const PLAIN = columnPrograms("maxPool2d", [code], "max_plain");
const INDEXED = columnPrograms("maxPool2d", [code], "max_indexed");
const GRAD = columnPrograms("maxPool2d", [code], "max_grad");

const maxPool2dOp = defineOp<[Tensor], Windows>({
  name: "maxPool2d",
  half: true,
  forward(context, [x], windows) {
    const { device } = x;
    const channels = x.shape[3]!;
    const y = new Tensor(device, pooledShape(x.shape, windows), { dtype: floatOf(x) });
    const winners = context.taped ? new Tensor(device, y.shape, { dtype: "u32" }) : null;
    const size = windows.n * windows.out_h * windows.out_w * windows.columns;
    device.dispatch(pick(winners ? INDEXED : PLAIN, channels, floatOf(x)), {
      params: { ...windows, size },
      buffers: { 1: x.storage, 2: y.storage, 3: winners?.storage },
      workgroups: device.groups(size, 64),
    });
    if (winners) context.save(winners);
    return y;
  },
  backward({ saved, shapes }, grad, windows) {
    return [poolGrad(GRAD, grad, { shape: shapes[0]!, windows, winners: saved[0]! })];
  },
});

/**
 * The maximum over windows of an image; padding never wins, and NaN does. The gradient goes to the first maximum of each
 * window (row by row), in the same order on every run.
 *
 * @param x Images `[n, h, w, c]`, f32 or f16, which the result has too.
 * @param options Window, step and padding in px.
 * @returns `[n, ⌊(h + 2 padding − kernelSize) / stride⌋ + 1, …, c]`.
 * @throws {TypeError} If x is not `[n, h, w, c]` or no window fits.
 * @throws {RangeError} If a size is not an integer, or `padding` exceeds half of `kernelSize`.
 *
 * @example Usage
 * ```ts
 * import { Device, maxPool2d, tensor } from "@decoupled/uniformity";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const x = tensor(new Float32Array([1, 2, 3, 4]), { shape: [1, 2, 2, 1] });
 * assertEquals(await maxPool2d(x, { kernelSize: 2 }).data(), new Float32Array([4]));
 * ```
 *
 * @see `torch.nn.functional.max_pool2d`, without dilation and `ceil_mode`.
 */
export function maxPool2d(x: Tensor, options: Pool2dOptions): Tensor<"f32"> {
  return maxPool2dOp([x], windowsOf("maxPool2d", x, options));
}
