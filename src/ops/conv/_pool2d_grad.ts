// The gradient of both pools: every pixel of x gathers from the windows that it is in.
import type { pool2d } from "../../shaders/conv.ts";
import { type Shape, Tensor } from "../../tensor/mod.ts";
import { floatOf } from "../../tensor/internal.ts";
import { type ColumnPrograms, pick } from "../shared/slices.ts";
import type { Windows } from "./pool_geometry.ts";

/** Computes the gradient of x, of `shape`, from that of y; `winners` says which pixel each maximum was. */
export function poolGrad(
  programs: ColumnPrograms<typeof pool2d.params, typeof pool2d.access>,
  grad: Tensor,
  { shape, windows, winners }: { readonly shape: Shape; readonly windows: Windows; readonly winners?: Tensor },
): Tensor {
  const { device } = grad;
  const gradX = new Tensor(device, shape, { dtype: floatOf(grad) });
  const size = windows.n * windows.h * windows.w * windows.columns;
  device.dispatch(pick(programs, shape[3]!, floatOf(grad)), {
    params: { ...windows, size },
    buffers: { 4: grad.storage, 5: winners?.storage, 6: gradX.storage },
    workgroups: device.groups(size, 64),
  });
  return gradX;
}
