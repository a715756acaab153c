// The bodies that matmul and conv2d share, and the table that chooses among them by adapter and shape.
import type { Constants, Device } from "../device/mod.ts";
import { matmul_rows, matmul_subgroup, matmul_tile } from "../device/shaders.gen.ts";

/** A form of the inner product: `subgroup` and `rows` suit CPU adapters, the tiles suit GPUs. All are right anywhere. */
export type BodyName = "subgroup" | "rows" | "tile64" | "tile128";

/** One form, and the block of the result that a workgroup sums. */
export interface Body {
  /** Its name. */
  readonly name: BodyName;
  /** WGSL. */
  readonly code: string;
  /** Rows of a block. */
  readonly rows: number;
  /** Columns of a block, in vectors of four. */
  readonly cols4: number;
  /** Workgroup memory, in bytes. */
  readonly memory: number;
  /** Values of its `override` constants. */
  readonly constants: Constants;
}

/** How a family shares out a sum. */
interface Sharing {
  /** Workgroups that keep the adapter busy: fewer blocks than this and the sum is split. */
  readonly workgroups: number;
  /** Fewest terms of a split. */
  readonly minTerms: number;
}

const BODIES: Readonly<Record<BodyName, Body>> = {
  subgroup: { name: "subgroup", code: matmul_subgroup, rows: 16, cols4: 8, memory: 0, constants: {} },
  rows: { name: "rows", code: matmul_rows, rows: 8, cols4: 8, memory: 0, constants: {} },
  tile64: { name: "tile64", code: matmul_tile, rows: 64, cols4: 16, memory: 8704, constants: { EDGE: 8 } },
  tile128: { name: "tile128", code: matmul_tile, rows: 128, cols4: 32, memory: 16896, constants: { EDGE: 16 } },
};

const SHARING: Readonly<Record<"cpu" | "gpu", Sharing>> = {
  cpu: { workgroups: 16, minTerms: 256 },
  gpu: { workgroups: 256, minTerms: 128 },
};

/** Most terms that one invocation adds: 2,048 turns of its loop. */
const MAX_TERMS = 8192;

/** Most bytes of partial results. */
const MAX_PARTIAL_BYTES = 64 * 2 ** 20;

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

/** The body for a result `[batch, rows, 4 cols4]`. */
export function chooseBody(device: Device, rows: number, cols4: number, batch: number): Body {
  if (forced) return BODIES[forced];
  const { family, subgroupSize } = device.info;
  if (family === "cpu") return BODIES[subgroupSize === 8 ? "subgroup" : "rows"];
  const large = BODIES.tile128;
  const wide = rows >= 96 && cols4 >= 24 && large.memory <= device.limits.maxComputeWorkgroupStorageSize;
  return wide && blocksOf(large, rows, cols4) * batch >= SHARING.gpu.workgroups / 2 ? large : BODIES.tile64;
}

/** Workgroups that a result of `rows` by `4 cols4` takes. */
export function blocksOf(body: Body, rows: number, cols4: number): number {
  return Math.ceil(rows / body.rows) * Math.ceil(cols4 / body.cols4);
}

/**
 * Into how many parts to split a sum, so that the adapter is busy and no invocation loops for long.
 *
 * @param workgroups Workgroups without a split.
 * @param terms Terms of the sum.
 * @param resultBytes Bytes of the whole result: each split makes one.
 */
export function chooseSplits(device: Device, workgroups: number, terms: number, resultBytes: number): number {
  const { workgroups: wanted, minTerms } = SHARING[device.info.family];
  const forBusy = Math.min(Math.ceil(wanted / workgroups), Math.floor(terms / minTerms));
  const limit = Math.min(MAX_PARTIAL_BYTES, device.limits.maxStorageBufferBindingSize);
  const affordable = Math.max(1, Math.floor(limit / resultBytes));
  return Math.max(1, Math.min(Math.max(forBusy, Math.ceil(terms / MAX_TERMS)), affordable));
}
