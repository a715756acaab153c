// Channels as the shaders want them: in every group a multiple of 4, so that all loads are vectors.
import type { Tensor } from "../../tensor/mod.ts";
import type { Geometry } from "./geometry.ts";
import { padded, resizeRows } from "../product/product.ts";

/** The geometry with padded channels; the same one where nothing is to be padded. */
export function padGeometry(g: Geometry): Geometry {
  const [inChannels, outChannels] = [padded(g.inChannels), padded(g.outChannels)];
  if (inChannels === g.inChannels && outChannels === g.outChannels) return g;
  return { ...g, inChannels, outChannels };
}

/** Pads or crops the channels of `x [n, h, w, groups * from]`, or of a bias `[groups * from]`, in each group. */
export function resizeChannels(x: Tensor, groups: number, from: number, to: number): Tensor {
  if (from === to) return x;
  const lead = x.shape.slice(0, -1);
  return resizeRows(x.alias([...lead, groups, from]), to, [...lead, groups * to]);
}

/** Pads or crops both channels of a weight `[kh, kw, in, groups * out]`. */
export function resizeWeight(weight: Tensor, from: Geometry, to: Geometry): Tensor {
  const { groups } = from;
  const wide = resizeChannels(weight, groups, from.outChannels, to.outChannels);
  if (from.inChannels === to.inChannels) return wide;
  // Input channels that are added or dropped come last in the rows [in, groups * out] of a tap.
  const row = groups * to.outChannels;
  const taps = wide.alias([from.kernel[0] * from.kernel[1], from.inChannels * row]);
  return resizeRows(taps, to.inChannels * row, [...from.kernel, to.inChannels, row]);
}
