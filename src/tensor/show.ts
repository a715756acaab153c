import type { DType } from "./dtype.ts";
import { type Shape, sizeOf } from "./shape.ts";

/** Elements above which only the ends of each axis are shown. */
const MOST_SHOWN = 1000;
/** Elements shown at each end of an axis then. */
const EDGE = 3;
/** Characters of a line, about. */
const LINE = 80;

/** Indices of the elements that are shown, the least first: all, or those at the ends of each axis of a large array. */
export function shownIndices(shape: Shape): number[] {
  const shown: number[] = [];
  if (sizeOf(shape) > 0) visit(shape, 0, edgeOf(shape), (at) => shown.push(at));
  return shown;
}

/** Writes the elements of an array in nested brackets and aligned columns, as PyTorch does; the middle of large ones is "…". */
export function showElements(shape: Shape, dtype: DType, valueAt: (index: number) => number): string {
  if (sizeOf(shape) === 0) return `[] of shape [${shape.join(", ")}]`;
  const shown = shownIndices(shape).map(valueAt);
  const text = formatOf(shown, dtype === "f32" || dtype === "f16");
  const width = shown.reduce((most, value) => Math.max(most, text(value).length), 0);
  return block(shape, 0, edgeOf(shape), (at) => text(valueAt(at)).padStart(width), width);
}

/** Indents a text of many lines by as much as what `console.log` shows around it; Node does so by itself. */
export function indented(text: string, options: unknown): string {
  const { indentationLvl = 0 } = (options ?? {}) as { indentationLvl?: number };
  return text.replaceAll("\n", `\n${" ".repeat(indentationLvl)}`);
}

/** Number of elements that are shown at each end of an axis. */
function edgeOf(shape: Shape): number {
  return sizeOf(shape) > MOST_SHOWN ? EDGE : Infinity;
}

/** The indices along an axis that are shown; −1 for those between. */
function indicesOf(size: number, edge: number): number[] {
  const all = Array.from(
    { length: Math.min(size, 2 * edge) },
    (_, i) => i < edge ? i : size - Math.min(size, 2 * edge) + i,
  );
  return size > 2 * edge ? [...all.slice(0, edge), -1, ...all.slice(edge)] : all;
}

function visit(shape: Shape, at: number, edge: number, see: (at: number) => void): void {
  const [size, ...inner] = shape;
  if (size === undefined) return see(at);
  const step = inner.reduce((a, b) => a * b, 1);
  for (const i of indicesOf(size, edge)) if (i >= 0) visit(inner, at + i * step, edge, see);
}

function block(shape: Shape, at: number, edge: number, cell: (at: number) => string, width: number, depth = 1): string {
  const [size, ...inner] = shape;
  if (size === undefined) return cell(at).trim();
  const step = inner.reduce((a, b) => a * b, 1);
  const parts = indicesOf(size, edge).map((i) =>
    i < 0 ? "…" : inner.length > 0 ? block(inner, at + i * step, edge, cell, width, depth + 1) : cell(at + i)
  );
  const indent = " ".repeat(depth);
  if (inner.length > 0) return `[${parts.join(`,${"\n".repeat(inner.length)}${indent}`)}]`;
  const perLine = Math.max(1, Math.floor((LINE - depth) / (width + 2)));
  const lines = Array.from(
    { length: Math.ceil(parts.length / perLine) },
    (_, i) => parts.slice(i * perLine, (i + 1) * perLine).join(", "),
  );
  return `[${lines.join(`,\n${indent}`)}]`;
}

/** Chooses one form for all numbers: integers, four decimals, or powers of ten, as PyTorch does. */
function formatOf(values: readonly number[], floats: boolean): (value: number) => string {
  if (!floats) return String;
  const finite = values.filter((value) => Number.isFinite(value));
  const sizes = finite.filter((value) => value !== 0).map(Math.abs);
  const [least, most] = sizes.reduce(([a, b], size) => [Math.min(a, size), Math.max(b, size)], [Infinity, 0]);
  const whole = finite.every(Number.isInteger);
  const scientific = most >= 1e8 || (!whole && (least < 1e-4 || most / least > 1000));
  return (value) => {
    if (!Number.isFinite(value)) return String(value);
    const text = scientific ? value.toExponential(4) : whole ? `${value.toFixed(0)}.` : value.toFixed(4);
    return Object.is(value, -0) ? `-${text}` : text;
  };
}
