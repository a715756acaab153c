// The forms of the inner loop that matmul and conv2d share, and the table that chooses among them by adapter and shape.
import type { Constants, Device, ShaderPart } from "../../device/mod.ts";
import type { Nothing } from "../../device/internal.ts";
import {
  matmul_columns,
  matmul_narrow,
  matmul_rows,
  matmul_subgroup,
  matmul_tile,
  matmul_tile_f16,
  matmul_tile_f32,
} from "../../shaders/product.ts";
import type { FloatDType } from "../../tensor/mod.ts";
import { type Policy, policyOf } from "../shared/policy.ts";

/**
 * Name of a form of the inner loop: `subgroup…` and `rows` suit CPU adapters, the tiles suit GPUs. All are right
 * anywhere; those in `half` sum 8 terms at a time in f16, and serve only where that is asked for.
 */
export type ProductFormName =
  | "subgroup"
  | "subgroup32"
  | "subgroupNarrow"
  | "subgroupTexture"
  | "rows"
  | "tile64of4x8"
  | "tile64of8x4"
  | "tile64"
  | "tile64x128"
  | "tile128x64"
  | "tile128"
  | "half64"
  | "half64x128"
  | "half128x64"
  | "half128";

/** One form, and the block of the result that a workgroup sums. */
export interface ProductForm {
  /** Name of the form. */
  readonly name: ProductFormName;
  /** WGSL parts; the operands declare scalars and bindings. */
  readonly code: readonly (string | ShaderPart<Nothing, Nothing>)[];
  /** Rows of a block. */
  readonly rows: number;
  /** Columns of a block, in vectors of four. */
  readonly cols4: number;
  /** Invocations of a workgroup. */
  readonly invocations: number;
  /** Workgroup memory, in bytes; 0 except in tiles. */
  readonly memory: number;
  /** Precision in which a few terms are summed before they are added in f32. */
  readonly sums: FloatDType;
  /** Whether b is read through a texture. */
  readonly texture?: boolean;
}

/** Properties of a product that allow some forms. */
export interface Allowed {
  /** Precision in which a few terms may be summed; f32 by default. */
  readonly sums?: FloatDType;
  /** Bytes of b where it may be read through a texture: all of it is used, and it is f32; 0 by default. */
  readonly textureBytes?: number;
}

/** Terms of a sum, and of each segment of it but the last. */
export interface SegmentedSum {
  readonly inner: number;
  readonly depth: number;
}

/** Division of a sum by a family of adapters. */
interface Sharing {
  /** Invocations that keep the adapter busy: with fewer than these the sum is split. */
  readonly invocations: number;
  /** Minimum number of terms of a split. */
  readonly minTerms: number;
}

const ON_CPU = { invocations: 8, memory: 0, sums: "f32" } as const;

const FORMS: Readonly<Record<ProductFormName, ProductForm>> = {
  subgroup: subgroup("subgroup", 16),
  subgroup32: subgroup("subgroup32", 32),
  subgroupNarrow: { name: "subgroupNarrow", code: [matmul_narrow], rows: 32, cols4: 4, ...ON_CPU },
  subgroupTexture: { ...subgroup("subgroupTexture", 16), texture: true },
  rows: { name: "rows", code: [matmul_columns, matmul_rows], rows: 8, cols4: 8, ...ON_CPU },
  tile64of4x8: tile("tile64of4x8", 16, 8, { tall: false }),
  tile64of8x4: tile("tile64of8x4", 8, 16, { broad: false }),
  tile64: tile("tile64", 8, 8),
  tile64x128: tile("tile64x128", 8, 16),
  tile128x64: tile("tile128x64", 16, 8),
  tile128: tile("tile128", 16, 16),
  half64: tile("half64", 8, 8, { sums: "f16" }),
  half64x128: tile("half64x128", 8, 16, { sums: "f16" }),
  half128x64: tile("half128x64", 16, 8, { sums: "f16" }),
  half128: tile("half128", 16, 16, { sums: "f16" }),
};

/** Forms that a tuner may choose from, those in f16 where they serve. */
const OPTIONS: Readonly<Record<"cpu" | "gpu", readonly ProductFormName[]>> = {
  cpu: ["subgroup", "subgroup32", "subgroupNarrow", "subgroupTexture", "rows"],
  gpu: [
    ...["tile64of4x8", "tile64of8x4", "tile64", "tile64x128", "tile128x64", "tile128"] as const,
    ...["half64", "half64x128", "half128x64", "half128"] as const,
  ],
};

/** A block of rows that a subgroup of 8 lanes sums. */
function subgroup(name: ProductFormName, rows: 16 | 32): ProductForm {
  return { name, code: [`const ROWS = ${rows}u;`, matmul_columns, matmul_subgroup], rows, cols4: 8, ...ON_CPU };
}

/** Differences of a tile: an invocation has 4 rows where it is not tall, 4 columns where it is not broad. */
interface TileKind {
  readonly tall?: boolean;
  readonly broad?: boolean;
  readonly sums?: FloatDType;
}

/** A GEMM tile: `high` by `wide` invocations sum it, each 8 rows by 8 columns. */
function tile(name: ProductFormName, high: 8 | 16, wide: 8 | 16, kind: TileKind = {}): ProductForm {
  const { tall = true, broad = true, sums = "f32" } = kind;
  const [rows4, cols4] = [tall ? 2 * high : high, broad ? 2 * wide : wide];
  const sizes = `const HIGH = ${high}u; const WIDE = ${wide}u; const ROWS4 = ${rows4}u; const COLS4 = ${cols4}u;`;
  const code = [sizes, sums === "f16" ? matmul_tile_f16 : matmul_tile_f32, matmul_tile];
  const slices = rows4 + cols4 + 1;
  const memory = sums === "f16" ? 128 * slices + 16 * high * cols4 : 256 * slices;
  return { name, code, rows: 4 * rows4, cols4, invocations: high * wide, memory, sums };
}

const SHARING: Readonly<Record<"cpu" | "gpu", Sharing>> = {
  cpu: { invocations: 64, minTerms: 256 },
  gpu: { invocations: 65536, minTerms: 128 },
};

/** Maximum number of terms that one invocation adds: 2,048 turns of its loop. */
const MAX_TERMS = 8192;

/** Maximum number of bytes of partial results. */
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

/**
 * Bounds within which a CPU reads b through a texture, which takes a copy of b and a pass of its own: rows that b meets,
 * multiply-adds, and most bytes of b, as the textures of all sizes are kept.
 */
const TEXTURE = { rows: 64, work: 2 ** 24, bytes: 2 ** 26 } as const;

/** Tiles that a result fills, the best first: by whether it is high, and whether it is wide. */
const LARGE_TILES: readonly [TilesByWidth, TilesByWidth] = [[[], ["64x128"]], [["128x64"], ["128", "128x64"]]];
type TilesByWidth = readonly [readonly TileSize[], readonly TileSize[]];
type TileSize = "64" | "64x128" | "128x64" | "128";

/** The tiles of each size by the precision of their sums. */
const TILES: Readonly<Record<FloatDType, Readonly<Record<TileSize, ProductFormName>>>> = {
  f32: { "64": "tile64", "64x128": "tile64x128", "128x64": "tile128x64", "128": "tile128" },
  f16: { "64": "half64", "64x128": "half64x128", "128x64": "half128x64", "128": "half128" },
};

const NAMES = Object.keys(FORMS) as ProductFormName[];

/** The form of a name. */
export function formNamed(name: ProductFormName): ProductForm {
  return FORMS[name];
}

/** The forms that may suit the adapter, for such a product. */
export function formOptions(policy: Policy, allowed: Allowed = {}): ProductForm[] {
  return policy.of(OPTIONS).map(formNamed).filter((form) => serves(form, allowed) && lackOf(policy, form) === null);
}

/** Whether a form's sums are as precise as they must be, and it can read b. */
function serves(form: ProductForm, { sums = "f32", textureBytes = 0 }: Allowed): boolean {
  if (form.texture && (textureBytes === 0 || textureBytes > TEXTURE.bytes)) return false;
  return sums === "f16" || form.sums === "f32";
}

/** Tells what the device lacks for a form; null where it lacks nothing. */
function lackOf(
  { subgroupSize, limits, readsTextures }: Policy,
  { name, memory, texture }: ProductForm,
): string | null {
  const { maxComputeWorkgroupStorageSize: most } = limits;
  if (texture && !readsTextures) return "storage textures that shaders may read";
  if (name.startsWith("subgroup") && subgroupSize !== 8) return `subgroups of 8 lanes: got ${subgroupSize}`;
  return memory > most ? `${memory} bytes of workgroup memory: got ${most}` : null;
}

/**
 * The form that is forced and serves such a product; null where the table's or the timed one holds.
 *
 * @throws {RangeError} If there is none of that name, or the device lacks what it needs.
 */
export function forcedForm(policy: Policy, allowed: Allowed = {}): ProductForm | null {
  const name = policy.forced("matmul", NAMES);
  if (name === undefined || !serves(FORMS[name], allowed)) return null;
  const lack = lackOf(policy, FORMS[name]);
  if (lack) throw new RangeError(`Cannot force the form ${name} of matmul as it needs ${lack}`);
  return FORMS[name];
}

/**
 * The form for a result `[batch, rows, 4 cols4]`: on GPUs the largest tile that it fills and of which it has enough, in f16
 * where the sums may be.
 */
export function chooseForm(
  policy: Policy,
  rows: number,
  cols4: number,
  batch: number,
  allowed: Allowed = {},
): ProductForm {
  const forced = forcedForm(policy, allowed);
  if (forced) return forced;
  if (policy.family === "cpu") {
    if (policy.subgroupSize !== 8) return FORMS.rows;
    if (worthTexture(policy, rows, cols4, allowed)) return FORMS.subgroupTexture;
    return FORMS[subgroupForm(rows, cols4, batch)];
  }
  const tiles = TILES[allowed.sums ?? "f32"];
  const fitting = LARGE_TILES[rows >= 96 ? 1 : 0][cols4 >= 24 ? 1 : 0].map((size) => FORMS[tiles[size]]);
  const large = fitting.find((form) => lackOf(policy, form) === null);
  const busy = large && workgroupCount(large, rows, cols4) * batch * large.invocations >= SHARING.gpu.invocations / 2;
  return busy ? large : FORMS[tiles["64"]];
}

/** Whether a texture saves more than the copy of b costs. */
function worthTexture(policy: Policy, rows: number, cols4: number, allowed: Allowed): boolean {
  const { subgroupTexture } = FORMS;
  if (!serves(subgroupTexture, allowed) || lackOf(policy, subgroupTexture) !== null) return false;
  const work = rows * (allowed.textureBytes ?? 0) / 4;
  return cols4 > FORMS.subgroupNarrow.cols4 && rows >= TEXTURE.rows && work >= TEXTURE.work;
}

/** The form of a subgroup of 8 lanes: two lots of 16 rows where half of the lanes would have no columns. */
function subgroupForm(rows: number, cols4: number, batch: number): ProductFormName {
  if (cols4 <= FORMS.subgroupNarrow.cols4 && rows > FORMS.subgroup.rows) return "subgroupNarrow";
  return Math.min(rows, 4 * cols4) >= LARGE && batch === 1 ? "subgroup32" : "subgroup";
}

/** Terms of a slice of a tile. */
const SLICE = 8;

/** Values of a form's `override` constants, for sums of `inner` terms in segments of `depth`. */
export function constantsOf(device: Device, form: ProductForm, { inner, depth }: SegmentedSum): Constants {
  if (form.memory === 0) return {};
  return { ...policyOf(device).of(TILE_CONSTANTS), WHOLE: inner % SLICE === 0 && Math.min(depth, inner) % SLICE === 0 };
}

/** Workgroups that a result of `rows` by `4 cols4` takes. */
export function workgroupCount(form: ProductForm, rows: number, cols4: number): number {
  return Math.ceil(rows / form.rows) * Math.ceil(cols4 / form.cols4);
}

/**
 * Chooses into how many parts to split a sum (split-K), so that the adapter is busy and no invocation loops for long.
 *
 * @param workgroups Workgroups of `form` without a split.
 * @param terms Terms of the sum.
 * @param resultBytes Bytes of the whole result: each split makes one.
 */
export function chooseSplits(
  policy: Policy,
  form: ProductForm,
  workgroups: number,
  terms: number,
  resultBytes: number,
): number {
  const { invocations, minTerms } = policy.of(SHARING);
  const forBusy = Math.min(Math.ceil(invocations / (workgroups * form.invocations)), Math.floor(terms / minTerms));
  const limit = Math.min(MAX_PARTIAL_BYTES, policy.limits.maxStorageBufferBindingSize);
  const affordable = Math.max(1, Math.floor(limit / resultBytes));
  return Math.max(1, Math.min(Math.max(forBusy, Math.ceil(terms / MAX_TERMS)), affordable));
}
