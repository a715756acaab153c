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
import { elementAliases, floatOf } from "../../tensor/internal.ts";
import { zerosOf } from "../shared/params.ts";

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
function programOf({ programs }: Device, entryPoint: EntryPoint, edge: Edge, types: Types, norm?: Tensor) {
  const name = `conv2d winograd${edge}${readingNote(norm)}`;
  return programs.get(conv2d_winograd, `${name} ${entryPoint} ${Object.values(types)}`, () => {
    const shared = [elementAliases({ ...types }), lib_flat, lib_moments, conv2d_winograd, MATRICES[edge]] as const;
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

/** The parameters that a transform reads. */
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
  x.device.dispatch(programOf(x.device, entryPoint, edge, types, norm), {
    params: { ...ZEROS, ...values },
    buffers: {
      1: x.storage,
      2: y.storage,
      3: "bias" in beside ? (bias ?? x).storage : undefined,
      4: moments?.storage,
      5: source?.storage,
      6: other?.storage,
      7: norm?.storage,
    },
    workgroups: x.device.groups(values.size + (values.other_size ?? 0), 64),
    constants: { BIAS: bias !== undefined },
  });
}
