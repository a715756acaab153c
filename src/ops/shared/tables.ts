// What suits which family of adapters, as data: no op branches on the adapter. `policy.ts` picks the row.
import type { AdapterFamily } from "../../device/mod.ts";
import type { FloatDType } from "../../tensor/mod.ts";

/** Division of rows among invocations. */
export interface SliceTable {
  /** Invocations wanted; fewer when there are not rows enough, more when a slice would exceed `maxRows`. */
  readonly invocations: number;
  /** Minimum number of rows a slice. */
  readonly minRows: number;
  /** Maximum number of rows a slice: the longest loop of an invocation. */
  readonly maxRows: number;
}

/** Conditions under which workgroups have all rows of some columns each. */
export interface ColumnTable {
  /** Minimum number of columns. */
  readonly least: number;
  /** Workgroups wanted. */
  readonly groups: number;
  /** Maximum number of rows an invocation: its longest loop. */
  readonly maxRows: number;
}

/**
 * Batch normalisation: slices of the reductions and of the elementwise passes; how many slices every invocation of the
 * latter merges itself, which saves a pass; else, invocations that merge one column, and how many slices each of them
 * merges at most; and when workgroups have whole columns, so that one dispatch does it all.
 */
export const BATCH_NORM: Readonly<
  Record<AdapterFamily, {
    readonly reduce: SliceTable;
    readonly apply: SliceTable;
    readonly few: number;
    readonly columns: ColumnTable;
    readonly lanes: number;
    readonly mergeDepth: number;
  }>
> = {
  cpu: {
    reduce: { invocations: 512, minRows: 32, maxRows: 1024 },
    apply: { invocations: 1024, minRows: 8, maxRows: 1024 },
    few: 8,
    columns: { least: 16, groups: 8, maxRows: 2048 },
    lanes: 1,
    mergeDepth: 64,
  },
  gpu: {
    reduce: { invocations: 65536, minRows: 8, maxRows: 512 },
    apply: { invocations: 262144, minRows: 2, maxRows: 16 },
    few: 1,
    columns: { least: Infinity, groups: 1, maxRows: 0 },
    lanes: 256,
    mergeDepth: 64,
  },
};

/**
 * Form of attention, how it goes through queries and keys: in tiles that a workgroup keeps to itself, or by matrix
 * products of some heads at a time. On lavapipe, [4, 197, 6 heads of 64] forward and backward took 3.5 times as long by
 * tiles as by products.
 */
export const ATTENTION: Readonly<Record<AdapterFamily, "tiles" | "products">> = { cpu: "products", gpu: "tiles" };

/** Gradients of layer normalisation's weight and bias: slices of rows. */
export const LAYER_NORM: Readonly<Record<AdapterFamily, SliceTable>> = {
  cpu: { invocations: 512, minRows: 32, maxRows: 1024 },
  gpu: { invocations: 65536, minRows: 8, maxRows: 512 },
};

/**
 * Whether a convolution normalises what it reads, where ReLU lies between: it saves a pass over memory forward and one
 * backward. On CPU adapters, where arithmetic is the limit, a pass costs less than to normalise each value several times.
 */
export const READ_NORMALIZED: Readonly<Record<AdapterFamily, boolean>> = { cpu: false, gpu: true };

/**
 * Minimum number of bytes of the output of a batch normalisation that is made again in the backward of what follows,
 * instead of kept: one pass more, and a quarter less memory for a ResNet-18. A small one costs less memory than the
 * pass costs the host.
 */
export const REMAKE_NORMALIZED: Readonly<Record<AdapterFamily, number>> = { cpu: 2 ** 19, gpu: 2 ** 19 };

/**
 * Maximum number of bytes of Winograd's transform of a chunk of images: `least`, or `perImage` of the batch where that
 * is more. A CPU keeps a small chunk in its cache; on a GPU the dispatches of a step should not grow with the batch.
 * The chunks of a batch are of one size, and `least` holds those of ResNet-50's convolutions for 128 images whole.
 */
export const WINOGRAD_CHUNK: Readonly<Record<AdapterFamily, { readonly least: number; readonly perImage: number }>> = {
  cpu: { least: 8 * 2 ** 20, perImage: 0 },
  gpu: { least: 112 * 2 ** 20, perImage: 2 ** 18 },
};

/**
 * Precision in which Winograd's transforms and products are kept where sums may be in f16: on GPUs their bytes take longer
 * than their arithmetic, and the products of f16 are packed.
 */
export const WINOGRAD_KEPT: Readonly<Record<AdapterFamily, FloatDType>> = { cpu: "f32", gpu: "f16" };

/**
 * Channels that an invocation of Winograd's transforms has: those of images alone, and those of windows. On a GPU two take
 * half the registers of four; on a CPU four take fewer addresses, but half the lines of a cache at a time are faster where
 * windows are many.
 */
export const WINOGRAD_WIDTH: Readonly<Record<AdapterFamily, Readonly<Record<"images" | "windows", 1 | 2 | 4>>>> = {
  cpu: { images: 4, windows: 2 },
  gpu: { images: 2, windows: 2 },
};

/** Winograd's output transform where it leaves moments: tiles of a slice. */
export const WINOGRAD_SLICES: Readonly<Record<AdapterFamily, SliceTable>> = {
  cpu: { invocations: 4096, minRows: 4, maxRows: 64 },
  gpu: { invocations: 131072, minRows: 4, maxRows: 32 },
};

/** Gradient of a depthwise convolution's weight: slices of the pixels. */
export const DEPTHWISE: Readonly<Record<AdapterFamily, SliceTable>> = {
  cpu: { invocations: 2048, minRows: 64, maxRows: 1024 },
  gpu: { invocations: 65536, minRows: 32, maxRows: 256 },
};

/**
 * Whether a convolution leaves the moments of what it makes, for the batch normalisation that follows: it saves a pass over
 * the output. On lavapipe, where arithmetic and not memory is the limit, it costs what it saves: convolution and
 * normalisation took 1.00 to 1.08 of the time of separate passes (ResNet-18's and ResNet-50's shapes, interleaved).
 */
export const MOMENTS: Readonly<Record<AdapterFamily, "fused" | "apart">> = { cpu: "apart", gpu: "fused" };

/**
 * Cost of Winograd's transforms: multiply-adds of a product that take as long as one number of a transformed image, or
 * window, on its way out and in again. On lavapipe, fitted to the processor time of all three products over 8 to 512
 * channels, images of 2 to 32 px and batches of 1 to 64. On GPUs, 8 bytes at the bandwidth of a data sheet against its
 * multiply-adds at 88 %: 110 on an RX 7900 XTX, 158 on an RX 6900 XT, 46 on a Radeon VII. A ResNet-18 step of 512 images
 * moves 46 GB with 110 and 72 GB with 50, and takes 81 and 91 ms, 127 and 157, 144 and 127 on these by
 * `deno task gpu:compile`; a tuned step takes what is faster.
 */
export const WINOGRAD_COST: Readonly<Record<AdapterFamily, { readonly image: number; readonly window: number }>> = {
  cpu: { image: 11, window: 32 },
  gpu: { image: 110, window: 110 },
};

/** The loops over pairs of rows: elements a workgroup, `[rows, columns]`. */
export const ROW_FORMS: Readonly<
  Record<"subgroup" | "lanes" | "tiles", {
    /** A number for each pair, by the number of pairs; `edge` is the workgroup's. */
    readonly pairs: (size: number) => { readonly tile: readonly [number, number]; readonly edge: number };
    /** Weighted sums of rows; columns in vectors of four. */
    readonly sums: readonly [number, number];
  }>
> = {
  subgroup: { pairs: () => ({ tile: [32, 32], edge: 8 }), sums: [16, 8] },
  lanes: { pairs: () => ({ tile: [8, 32], edge: 8 }), sums: [8, 8] },
  tiles: {
    // Large tiles load less, small ones keep more of a large GPU busy.
    pairs: (size) => size >= 2 ** 20 ? { tile: [64, 64], edge: 16 } : { tile: [32, 32], edge: 8 },
    sums: [32, 16],
  },
};

/** Row reductions: most lanes a row, invocations a workgroup, and the loop past which lanes are added. */
export const ROW_LANES: Readonly<
  Record<AdapterFamily, { readonly lanes: number; readonly invocations: number; readonly loop: number }>
> = {
  cpu: { lanes: 1, invocations: 8, loop: 2048 },
  gpu: { lanes: 128, invocations: 128, loop: 512 },
};

/** Sums and extrema over axes. */
export const REDUCE: Readonly<Record<AdapterFamily, SliceTable>> = {
  cpu: { invocations: 1024, minRows: 64, maxRows: 1024 },
  gpu: { invocations: 65536, minRows: 16, maxRows: 256 },
};

/** Cholesky's blocks of columns: by elements, all rows at once, or by vectors of rows, the diagonal first. */
export const CHOLESKY: Readonly<Record<AdapterFamily, "elements" | "rows">> = { cpu: "rows", gpu: "elements" };
