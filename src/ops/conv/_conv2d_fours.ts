// Forms that want channels in fours, so that all loads are vectors: for channels as they are, operands are padded in every
// group, and what comes out is cropped.
import type { Tensor } from "../../tensor/mod.ts";
import { padded, resizeRows } from "../product/product.ts";
import type { Conv2dForm, Geometry } from "./geometry.ts";

/** Makes a form for any channels of one for multiples of 4. */
export function inFours(form: Conv2dForm): Conv2dForm {
  return {
    serves: (g, product, policy) => form.serves(padGeometry(g), product, policy),
    cost: (g, policy) => form.cost(padGeometry(g), policy),
    forward(g, { x, weight, bias, side, dtype, norm }) {
      const p = padGeometry(g);
      const y = form.forward(p, {
        x: resizeChannels(x, g.groups, g.inChannels, p.inChannels),
        weight: resizeWeight(weight, g, p),
        bias: bias && resizeChannels(bias, g.groups, g.outChannels, p.outChannels),
        side: p.outChannels === g.outChannels ? side : undefined,
        dtype,
        norm,
      });
      return resizeChannels(y, g.groups, p.outChannels, g.outChannels);
    },
    inputGrad(g, { gradY, weight, dtype, into, sums }) {
      const p = padGeometry(g);
      const same = p.inChannels === g.inChannels;
      const wide = form.inputGrad(p, {
        gradY: resizeChannels(gradY, g.groups, g.outChannels, p.outChannels),
        weight: resizeWeight(weight, g, p),
        dtype,
        ...(same && { into, sums }),
      });
      return resizeChannels(wide, g.groups, p.inChannels, g.inChannels);
    },
    weightGrad(g, { x, gradY, dtype, norm }) {
      const p = padGeometry(g);
      const wide = form.weightGrad(p, {
        x: resizeChannels(x, g.groups, g.inChannels, p.inChannels),
        gradY: resizeChannels(gradY, g.groups, g.outChannels, p.outChannels),
        dtype,
        norm,
      });
      return resizeWeight(wide, p, g);
    },
  };
}

/** The geometry with padded channels; the same one where nothing is to be padded. */
function padGeometry(g: Geometry): Geometry {
  if (g.inChannels % 4 === 0 && g.outChannels % 4 === 0) return g;
  return { ...g, inChannels: padded(g.inChannels), outChannels: padded(g.outChannels) };
}

/** Pads or crops the channels of `x [n, h, w, groups * from]`, or of a bias `[groups * from]`, in each group. */
function resizeChannels(x: Tensor, groups: number, from: number, to: number): Tensor {
  if (from === to) return x;
  const lead = x.shape.slice(0, -1);
  return resizeRows(x.alias([...lead, groups, from]), to, [...lead, groups * to]);
}

/** Pads or crops both channels of a weight `[kh, kw, in, groups * out]`. */
function resizeWeight(weight: Tensor, from: Geometry, to: Geometry): Tensor {
  const { groups } = from;
  const wide = resizeChannels(weight, groups, from.outChannels, to.outChannels);
  if (from.inChannels === to.inChannels) return wide;
  // Input channels that are added or dropped come last in the rows [in, groups * out] of a tap.
  const row = groups * to.outChannels;
  const taps = wide.alias([from.kernel[0] * from.kernel[1], from.inChannels * row]);
  return resizeRows(taps, to.inChannels * row, [...from.kernel, to.inChannels, row]);
}
