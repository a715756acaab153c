// The ways to compute a convolution, and the table that chooses one by shape.
import type { Device } from "../../device/mod.ts";
import { type FloatDType, type Shape, sizeOf } from "../../tensor/mod.ts";
import { decide, type Rehearsal } from "../product/choices.ts";
import { type Algorithm, describe, type Geometry } from "./geometry.ts";
import { forwardDirect, forwardTaps, inputGradDirect, weightGradDirect } from "./_conv2d_direct.ts";
import { forwardProduct, inputGradProduct, weightGradProduct } from "./_conv2d_product.ts";
import { tilesOf, transformBytes, winograd } from "./_conv2d_winograd.ts";
import { type Edge, positionsOf } from "./_conv2d_winograd_transforms.ts";
import { noiseLike } from "../product/product.ts";
import { MOMENTS } from "../shared/variants.ts";

/**
 * `direct` serves every shape, `taps` forward passes of up to 4 channels, `product` windows of 1 × 1,
 * `winograd3` and `winograd4` windows of 3 × 3 with stride 1.
 */
export type AlgorithmName = "direct" | "taps" | "product" | "winograd3" | "winograd4";

/** Pixels along the edge of a tile. */
const EDGES = { winograd3: 3, winograd4: 4 } as const satisfies Partial<Record<AlgorithmName, Edge>>;

const ALGORITHMS: Readonly<Record<AlgorithmName, Algorithm>> = {
  direct: { forward: forwardDirect, inputGrad: inputGradDirect, weightGrad: weightGradDirect },
  taps: { forward: forwardTaps, inputGrad: inputGradDirect, weightGrad: weightGradDirect },
  product: { forward: forwardProduct, inputGrad: inputGradProduct, weightGrad: weightGradProduct },
  winograd3: winograd(EDGES.winograd3),
  winograd4: winograd(EDGES.winograd4),
};

/**
 * What Winograd's transforms cost: multiply-adds of a product that take as long as one number of a transformed image, or
 * window, on its way out and in again. Measured on lavapipe; estimated from bandwidth on GPUs.
 */
const TRANSFORM_COST = { cpu: { image: 52, window: 32 }, gpu: { image: 50, window: 50 } } as const;

let forced: AlgorithmName | null = null;

/** Uses one algorithm inside `run`, where it serves the shape; for tests and tuning. */
export async function withAlgorithm<T>(name: AlgorithmName, run: () => Promise<T>): Promise<T> {
  const before = forced;
  forced = name;
  try {
    return await run();
  } finally {
    forced = before;
  }
}

/** One of the three products of a convolution. */
export type ProductKind = keyof Algorithm;

/** The algorithm that a product of this shape takes, of images in `dtype`. */
export function chooseAlgorithm<K extends ProductKind>(
  device: Device,
  g: Geometry,
  kind: K,
  dtype: FloatDType,
): Algorithm[K] {
  return ALGORITHMS[algorithmFor(device, g, kind, dtype)][kind];
}

/** True when that algorithm leaves the moments of its output on this adapter. */
export function leavesMoments(device: Device, g: Geometry, dtype: FloatDType): boolean {
  return MOMENTS[device.info.family][algorithmFor(device, g, "forward", dtype)];
}

/** Its name. */
export function algorithmFor(
  device: Device,
  g: Geometry,
  kind: ProductKind = "forward",
  dtype: FloatDType = "f32",
): AlgorithmName {
  if (forced && serves(forced, device, g, kind)) return forced;
  const usual = usualAlgorithm(device, g, kind);
  return decide(device, usual, () => ({
    key: `conv2d ${kind} ${describe(g)} ${dtype}`,
    candidates: () => NAMES.filter((name) => serves(name, device, g, kind)),
    rehearse: () => rehearse(device, g, kind, dtype),
    composed: true,
  })) as AlgorithmName;
}

function usualAlgorithm(device: Device, g: Geometry, kind: ProductKind): AlgorithmName {
  if (serves("product", device, g, kind)) return "product";
  let best: AlgorithmName = serves("taps", device, g, kind) ? "taps" : "direct";
  let least = directCost(g);
  for (const name of ["winograd4", "winograd3"] as const) {
    const cost = winogradCost(EDGES[name], device, g);
    if (cost < least && serves(name, device, g, kind)) [best, least] = [name, cost];
  }
  return best;
}

const NAMES = Object.keys(ALGORITHMS) as AlgorithmName[];

/** Runs a product by the algorithm that is chosen at that moment. */
function rehearse(device: Device, g: Geometry, kind: ProductKind, dtype: FloatDType): Rehearsal {
  const noise = (shape: Shape, seed: number, dtype: FloatDType) => noiseLike({ shape, device, dtype }, seed);
  const images = () => noise([g.n, ...g.size, g.groups * g.inChannels], 1, dtype);
  const gradients = () => noise([g.n, ...g.outSize, g.groups * g.outChannels], 2, dtype);
  const weights = () => noise([...g.kernel, g.inChannels, g.groups * g.outChannels], 3, "f32"); // as parameters are
  if (kind === "forward") {
    const operands = { x: images(), weight: weights(), dtype };
    return { run: () => chooseAlgorithm(device, g, kind, dtype)(g, operands) };
  }
  if (kind === "inputGrad") {
    const operands = { gradY: gradients(), weight: weights(), dtype };
    return { run: () => chooseAlgorithm(device, g, kind, dtype)(g, operands) };
  }
  const operands = { x: images(), gradY: gradients(), dtype: "f32" } as const;
  return { run: () => chooseAlgorithm(device, g, kind, dtype)(g, operands) };
}

function serves(name: AlgorithmName, device: Device, g: Geometry, kind: ProductKind): boolean {
  if (name === "direct") return true;
  if (name === "taps") return kind === "forward" && g.inChannels === 4 && sizeOf(g.kernel) > 1;
  if (sizeOf(g.stride) !== 1 || g.groups !== 1) return false;
  if (name === "product") return sizeOf(g.kernel) === 1 && sizeOf(g.padding) === 0;
  const square = g.kernel[0] === 3 && g.kernel[1] === 3 && sizeOf(g.dilation) === 1;
  return square && transformBytes(EDGES[name], g) <= device.limits.maxStorageBufferBindingSize;
}

/** Multiply-adds. */
function directCost(g: Geometry): number {
  return 9 * g.n * sizeOf(g.outSize) * g.inChannels * g.outChannels;
}

function winogradCost(edge: Edge, device: Device, g: Geometry): number {
  const tiles = g.n * tilesOf(edge, g.outSize);
  const { inChannels, outChannels } = g;
  const { image, window } = TRANSFORM_COST[device.info.family];
  const moved = image * tiles * (inChannels + outChannels) + window * inChannels * outChannels;
  return positionsOf(edge) * (tiles * inChannels * outChannels + moved);
}
