// Layers with the first weights of timm's transformers and ConvNeXts: normal of deviation 0.02, and no bias.
import type { Device } from "../device/mod.ts";
import { type Key, normal, type Tensor, tidy, zeros } from "../tensor/mod.ts";
import { assign } from "../tensor/internal.ts";
import { Conv2d, type Conv2dLayerOptions } from "./conv2d.ts";
import { Linear } from "./linear.ts";
import type { Parameter } from "./parameter.ts";

/** A linear layer. */
export function timmLinear(inFeatures: number, outFeatures: number, k: Key, device?: Device, bias = true): Linear {
  return drawn(new Linear({ inFeatures, outFeatures, key: k, bias, device }), k);
}

/** A convolution. */
export function timmConv(options: Conv2dLayerOptions & { readonly key: Key }): Conv2d {
  return drawn(new Conv2d(options), options.key);
}

function drawn<L extends { readonly weight: Parameter; readonly bias: Parameter | null }>(layer: L, key: Key): L {
  tidy((): Tensor[] => {
    const { weight, bias } = layer;
    const { device } = weight;
    assign(weight, normal(weight.shape, { key, std: 0.02, device }));
    if (bias) assign(bias, zeros(bias.shape, { device }));
    return [];
  });
  return layer;
}
