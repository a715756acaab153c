// Which form computes an attention.
import type { Shape, Tensor } from "../../tensor/mod.ts";
import { ATTENTION } from "../shared/variants.ts";
import type { Attended, Layout, Operands } from "./layout.ts";
import { attendProducts, attendProductsGrad } from "./products.ts";
import { attendTiles, attendTilesGrad } from "./tiles.ts";

/** The output, in a shape and the dtype of q, and the logarithm of the sum of each query's weights. */
export function attend(operands: Operands, layout: Layout, shape: Shape): Attended {
  const form = ATTENTION[operands.q.device.info.family];
  return (form === "tiles" ? attendTiles : attendProducts)(operands, layout, shape);
}

/** The gradients of q, k and v in one flat tensor. */
export function attendGrad(operands: Operands, layout: Layout, attended: Attended, grad: Tensor): Tensor {
  const form = ATTENTION[grad.device.info.family];
  return (form === "tiles" ? attendTilesGrad : attendProductsGrad)(operands, layout, attended, grad);
}
