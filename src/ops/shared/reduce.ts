// Sums and extrema over axes: every reduction is one of the middle axis of [outer, rows, columns], in as many stages as it
// takes for no invocation to loop long.
import { defineProgram } from "../../device/mod.ts";
import { lib_flat, lib_nan } from "../../shaders/lib.ts";
import { reduce as code } from "../../shaders/reduce.ts";
import { type Shape, sizeOf, Tensor } from "../../tensor/mod.ts";
import { policyOf } from "./policy.ts";
import { REDUCE } from "./tables.ts";

/** Operation that combines two partial results. */
export type ReduceRule = "sum" | "max" | "min";

/** WGSL of `F`: what an accumulator starts with, given an element of its slice, and how it takes in another. */
const RULES: Readonly<Record<ReduceRule, { readonly start: string; readonly merge: string }>> = {
  sum: { start: "F(0.0)", merge: "a + b" },
  max: { start: "first", merge: "larger(a, b)" },
  min: { start: "first", merge: "smaller(a, b)" },
};

/** Four columns at once, four elements of a row at once, or one element. */
type Width = "columns" | "row" | "single";

const TYPES: Readonly<Record<Width, string>> = {
  columns: "alias F = vec4f;\nalias U = vec4u;\nalias B = vec4<bool>;\nalias O = vec4f;",
  row: "alias F = vec4f;\nalias U = vec4u;\nalias B = vec4<bool>;\nalias O = f32;",
  single: "alias F = f32;\nalias U = u32;\nalias B = bool;\nalias O = f32;",
};

function program(reduction: ReduceRule, width: Width) {
  const { start, merge } = RULES[reduction];
  const one = (a: string, b: string) => reduction === "sum" ? `${a} + ${b}` : `merge1(${a}, ${b})`;
  const merge1 = reduction === "sum"
    ? ""
    : `fn merge1(a: f32, b: f32) -> f32 { let v = merge(vec4f(a), vec4f(b)); return v.x; }`;
  const finish = width === "row" ? one(one("v.x", "v.y"), one("v.z", "v.w")) : "v";
  const tail = width === "row"
    ? "let lanes = vec4u(0u, 1u, 2u, 3u) < vec4u(tail); return select(v, merge(v, t), lanes);"
    : "return v;";
  const body = [
    TYPES[width],
    width === "row" ? merge1 : "",
    `fn start(first: F) -> F { return ${start}; }`,
    `fn merge(a: F, b: F) -> F { return ${merge}; }`,
    `fn merge_tail(v: F, t: F, tail: u32) -> F { ${tail} }`,
    `fn finish(v: F, scale: f32) -> O { return ${reduction === "sum" ? `(${finish}) * scale` : finish}; }`,
  ];
  const library = reduction === "sum" ? [lib_flat] : [lib_flat, lib_nan];
  return defineProgram({ name: `${reduction} ${width}`, code: [...library, ...body, code], entryPoint: "reduce" });
}

function programs(reduction: ReduceRule) {
  return {
    columns: program(reduction, "columns"),
    row: program(reduction, "row"),
    single: program(reduction, "single"),
  };
}

const PROGRAMS = { sum: programs("sum"), max: programs("max"), min: programs("min") };

/** A run of neighbouring axes that are all reduced, or all kept. */
interface Run {
  readonly size: number;
  readonly reduced: boolean;
}

/**
 * Reduces the axes `dims` (sorted, from `normalizeDims`) of x, f32.
 *
 * @param scale Factor of a sum.
 * @returns Shape of the axes that are left, or with `keepDim` that of x with size 1 along `dims`.
 */
export function reduce(
  reduction: ReduceRule,
  x: Tensor,
  dims: readonly number[],
  options: { keepDim?: boolean; scale?: number } = {},
): Tensor {
  const runs = runsOf(x.shape, dims);
  const last = runs.findIndex((run) => run.reduced);
  let y = x;
  for (let i = runs.length - 1; i >= 0; i--) {
    if (!runs[i]!.reduced) continue;
    const outer = sizeOf(runs.slice(0, i).map((run) => run.size));
    const columns = sizeOf(runs.slice(i + 1).map((run) => run.reduced ? 1 : run.size));
    const next = reduceMiddle(reduction, y, [outer, runs[i]!.size, columns], i === last ? options.scale ?? 1 : 1);
    if (y !== x) y.dispose();
    y = next;
  }
  return y.alias(reducedShape(x.shape, dims, options.keepDim));
}

/** The shape that a reduction leaves. */
export function reducedShape(shape: Shape, dims: readonly number[], keepDim = false): number[] {
  if (keepDim) return shape.map((size, axis) => dims.includes(axis) ? 1 : size);
  return shape.filter((_, axis) => !dims.includes(axis));
}

function runsOf(shape: Shape, dims: readonly number[]): Run[] {
  const runs: Run[] = [];
  shape.forEach((size, axis) => {
    if (size === 1) return;
    const reduced = dims.includes(axis);
    const last = runs.at(-1);
    if (last?.reduced === reduced) runs[runs.length - 1] = { size: last.size * size, reduced };
    else runs.push({ size, reduced });
  });
  return runs;
}

function reduceMiddle(
  reduction: ReduceRule,
  x: Tensor,
  [outer, rows, columns]: [number, number, number],
  scale: number,
): Tensor {
  const width = widthOf(outer, rows, columns);
  const vectors = width === "row" ? Math.floor(rows / 4) : rows;
  const across = width === "columns" ? columns / 4 : columns;
  const slices = partsOf(x, outer * across, vectors);
  const y = new Tensor(x.device, [outer, slices, columns]);
  const items = outer * slices * across;
  x.device.dispatch(PROGRAMS[reduction][width], {
    params: {
      items,
      rows: vectors,
      columns: across,
      slices,
      tail: width === "row" ? rows % 4 : 0,
      scale: slices === 1 ? scale : 1,
    },
    buffers: { 1: x.storage, 2: y.storage },
    workgroups: x.device.groups(items, 64),
  });
  if (slices === 1) return y;
  const result = reduceMiddle(reduction, y, [outer, slices, columns], scale);
  y.dispose();
  return result;
}

function widthOf(outer: number, rows: number, columns: number): Width {
  if (columns % 4 === 0) return "columns";
  return columns === 1 && rows >= 4 && (rows % 4 === 0 || outer === 1) ? "row" : "single";
}

/** Chooses enough slices to fill the device and to keep loops short; one when the rows are few. */
export function partsOf(x: Tensor, items: number, rows: number): number {
  const { invocations, minRows, maxRows } = policyOf(x.device).of(REDUCE);
  const wanted = Math.ceil(rows * items / invocations);
  const each = Math.max(minRows, Math.min(maxRows, wanted));
  return Math.max(1, Math.ceil(rows / each));
}
