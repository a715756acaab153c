// Which form computes an attention.
import type { Shape, Tensor } from "../../tensor/mod.ts";
import type { Device } from "../../device/mod.ts";
import { policyOf } from "../shared/policy.ts";
import { ATTENTION } from "../shared/tables.ts";
import type { Attended, AttentionLayout, AttentionOperands } from "./layout.ts";
import { attendProducts, attendProductsGrad } from "./products.ts";
import { attendTiles, attendTilesGrad } from "./tiles.ts";

/** The form that suits the adapter, or is forced. */
function formOn(device: Device): "tiles" | "products" {
  const policy = policyOf(device);
  return policy.choose("attention", ["tiles", "products"], policy.of(ATTENTION));
}

/** The output, in a shape and the dtype of q, and the logarithm of the sum of each query's weights. */
export function attend(operands: AttentionOperands, layout: AttentionLayout, shape: Shape): Attended {
  const form = formOn(operands.q.device);
  return (form === "tiles" ? attendTiles : attendProducts)(operands, layout, shape);
}

/** The gradients of q, k and v in one flat tensor. */
export function attendGrad(
  operands: AttentionOperands,
  layout: AttentionLayout,
  attended: Attended,
  grad: Tensor,
): Tensor {
  const form = formOn(grad.device);
  return (form === "tiles" ? attendTilesGrad : attendProductsGrad)(operands, layout, attended, grad);
}
