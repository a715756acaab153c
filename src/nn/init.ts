import type { Device } from "../device/mod.ts";
import { type Key, normal, type Shape, sizeOf, type Tensor, uniform } from "../tensor/mod.ts";
import { checkOptions } from "../tensor/internal.ts";

/** Source of random weights, and the device that they go to. */
export interface InitOptions {
  /** Key of the random numbers. */
  key: Key;
  /** Device; the default one by default. */
  device?: Device;
}

/** Makes the weight of a layer. */
export type WeightInit = (shape: Shape, options: InitOptions) => Tensor;

/** Inputs that one output sees: all axes but the last of `[kh, kw, in, out]` or `[in, out]`. */
export function fanIn(shape: Shape): number {
  return sizeOf(shape.slice(0, -1));
}

/** Outputs that one input reaches: `kh · kw · out`, or `out`. */
export function fanOut(shape: Shape): number {
  return sizeOf(shape.slice(0, -2)) * shape.at(-1)!;
}

/** Draws from `U(±1/√fanIn)`, PyTorch's default for Conv2d and Linear (`kaiming_uniform_(a=√5)`). */
export function defaultInit(shape: Shape, options: InitOptions): Tensor<"f32"> {
  checkOptions("run defaultInit()", options, ["key", "device"]);
  const bound = 1 / Math.sqrt(fanIn(shape));
  return uniform(shape, { ...options, low: -bound, high: bound });
}

/** Draws from `N(0, 2 / fanOut)`, as torchvision's ResNet (`kaiming_normal_(mode="fan_out", nonlinearity="relu")`). */
export function kaimingNormal(shape: Shape, options: InitOptions): Tensor<"f32"> {
  checkOptions("run kaimingNormal()", options, ["key", "device"]);
  return normal(shape, { ...options, std: Math.sqrt(2 / fanOut(shape)) });
}
