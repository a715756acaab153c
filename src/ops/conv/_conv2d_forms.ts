// The forms of a convolution, and which of them a shape takes.
import type { Device } from "../../device/mod.ts";
import { autocastSums, withSums } from "../../autograd/mod.ts";
import type { FloatDType, Shape, Tensor } from "../../tensor/mod.ts";
import { floatOf } from "../../tensor/internal.ts";
import { sumsNote } from "../product/plan.ts";
import { noiseLike } from "../product/product.ts";
import { type Policy, policyOf } from "../shared/policy.ts";
import { MOMENTS } from "../shared/tables.ts";
import {
  type Conv2dForm,
  type Conv2dProduct,
  describeGeometry,
  type ForwardOperands,
  type Geometry,
  type InputGradOperands,
  type WeightGradOperands,
} from "./geometry.ts";
import { depthwise } from "./_conv2d_depthwise.ts";
import { direct, taps } from "./_conv2d_direct.ts";
import { inFours } from "./_conv2d_fours.ts";
import { product } from "./_conv2d_product.ts";
import { winograd3, winograd4 } from "./_conv2d_winograd.ts";

/** Forms of a convolution; of those that cost the same the first is taken. */
const FORMS = {
  product: inFours(product),
  taps: inFours(taps),
  direct: inFours(direct),
  winograd4: inFours(winograd4),
  winograd3: inFours(winograd3),
  depthwise,
} as const satisfies Record<string, Conv2dForm>;

/** The name of a form. */
export type Conv2dFormName = keyof typeof FORMS;

const NAMES = Object.keys(FORMS) as Conv2dFormName[];

/** Computes `y [n, oh, ow, out]`. */
export function forwardProduct(g: Geometry, operands: ForwardOperands): Tensor {
  const { x, side, dtype } = operands;
  const form = conv2dForm(x.device, g, "forward", dtype);
  return form.forward(g, { ...operands, side: side && leavesMoments(x.device) ? side : undefined });
}

/** Computes the gradient of x, `[n, h, w, in]`, from that of y. */
export function inputGradProduct(g: Geometry, operands: InputGradOperands): Tensor {
  const { gradY } = operands;
  return conv2dForm(gradY.device, g, "inputGrad", floatOf(gradY)).inputGrad(g, operands);
}

/** Computes the gradient of the weight, `[kh, kw, in / groups, out]`, from x and the gradient of y. */
export function weightGradProduct(g: Geometry, operands: WeightGradOperands): Tensor {
  const { x } = operands;
  return conv2dForm(x.device, g, "weightGrad", floatOf(x)).weightGrad(g, operands);
}

/** The form that a product of this shape takes, of images in `dtype`. */
function conv2dForm(device: Device, g: Geometry, product: Conv2dProduct, dtype: FloatDType): Conv2dForm {
  return FORMS[conv2dFormName(device, g, product, dtype)];
}

/**
 * Chooses the form: as it is forced, where that serves the shape; as it was timed; else the one that costs the least.
 */
export function conv2dFormName(
  device: Device,
  g: Geometry,
  product: Conv2dProduct = "forward",
  dtype: FloatDType = "f32",
): Conv2dFormName {
  const policy = policyOf(device);
  const forced = policy.forced("conv2d", NAMES);
  if (forced && FORMS[forced].serves(g, product, policy)) return forced;
  const usual = cheapest(policy, g, product);
  const sums = dtype === "f16" ? autocastSums() : "f32";
  return policy.decide(usual, () => ({
    key: `conv2d ${product} ${describeGeometry(g)} ${dtype}${sumsNote(sums)}`,
    candidates: () => NAMES.filter((name) => FORMS[name].serves(g, product, policy)),
    prepare() {
      const run = prepare(device, g, product, dtype);
      return { run: () => withSums(sums, run) };
    },
    sums,
    composed: true,
  })) as Conv2dFormName;
}

/** Tells whether a convolution leaves the moments of its output on this adapter. */
function leavesMoments(device: Device): boolean {
  const policy = policyOf(device);
  return policy.choose("moments", ["fused", "apart"], policy.of(MOMENTS)) === "fused";
}

function cheapest(policy: Policy, g: Geometry, product: Conv2dProduct): Conv2dFormName {
  let best: Conv2dFormName = "direct";
  let least = Infinity;
  for (const name of NAMES) {
    if (!FORMS[name].serves(g, product, policy)) continue;
    const cost = FORMS[name].cost(g, policy);
    if (cost < least) [best, least] = [name, cost];
  }
  return best;
}

/** A product of random numbers, in the form that is chosen at that moment. */
function prepare(device: Device, g: Geometry, product: Conv2dProduct, dtype: FloatDType): () => Tensor {
  const noise = (shape: Shape, seed: number, dtype: FloatDType) => noiseLike({ shape, device, dtype }, seed);
  const images = () => noise([g.n, ...g.size, g.groups * g.inChannels], 1, dtype);
  const gradients = () => noise([g.n, ...g.outSize, g.groups * g.outChannels], 2, dtype);
  const weights = () => noise([...g.kernel, g.inChannels, g.groups * g.outChannels], 3, "f32"); // as parameters are
  const form = () => conv2dForm(device, g, product, dtype);
  if (product === "forward") {
    const operands = { x: images(), weight: weights(), dtype };
    return () => form().forward(g, operands);
  }
  if (product === "inputGrad") {
    const operands = { gradY: gradients(), weight: weights(), dtype };
    return () => form().inputGrad(g, operands);
  }
  const operands = { x: images(), gradY: gradients(), dtype: "f32" } as const;
  return () => form().weightGrad(g, operands);
}
