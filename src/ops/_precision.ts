// In which precision products compute: f16 inside autocast, or where an operand is f16.
import { halfOf, isAutocast } from "../autograd/mod.ts";
import { castTo, type FloatDType, type Tensor } from "../tensor/mod.ts";

/** The dtype of a product's result, and in which its first two inputs are read. */
export function precisionOf([a, b]: readonly Tensor[]): FloatDType {
  return isAutocast() || a!.dtype === "f16" || b!.dtype === "f16" ? "f16" : "f32";
}

/** The inputs in that precision, a bias in f32. */
export function inPrecision([a, b, bias]: readonly Tensor[], dtype: FloatDType): readonly (Tensor | undefined)[] {
  const operand = (x: Tensor) => dtype === "f16" ? halfOf(x) : x;
  return [operand(a!), operand(b!), bias?.dtype === "f16" ? castTo(bias, "f32") : bias];
}
