// The three products of a convolution, of channels as they are: each pads them for its form and crops what comes out.
import type { Tensor } from "../../tensor/mod.ts";
import { floatOf } from "../../tensor/internal.ts";
import { padGeometry, resizeChannels, resizeWeight } from "./_conv2d_channels.ts";
import { conv2dForm, leavesMoments } from "./_conv2d_forms.ts";
import type { ForwardOperands, Geometry, InputGradOperands, WeightGradOperands } from "./geometry.ts";

/** Computes `y [n, oh, ow, out]`. */
export function forwardProduct(g: Geometry, { x, weight, bias, side, dtype }: ForwardOperands): Tensor {
  const p = padGeometry(g);
  const leaves = p.outChannels === g.outChannels && leavesMoments(x.device);
  const y = conv2dForm(x.device, p, "forward", dtype).forward(p, {
    x: resizeChannels(x, g.groups, g.inChannels, p.inChannels),
    weight: resizeWeight(weight, g, p),
    bias: bias && resizeChannels(bias, g.groups, g.outChannels, p.outChannels),
    side: leaves ? side : undefined,
    dtype,
  });
  return resizeChannels(y, g.groups, p.outChannels, g.outChannels);
}

/** Computes the gradient of x, `[n, h, w, in]`, from that of y. */
export function inputGradProduct(g: Geometry, { gradY, weight, dtype }: InputGradOperands): Tensor {
  const p = padGeometry(g);
  const wide = conv2dForm(gradY.device, p, "inputGrad", floatOf(gradY)).inputGrad(p, {
    gradY: resizeChannels(gradY, g.groups, g.outChannels, p.outChannels),
    weight: resizeWeight(weight, g, p),
    dtype,
  });
  return resizeChannels(wide, g.groups, p.inChannels, g.inChannels);
}

/** Computes the gradient of the weight, `[kh, kw, in / groups, out]`, from x and the gradient of y. */
export function weightGradProduct(g: Geometry, { x, gradY, dtype }: WeightGradOperands): Tensor {
  const p = padGeometry(g);
  const wide = conv2dForm(x.device, p, "weightGrad", floatOf(x)).weightGrad(p, {
    x: resizeChannels(x, g.groups, g.inChannels, p.inChannels),
    gradY: resizeChannels(gradY, g.groups, g.outChannels, p.outChannels),
    dtype,
  });
  return resizeWeight(wide, p, g);
}
