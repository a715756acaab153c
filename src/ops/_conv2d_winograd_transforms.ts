// The transforms of Winograd's convolution: their programs, and how they are dispatched.
import type { Program } from "../device/mod.ts";
import {
  conv2d_winograd,
  conv2d_winograd_factors,
  conv2d_winograd_images,
  conv2d_winograd_moments,
  conv2d_winograd_windows,
  lib_flat,
  lib_moments,
} from "../device/shaders.gen.ts";
import { elementAliases, type FloatDType, type Tensor } from "../tensor/mod.ts";

const params = {
  size: "u32",
  h: "i32",
  w: "i32",
  tiles_h: "u32",
  tiles_w: "u32",
  offset_h: "i32",
  offset_w: "i32",
  c4: "u32",
  pitch: "u32",
  first_image: "u32",
  tiles: "u32",
  each: "u32",
  first_slice: "u32",
  grad_h: "i32",
  grad_w: "i32",
  other_size: "u32",
  other_c4: "u32",
  other_pitch: "u32",
  turn: "u32",
} as const;

/** A transform for images or windows of each precision; the transformed numbers are f32. */
type Transform = Readonly<Record<FloatDType, Program>>;

function program(code: string, entryPoint: string, natural: "x" | "y"): Transform {
  const make = (dtype: FloatDType) =>
    programOf(code, entryPoint, natural === "x" ? { X: dtype, Y: "f32" } : { X: "f32", Y: dtype });
  return { f32: make("f32"), f16: make("f16") };
}

function programOf(code: string, entryPoint: string, types: Readonly<Record<string, FloatDType>>): Program {
  const parts = [elementAliases(types), lib_flat, conv2d_winograd, code];
  return { name: "conv2d winograd", code: parts, entryPoint, params };
}

const FACTORS = `${conv2d_winograd_images}\n${conv2d_winograd_factors}`;

function factors(entryPoint: string, weight: FloatDType): Transform {
  const make = (dtype: FloatDType) => programOf(FACTORS, entryPoint, { X: dtype, Y: "f32", W: weight });
  return { f32: make("f32"), f16: make("f16") };
}

/** Patches of images. */
export const PATCHES = program(conv2d_winograd_images, "patches", "x");
/** The same, and windows, by the precision of the weight. */
export const PATCHES_AND_WINDOWS: Readonly<Record<FloatDType, Transform>> = {
  f32: factors("patches_and_windows", "f32"),
  f16: factors("patches_and_windows", "f16"),
};
/** Patches, and tiles of a gradient of the output. */
export const PATCHES_AND_TILES = factors("patches_and_tiles", "f32");
/** Products back to images. */
export const FROM_PRODUCTS = program(conv2d_winograd_images, "from_products", "y");
/** The same, leaving moments. */
export const FROM_PRODUCTS_MOMENTS = program(
  `${lib_moments}\n${conv2d_winograd_images}\n${conv2d_winograd_moments}`,
  "from_products_moments",
  "y",
);
/** The gradient of windows from that of their transforms. */
export const WINDOWS_ADJOINT = program(conv2d_winograd_windows, "windows_adjoint", "y");

/** Positions of a 6 × 6 patch, each a matrix product. */
export const POSITIONS = 36;

/**
 * Elements from one tile to the next in a transform: 36 positions, and a cache line more, so that tiles do not fall into
 * the same sets of a cache.
 */
export function pitchOf(channels: number): number {
  return POSITIONS * channels + 16;
}

/** The parameters that a transform reads. */
export type Values = Partial<Record<keyof typeof params, number>> & { size: number };

/** What some transforms bind beside `x` and `y`. */
export interface Beside {
  /** Added to every pixel; present, if undefined, for products back to images. */
  readonly bias?: Tensor | undefined;
  /** Moments to leave. */
  readonly moments?: Tensor;
  /** What the other transform of a dispatch is of: a weight or a gradient of the output. */
  readonly source?: Tensor;
  /** The other transform. */
  readonly other?: Tensor;
}

const ZEROS = Object.fromEntries(Object.keys(params).map((name) => [name, 0]));

/** Runs a transform of `x` into `y`, and another one beside it. */
export function transform(program: Program, values: Values, x: Tensor, y: Tensor, beside: Beside = {}): void {
  const { bias, moments, source, other } = beside;
  x.device.dispatch(program, {
    params: { ...ZEROS, ...values },
    buffers: {
      1: x.storage,
      2: y.storage,
      3: "bias" in beside ? (bias ?? x).storage : undefined,
      4: moments?.storage,
      5: source?.storage,
      6: other?.storage,
    },
    workgroups: x.device.groups(values.size + (values.other_size ?? 0), 64),
    constants: { BIAS: bias !== undefined },
  });
}
