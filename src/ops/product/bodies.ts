// The bodies that matmul and conv2d share, and the table that chooses among them by adapter and shape.
import type { Constants, Device, Program } from "../../device/mod.ts";
import { matmul_rows, matmul_subgroup, matmul_tile } from "../../shaders/gen.ts";

/** A form of the inner product: `subgroup…` and `rows` suit CPU adapters, the tiles suit GPUs. All are right anywhere. */
export type BodyName =
  | "subgroup"
  | "subgroup32"
  | "rows"
  | "tile64of4x8"
  | "tile64of8x4"
  | "tile64"
  | "tile64x128"
  | "tile128x64"
  | "tile128";

/** One form, and the block of the result that a workgroup sums. */
export interface Body {
  /** Its name. */
  readonly name: BodyName;
  /** WGSL parts. */
  readonly code: Program["code"];
  /** Rows of a block. */
  readonly rows: number;
  /** Columns of a block, in vectors of four. */
  readonly cols4: number;
  /** Invocations of a workgroup. */
  readonly invocations: number;
  /** Workgroup memory, in bytes; none but in tiles. */
  readonly memory: number;
}

/** How a family shares out a sum. */
interface Sharing {
  /** Invocations that keep the adapter busy: with fewer than these the sum is split. */
  readonly invocations: number;
  /** Fewest terms of a split. */
  readonly minTerms: number;
}

const BODIES: Readonly<Record<BodyName, Body>> = {
  subgroup: subgroup("subgroup", 16),
  subgroup32: subgroup("subgroup32", 32),
  rows: { name: "rows", code: [matmul_rows], rows: 8, cols4: 8, invocations: 8, memory: 0 },
  tile64of4x8: tile("tile64of4x8", 16, 8, { tall: false }),
  tile64of8x4: tile("tile64of8x4", 8, 16, { broad: false }),
  tile64: tile("tile64", 8, 8),
  tile64x128: tile("tile64x128", 8, 16),
  tile128x64: tile("tile128x64", 16, 8),
  tile128: tile("tile128", 16, 16),
};

/** What a tuner may choose from. */
const OPTIONS: Readonly<Record<"cpu" | "gpu", readonly BodyName[]>> = {
  cpu: ["subgroup", "subgroup32", "rows"],
  gpu: ["tile64of4x8", "tile64of8x4", "tile64", "tile64x128", "tile128x64", "tile128"],
};

/** A block of rows that a subgroup of 8 lanes sums. */
function subgroup(name: BodyName, rows: 16 | 32): Body {
  return { name, code: [`const ROWS = ${rows}u;`, matmul_subgroup], rows, cols4: 8, invocations: 8, memory: 0 };
}

/** A tile that `high` by `wide` invocations sum, each 8 rows by 8 columns, or only 4 rows or 4 columns. */
function tile(name: BodyName, high: 8 | 16, wide: 8 | 16, { tall = true, broad = true } = {}): Body {
  const [rows4, cols4] = [tall ? 2 * high : high, broad ? 2 * wide : wide];
  const sizes = `const HIGH = ${high}u; const WIDE = ${wide}u; const ROWS4 = ${rows4}u; const COLS4 = ${cols4}u;`;
  const block = { rows: 4 * rows4, cols4, invocations: high * wide };
  return { name, code: [sizes, matmul_tile], ...block, memory: 256 * (rows4 + cols4 + 2) };
}

const SHARING: Readonly<Record<"cpu" | "gpu", Sharing>> = {
  cpu: { invocations: 64, minTerms: 256 },
  gpu: { invocations: 65536, minTerms: 128 },
};

/** Most terms that one invocation adds: 2,048 turns of its loop. */
const MAX_TERMS = 8192;

/** Most bytes of partial results. */
const MAX_PARTIAL_BYTES = 64 * 2 ** 20;

/**
 * Constants of the tiles: written out, a slice takes a CPU adapter seconds to compile, and gains nothing there.
 */
const TILE_CONSTANTS: Readonly<Record<"cpu" | "gpu", Constants>> = {
  cpu: { UNROLLED: false },
  gpu: { UNROLLED: true },
};

/** Rows and columns of a matrix from which the CPU form with more rows is worth twice the time to compile. */
const LARGE = 512;

/** Tiles that a result fills, the best first: by whether it is high, and whether it is wide. */
const LARGE_TILES: readonly [TilesByWidth, TilesByWidth] = [[[], ["tile64x128"]], [["tile128x64"], [
  "tile128",
  "tile128x64",
]]];
type TilesByWidth = readonly [readonly BodyName[], readonly BodyName[]];

let forced: BodyName | null = null;

/** Uses one body for every product inside `run`; for tests and tuning. */
export async function withBody<T>(name: BodyName, run: () => Promise<T>): Promise<T> {
  const before = forced;
  forced = name;
  try {
    return await run();
  } finally {
    forced = before;
  }
}

/** True inside {@linkcode withBody}. */
export function isBodyForced(): boolean {
  return forced !== null;
}

/** The body of a name. */
export function bodyNamed(name: BodyName): Body {
  return BODIES[name];
}

/** The bodies that may suit the adapter. */
export function bodyOptions(device: Device): Body[] {
  const { family, subgroupSize } = device.info;
  const suited = OPTIONS[family].filter((name) => !name.startsWith("subgroup") || subgroupSize === 8).map(bodyNamed);
  return suited.filter(({ memory }) => memory <= device.limits.maxComputeWorkgroupStorageSize);
}

/** The body for a result `[batch, rows, 4 cols4]`: on GPUs the largest tile that it fills and of which it has enough. */
export function chooseBody(device: Device, rows: number, cols4: number, batch: number): Body {
  if (forced) return BODIES[forced];
  const { family, subgroupSize } = device.info;
  if (family === "cpu") {
    const large = Math.min(rows, 4 * cols4) >= LARGE && batch === 1;
    return BODIES[subgroupSize !== 8 ? "rows" : large ? "subgroup32" : "subgroup"];
  }
  const large = LARGE_TILES[rows >= 96 ? 1 : 0][cols4 >= 24 ? 1 : 0].map(bodyNamed).find(({ memory }) =>
    memory <= device.limits.maxComputeWorkgroupStorageSize
  );
  const busy = large && blocksOf(large, rows, cols4) * batch * large.invocations >= SHARING.gpu.invocations / 2;
  return busy ? large : BODIES.tile64;
}

/** Values of a body's `override` constants. */
export function constantsOf(device: Device, body: Body): Constants {
  return body.memory > 0 ? TILE_CONSTANTS[device.info.family] : {};
}

/** Workgroups that a result of `rows` by `4 cols4` takes. */
export function blocksOf(body: Body, rows: number, cols4: number): number {
  return Math.ceil(rows / body.rows) * Math.ceil(cols4 / body.cols4);
}

/**
 * Into how many parts to split a sum, so that the adapter is busy and no invocation loops for long.
 *
 * @param workgroups Workgroups of `body` without a split.
 * @param terms Terms of the sum.
 * @param resultBytes Bytes of the whole result: each split makes one.
 */
export function chooseSplits(
  device: Device,
  body: Body,
  workgroups: number,
  terms: number,
  resultBytes: number,
): number {
  const { invocations, minTerms } = SHARING[device.info.family];
  const forBusy = Math.min(Math.ceil(invocations / (workgroups * body.invocations)), Math.floor(terms / minTerms));
  const limit = Math.min(MAX_PARTIAL_BYTES, device.limits.maxStorageBufferBindingSize);
  const affordable = Math.max(1, Math.floor(limit / resultBytes));
  return Math.max(1, Math.min(Math.max(forBusy, Math.ceil(terms / MAX_TERMS)), affordable));
}
