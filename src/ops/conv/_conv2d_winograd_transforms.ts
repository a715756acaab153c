// The transforms of Winograd's convolution: their programs, and how they are dispatched.
import { defineProgram, type Device } from "../../device/mod.ts";
import {
  conv2d_winograd,
  conv2d_winograd_3x3,
  conv2d_winograd_4x4,
  conv2d_winograd_adjoint,
  conv2d_winograd_factors,
  conv2d_winograd_images,
  conv2d_winograd_moments,
} from "../../shaders/conv.ts";
import { lib_flat, lib_moments } from "../../shaders/lib.ts";
import type { FloatDType, Tensor } from "../../tensor/mod.ts";
import { momentsNote } from "../product/moments.ts";
import { readingCode, readingNote } from "../product/programs.ts";
import { elementAliases, floatOf, vectorAliases } from "../../tensor/internal.ts";
import { zerosOf } from "../shared/params.ts";
import { policyOf } from "../shared/policy.ts";
import { WINOGRAD_WIDTH } from "../shared/tables.ts";

/** Pixels along the edge of a tile: F(3×3, 3×3) or F(4×4, 3×3). */
export type Edge = 3 | 4;

const MATRICES = { 3: conv2d_winograd_3x3, 4: conv2d_winograd_4x4 } as const;
const ENTRY_POINTS = [
  conv2d_winograd_images,
  conv2d_winograd_factors,
  conv2d_winograd_moments,
  conv2d_winograd_adjoint,
] as const;

/** Element types of what a transform reads and makes, of a weight, and of the other transform of a dispatch. */
type Types = Readonly<Record<"X" | "Y" | "W" | "O", FloatDType>>;

/** An entry point of the transforms. */
function programOf(
  { programs }: Device,
  entryPoint: EntryPoint,
  edge: Edge,
  width: 1 | 2 | 4,
  types: Types,
  norm?: Tensor,
) {
  const name = `conv2d winograd${edge}${readingNote(norm)}`;
  return programs.get(conv2d_winograd, `${name} ${entryPoint} ${width} ${Object.values(types)}`, () => {
    const aliases = `${elementAliases({ ...types }, width)}\n${vectorAliases(width)}`;
    const shared = [aliases, lib_flat, lib_moments, conv2d_winograd, MATRICES[edge]] as const;
    const form = `conv2d:winograd${edge}${momentsNote(entryPoint.endsWith("_moments"))}`;
    return defineProgram({ name, form, code: [...shared, readingCode(norm), ...ENTRY_POINTS], entryPoint });
  });
}

/**
 * Entry points: `patches` of images; the same `and_windows` of a weight, or `and_tiles` of a gradient of the output;
 * `from_products` to images, the same leaving `moments`; and `windows_adjoint`, from the gradient of windows to that of
 * a weight.
 */
export type EntryPoint =
  | "patches"
  | "patches_and_windows"
  | "patches_and_tiles"
  | "from_products"
  | "from_products_moments"
  | "windows_adjoint";

/** Positions of a patch, each a matrix product. */
export function positionsOf(edge: Edge): number {
  return (edge + 2) ** 2;
}

/**
 * Elements from one tile to the next in a transform: its positions, and a cache line more, so that tiles do not fall into
 * the same sets of a cache.
 */
export function pitchOf(edge: Edge, channels: number): number {
  return positionsOf(edge) * channels + 16;
}

/** The parameters that a transform reads; sizes, channels and pitches in channels, of which an invocation has several. */
export type Values = Partial<Record<keyof typeof conv2d_winograd.params, number>> & { size: number };

/** Tensors that some transforms bind beside `x` and `y`. */
export interface Beside {
  /** Bias of every pixel; present, if undefined, for products back to images. */
  readonly bias?: Tensor | undefined;
  /** Moments to leave. */
  readonly moments?: Tensor;
  /** Source of the other transform of a dispatch: a weight or a gradient of the output. */
  readonly source?: Tensor;
  /** Result of the other transform. */
  readonly other?: Tensor;
  /** Normalisation of images as they are read. */
  readonly norm?: Tensor;
}

const ZEROS = zerosOf(conv2d_winograd);
/** Parameters that shaders count in vectors of channels. */
const COUNTED = ["size", "channels", "pitch", "other_size", "other_channels", "other_pitch"] as const;

/** Runs a transform of `x` into `y`, and another one beside it. */
export function transform(
  edge: Edge,
  entryPoint: EntryPoint,
  values: Values,
  x: Tensor,
  y: Tensor,
  beside: Beside = {},
): void {
  const { bias, moments, source, other, norm } = beside;
  const weight = entryPoint === "patches_and_windows" ? source : undefined;
  const types = { X: floatOf(x), Y: floatOf(y), W: floatOf(weight ?? x), O: floatOf(other ?? y) };
  const width = policyOf(x.device).of(WINOGRAD_WIDTH)[entryPoint.includes("windows") ? "windows" : "images"];
  const params = { ...ZEROS, ...values };
  for (const name of COUNTED) params[name] /= width;
  x.device.dispatch(programOf(x.device, entryPoint, edge, width, types, norm), {
    params,
    buffers: {
      1: x.storage,
      2: y.storage,
      3: "bias" in beside ? (bias ?? x).storage : undefined,
      4: moments?.storage,
      5: source?.storage,
      6: other?.storage,
      7: norm?.storage,
    },
    workgroups: x.device.groups(params.size + params.other_size, 64),
    constants: { BIAS: bias !== undefined },
  });
}
