// Convolution with a 3 × 3 window and stride 1 by Winograd's F(3×3, 3×3) and F(4×4, 3×3); the formulas are in
// shaders/conv/conv2d_winograd.wgsl.
import type { Device } from "../../device/mod.ts";
import { type FloatDType, sizeOf, Tensor } from "../../tensor/mod.ts";
import { floatOf } from "../../tensor/internal.ts";
import type { Conv2dForm, ForwardOperands, Geometry, InputGradOperands, WeightGradOperands } from "./geometry.ts";
import { sumsOf } from "../product/precision.ts";
import type { SideMoments } from "../product/moments.ts";
import { type AllStrides, type BatchAxes, strided } from "../product/layout.ts";
import { productPadded } from "../product/product.ts";
import { type Edge, pitchOf, positionsOf, transform, type Values } from "./_conv2d_winograd_transforms.ts";
import { type Policy, policyOf } from "../shared/policy.ts";
import { WINOGRAD_CHUNK, WINOGRAD_COST, WINOGRAD_KEPT, WINOGRAD_SLICES, WINOGRAD_WIDTH } from "../shared/tables.ts";

/** Maximum number of tiles of a chunk of images: the longest sum of a weight gradient. */
const CHUNK_TILES = 32768;

/** The tiles that cover the images. */
interface Tiling {
  readonly edge: Edge;
  readonly tiles: readonly [number, number];
  /** Images whose transforms are in memory at once. */
  readonly chunk: number;
}

function winograd(edge: Edge): Conv2dForm {
  return {
    serves: (g, _product, policy) => serves(edge, g, policy),
    cost: (g, policy) => costOf(edge, g, policy),
    forward: (g, operands) => forward(edge, g, operands),
    inputGrad: (g, operands) => inputGrad(edge, g, operands),
    weightGrad: (g, operands) => weightGrad(edge, g, operands),
  };
}

/** F(3×3, 3×3), for windows of 3 × 3 with stride 1. */
export const winograd3 = winograd(3);

/** F(4×4, 3×3), for the same windows. */
export const winograd4 = winograd(4);

function serves(edge: Edge, g: Geometry, { limits }: Policy): boolean {
  const plain = [g.stride, g.dilation].every((pair) => sizeOf(pair) === 1) && g.groups === 1;
  const square = g.kernel[0] === 3 && g.kernel[1] === 3;
  return plain && square && transformBytes(edge, g) <= limits.maxStorageBufferBindingSize;
}

/** Multiply-adds of the products, and what takes as long as the transforms. */
function costOf(edge: Edge, g: Geometry, policy: Policy): number {
  const tiles = g.n * tilesOf(edge, g.outSize);
  const { inChannels, outChannels } = g;
  const { image, window } = policy.of(WINOGRAD_COST);
  const moved = image * tiles * (inChannels + outChannels) + window * inChannels * outChannels;
  return positionsOf(edge) * (tiles * inChannels * outChannels + moved);
}

/** Tiles of one image. */
function tilesOf(edge: Edge, size: readonly [number, number]): number {
  return Math.ceil(size[0] / edge) * Math.ceil(size[1] / edge);
}

/** Bytes of the transform of one image. */
function transformBytes(edge: Edge, g: Geometry): number {
  const tiles = Math.max(tilesOf(edge, g.outSize), tilesOf(edge, g.size));
  return tiles * pitchOf(edge, Math.max(g.inChannels, g.outChannels)) * 4;
}

function tilingOf(edge: Edge, device: Device, g: Geometry, size: readonly [number, number]): Tiling {
  const tiles = [Math.ceil(size[0] / edge), Math.ceil(size[1] / edge)] as const;
  const { least, perImage } = policyOf(device).of(WINOGRAD_CHUNK);
  const limit = Math.min(Math.max(least, perImage * g.n), device.limits.maxStorageBufferBindingSize);
  const images = Math.min(Math.floor(limit / transformBytes(edge, g)), Math.floor(CHUNK_TILES / sizeOf(tiles)));
  // As few chunks as fit, of one size: the last needs no buffers of its own.
  const chunks = Math.ceil(g.n / Math.max(1, images));
  return { edge, tiles, chunk: Math.max(1, Math.ceil(g.n / chunks)) };
}

/** Computes `y [n, oh, ow, out]` of `x [n, h, w, in]`. */
function forward(edge: Edge, g: Geometry, { x, weight, bias, side, dtype, norm }: ForwardOperands): Tensor {
  const y = new Tensor(x.device, [g.n, ...g.outSize, g.outChannels], { dtype });
  const offset = [-g.padding[0], -g.padding[1]] as const;
  const tiling = tilingOf(edge, x.device, g, g.outSize);
  const slices = slicesOf(tiling, y, side);
  convolve({ tiling, x, weight, turned: false, offset, y, bias, slices, norm });
  return y;
}

/** Gradient of `x` from that of `y`. */
function inputGrad(edge: Edge, g: Geometry, { gradY, weight, dtype }: InputGradOperands): Tensor {
  const y = new Tensor(gradY.device, [g.n, ...g.size, g.inChannels], { dtype });
  const offset = [g.padding[0] - 2, g.padding[1] - 2] as const;
  const tiling = tilingOf(edge, gradY.device, g, g.size);
  convolve({ tiling, x: gradY, weight, turned: true, offset, y });
  return y;
}

/** Gradient of the weight from that of `y`. */
function weightGrad(edge: Edge, g: Geometry, { x, gradY, dtype, norm }: WeightGradOperands): Tensor {
  const { device } = x;
  const { inChannels, outChannels } = g;
  const tiling = tilingOf(edge, device, g, g.outSize);
  const offset = [-g.padding[0], -g.padding[1]] as const;
  let sum: Tensor | undefined;
  for (let first = 0; first < g.n; first += tiling.chunk) {
    const chunk = { tiling, first, images: Math.min(tiling.chunk, g.n - first) };
    const { patches, tiles } = transformFactors(chunk, { x, gradY, norm }, offset);
    const inner = patches.shape[0]!;
    const sizes = { rows: inChannels, cols: outChannels, inner };
    const strides = stridesOf(edge, inChannels, outChannels, outChannels, inChannels);
    const layout = strided(strides, { transposeA: true, batch: batchOf(edge) });
    sum = productPadded({ a: patches, b: tiles, sizes, layout, epilogue: { into: sum }, sums: floatOf(patches) });
    patches.dispose();
    tiles.dispose();
  }
  const gradWeight = new Tensor(device, [...g.kernel, inChannels, outChannels], { dtype });
  if (sum) transform(edge, "windows_adjoint", windowValues(edge, inChannels, outChannels), sum, gradWeight);
  sum?.dispose();
  return gradWeight;
}

/** The dtype of transforms of images, and of their products. */
function keptIn(images: Tensor): FloatDType {
  return sumsOf(images, images) === "f16" ? policyOf(images.device).of(WINOGRAD_KEPT) : "f32";
}

/** A product for each position. */
function batchOf(edge: Edge): BatchAxes {
  return { sizes: [1, 1, positionsOf(edge)], a: [0, 0, 1], b: [0, 0, 1] };
}

/** Returns the strides of these products: all operands are transforms, of that many channels; c has `rows` of them. */
function stridesOf(edge: Edge, a: number, b: number, c: number, rows: number): AllStrides {
  const of = (channels: number) => ({ row: pitchOf(edge, channels), matrix: channels });
  return { a: of(a), b: of(b), c: of(c), size: rows * pitchOf(edge, c) };
}

interface Convolution {
  readonly tiling: Tiling;
  readonly x: Tensor;
  readonly weight: Tensor;
  /** Turned by 180 degrees, and summed over out, not in. */
  readonly turned: boolean;
  readonly offset: readonly [number, number];
  readonly y: Tensor;
  readonly bias?: Tensor;
  readonly slices?: TileSlices;
  readonly norm?: Tensor;
}

function convolve({ tiling, x, weight, turned, offset, y, bias, slices, norm }: Convolution): void {
  const [n, , , cols] = y.shape as [number, number, number, number];
  const inner = x.shape[3]!;
  const outChannels = weight.shape[3]!;
  const { edge } = tiling;
  const dtype = keptIn(x);
  const windows = new Tensor(x.device, [weight.shape[2]!, pitchOf(edge, outChannels)], { dtype });
  for (let first = 0; first < n; first += tiling.chunk) {
    const chunk = { tiling, first, images: Math.min(tiling.chunk, n - first) };
    const beside = first === 0 ? { weight, windows, turned } : undefined;
    const patches = transformImages(chunk, { x, norm }, offset, beside);
    const rows = patches.shape[0]!;
    const strides = stridesOf(edge, inner, outChannels, cols, rows);
    const layout = strided(strides, { transposeB: turned, batch: batchOf(edge) });
    const sizes = { rows, cols, inner };
    const products = productPadded({ a: patches, b: windows, sizes, layout, epilogue: { dtype }, sums: dtype });
    const values = valuesOf(chunk, y, [0, 0]);
    if (slices) putWithMoments(values, slices, chunk, products, y, bias);
    else transform(edge, "from_products", { ...values, size: rows * cols }, products, y, { bias });
    patches.dispose();
    products.dispose();
  }
  windows.dispose();
}

/** Slices of tiles whose moments the output transform leaves. */
interface TileSlices {
  readonly moments: Tensor;
  /** Tiles of a slice. */
  readonly each: number;
  /** Slices of a whole chunk. */
  readonly ofChunk: number;
}

function slicesOf({ tiles, chunk }: Tiling, y: Tensor, side?: SideMoments): TileSlices | undefined {
  if (!side) return undefined;
  const [n, , , channels] = y.shape as [number, number, number, number];
  const policy = policyOf(y.device);
  const { invocations, minRows, maxRows } = policy.of(WINOGRAD_SLICES);
  const ofImage = sizeOf(tiles);
  const wanted = Math.ceil(chunk * ofImage * channels / policy.of(WINOGRAD_WIDTH).images / invocations);
  const each = Math.max(minRows, Math.min(maxRows, wanted));
  const slicesIn = (images: number) => Math.ceil(images * ofImage / each);
  const slices = Math.floor(n / chunk) * slicesIn(chunk) + slicesIn(n % chunk);
  return { moments: side.open(y.device, slices, channels), each, ofChunk: slicesIn(chunk) };
}

function putWithMoments(
  values: Omit<Values, "size">,
  { moments, each, ofChunk }: TileSlices,
  { tiling, first, images }: Chunk,
  products: Tensor,
  y: Tensor,
  bias?: Tensor,
): void {
  const tiles = images * sizeOf(tiling.tiles);
  const size = Math.ceil(tiles / each) * values.channels!;
  const first_slice = first / tiling.chunk * ofChunk;
  const all = { ...values, tiles, each, first_slice, size };
  transform(tiling.edge, "from_products_moments", all, products, y, { bias, moments });
}

/** A range of images. */
interface Chunk {
  readonly tiling: Tiling;
  readonly first: number;
  readonly images: number;
}

/** A weight whose transforms `[in, pitch of out]` are made beside those of images. */
interface Windows {
  readonly weight: Tensor;
  readonly windows: Tensor;
  readonly turned: boolean;
}

/** Transforms the images of a chunk to `[tiles, pitch]`; and of a weight, if given. */
function transformImages(
  chunk: Chunk,
  { x, norm }: Pick<ForwardOperands, "x" | "norm">,
  offset: readonly [number, number],
  beside?: Windows,
): Tensor {
  const channels = x.shape[3]!;
  const tiles = chunk.images * sizeOf(chunk.tiling.tiles);
  const { edge } = chunk.tiling;
  const y = new Tensor(x.device, [tiles, pitchOf(edge, channels)], { dtype: keptIn(x) });
  const values = { ...valuesOf(chunk, x, offset), size: tiles * channels };
  if (!beside) {
    transform(edge, "patches", values, x, y, { norm });
    return y;
  }
  const { weight, windows, turned } = beside;
  const { size, channels: other_channels, pitch: other_pitch } = windowValues(edge, weight.shape[2]!, weight.shape[3]!);
  const others = { other_size: size, other_channels, other_pitch, turn: turned ? 1 : 0 };
  transform(edge, "patches_and_windows", { ...values, ...others }, x, y, { source: weight, other: windows, norm });
  return y;
}

/** Transforms the images of a chunk, and the gradient of the output to `[tiles, pitch]`. */
function transformFactors(
  chunk: Chunk,
  { x, gradY, norm }: Omit<WeightGradOperands, "dtype">,
  offset: readonly [number, number],
): { patches: Tensor; tiles: Tensor } {
  const [, grad_h, grad_w, channels] = gradY.shape as [number, number, number, number];
  const { edge } = chunk.tiling;
  const count = chunk.images * sizeOf(chunk.tiling.tiles);
  const dtype = keptIn(x);
  const patches = new Tensor(x.device, [count, pitchOf(edge, x.shape[3]!)], { dtype });
  const tiles = new Tensor(x.device, [count, pitchOf(edge, channels)], { dtype });
  const size = count * Math.max(x.shape[3]!, channels);
  const grad = { grad_h, grad_w, other_channels: channels, other_pitch: pitchOf(edge, channels) };
  const values = { ...valuesOf(chunk, x, offset), ...grad, size };
  transform(edge, "patches_and_tiles", values, x, patches, { source: gradY, other: tiles, norm });
  return { patches, tiles };
}

function windowValues(edge: Edge, inChannels: number, outChannels: number): Values {
  return { size: inChannels * outChannels, channels: outChannels, pitch: pitchOf(edge, outChannels) };
}

/** Returns the parameters of the transform of an image: of the input, or of the output that products go to. */
function valuesOf(chunk: Chunk, image: Tensor, offset: readonly [number, number]): Omit<Values, "size"> {
  const [, h, w, channels] = image.shape as [number, number, number, number];
  const { tiles } = chunk.tiling;
  return {
    h,
    w,
    tiles_h: tiles[0],
    tiles_w: tiles[1],
    offset_h: offset[0],
    offset_w: offset[1],
    channels,
    pitch: pitchOf(chunk.tiling.edge, channels),
    first_image: chunk.first,
  };
}
