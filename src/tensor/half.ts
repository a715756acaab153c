import { type Device, DeviceError } from "../device/mod.ts";

/** The dtypes of values. */
export type FloatDType = "f32" | "f16";

/** The feature that half precision needs. */
const FEATURE = "shader-f16";

/**
 * Checks that a device computes with f16.
 *
 * @throws {DeviceError} If it lacks the feature `shader-f16`.
 */
export function checkHalf(device: Device): void {
  if (device.features.has(FEATURE)) return;
  throw new DeviceError(
    `Cannot use f16 as ${device.info.description} lacks the feature ${FEATURE}: train in full precision (f32)`,
  );
}

/**
 * WGSL aliases of what arrays hold, to join in front of a shader: with 4 lanes `{ X: "f16" }` gives
 * `alias X = vec4<f16>;`. Shaders compute in f32: they read `vec4f(x[i])` and write `X(value)`, which change nothing where
 * X is `vec4f`. It must come first, as it may enable an extension.
 */
export function elementAliases(dtypes: Readonly<Record<string, FloatDType>>, lanes: 1 | 2 | 4 = 4): string {
  const lines = Object.entries(dtypes).map(([name, dtype]) => `alias ${name} = ${laneType(dtype, lanes)};`);
  return (Object.values(dtypes).includes("f16") ? ["enable f16;", ...lines] : lines).join("\n");
}

/**
 * WGSL of what a shader computes with, so many lanes at a time: the aliases `V` of f32, `I` of i32, `U` of u32 and `B` of
 * bool, and their `WIDTH`.
 */
export function vectorAliases(width: 1 | 2 | 4): string {
  const [v, i, u, b] = ["f32", "i32", "u32", "bool"].map((type) => laneType(type, width));
  return `alias V = ${v};\nalias I = ${i};\nalias U = ${u};\nalias B = ${b};\nconst WIDTH = ${width}u;`;
}

function laneType(type: string, lanes: 1 | 2 | 4): string {
  return lanes === 1 ? type : `vec${lanes}<${type}>`;
}

/** The dtype of a tensor of values. */
export function floatOf({ dtype }: { readonly dtype: string }): FloatDType {
  return dtype === "f16" ? "f16" : "f32";
}
