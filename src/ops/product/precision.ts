// In which precision products compute: f16 inside autocast, or where an operand is f16.
import { autocastSums, isAutocast } from "../../autograd/mod.ts";
import type { FloatDType, Tensor } from "../../tensor/mod.ts";
import { castTo } from "../../tensor/internal.ts";

/** The dtype of a product's result, and of what it reads beside parameters. */
export function precisionOf([a, b]: readonly Tensor[]): FloatDType {
  return isAutocast() || a!.dtype === "f16" || b!.dtype === "f16" ? "f16" : "f32";
}

/**
 * Returns what a product reads of an operand: a parameter as it is, which saves its copy, all else in that precision.
 */
export function inPrecision(x: Tensor, dtype: FloatDType): Tensor {
  return x.dtype === dtype || x.requiresGrad ? x : castTo(x, dtype);
}

/** Returns what a layer reads: x in that precision, the weight as it is, a bias in f32. */
export function layerInputs([x, weight, bias]: readonly Tensor[], dtype: FloatDType): [Tensor, Tensor, Tensor?] {
  return [x!.dtype === dtype ? x! : castTo(x!, dtype), weight!, bias?.dtype === "f16" ? castTo(bias, "f32") : bias];
}

/** The precision in which the product of two operands may sum a few terms: f16 in mixed precision, where it was asked for. */
export function sumsOf(a: Tensor, b: Tensor): FloatDType {
  return a.dtype === "f16" || b.dtype === "f16" ? autocastSums() : "f32";
}
