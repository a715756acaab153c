import type { Shape } from "../tensor/mod.ts";

/**
 * The order of a weight's axes: this library's, `[in, out]` and `[kh, kw, in, out]`, or PyTorch's, `[out, in]` and
 * `[out, in, kh, kw]`.
 */
export type StateLayout = "uniformity" | "torch";

/** Values of one tensor of a state. */
export interface StateValue {
  /** Sizes along each axis. */
  readonly shape: Shape;
  /** The elements, row-major. */
  readonly data: ArrayLike<number>;
}

/** A state in this library's layout, and what stands in the way of it. */
export interface OwnState {
  /** Elements by name. */
  readonly values: ReadonlyMap<string, Float32Array<ArrayBuffer>>;
  /** Names of tensors of the wrong shape. */
  readonly different: readonly string[];
  /** Weights whose layout cannot be told. */
  readonly unclear: readonly string[];
}

/** Axes of PyTorch's layout in the order of this library's, by rank. */
const AXES: Readonly<Record<number, readonly number[]>> = { 2: [1, 0], 4: [2, 3, 1, 0] };

/**
 * Puts the values of the tensors of `shapes` into this library's layout; the shapes tell which they have, or `layout`.
 * Those of `tables` are the same in both.
 */
export function inOwnLayout(
  shapes: ReadonlyMap<string, Shape>,
  state: ReadonlyMap<string, StateValue>,
  layout: StateLayout | undefined,
  tables: ReadonlySet<string>,
): OwnState {
  const given = [...shapes].flatMap(([name, shape]) => {
    const value = state.get(name);
    return value ? [{ name, shape, value }] : [];
  });
  const from = (name: string, candidate: StateLayout) => tables.has(name) ? "uniformity" : candidate;
  const misfits = (candidate: StateLayout) =>
    given.filter(({ name, shape, value }) => `${permuted(value.shape, from(name, candidate))}` !== `${shape}`);
  const fits = (["uniformity", "torch"] as const).filter((each) => misfits(each).length === 0);
  const chosen = layout ?? fits[0] ?? "uniformity";
  const turned = given.filter(({ name, value }) => !tables.has(name) && turns(value.shape));
  const unclear = layout === undefined && fits.length === 2 ? turned : [];
  const values = given.map(({ name, value }) => [name, ordered(value, from(name, chosen))] as const);
  return {
    values: new Map(misfits(chosen).length > 0 ? [] : values),
    different: misfits(chosen).map(({ name, shape, value }) => `${name} [${shape}] but got [${value.shape}]`),
    unclear: unclear.map(({ name, shape }) => `${name} [${shape}]`),
  };
}

/** The shape that a value has in this library's layout. */
function permuted(shape: Shape, layout: StateLayout): Shape {
  const axes = AXES[shape.length];
  return layout === "torch" && axes ? axes.map((axis) => shape[axis]!) : shape;
}

/** True where the elements of a weight lie otherwise in the other layout. */
function turns(shape: Shape): boolean {
  return shape.length in AXES && shape.filter((size) => size !== 1).length > 1;
}

function ordered({ shape, data }: StateValue, layout: StateLayout): Float32Array<ArrayBuffer> {
  const axes = AXES[shape.length];
  if (layout === "uniformity" || !axes) return Float32Array.from(data);
  const steps = shape.map((_, i) => shape.slice(i + 1).reduce((a, b) => a * b, 1));
  const result = new Float32Array(data.length);
  const sizes = axes.map((axis) => shape[axis]!);
  const index = axes.map(() => 0);
  for (let to = 0; to < result.length; to++) {
    result[to] = data[index.reduce((at, i, axis) => at + i * steps[axes[axis]!]!, 0)]!;
    for (let axis = axes.length - 1; axis >= 0 && ++index[axis]! === sizes[axis]; axis--) index[axis] = 0;
  }
  return result;
}

/** Checks that a state is a Map, as the state dict that PyTorch saves is read, and not an object of names. */
export function checkState(state: unknown): void {
  if (state instanceof Map) return;
  const got = state instanceof Object ? state.constructor.name : String(state);
  throw new TypeError(`Cannot load the state as it must be a Map of arrays by name: got ${got}`);
}

/** The first names of a list, for a message. */
export function some(what: string, names: readonly string[]): string {
  if (names.length === 0) return "";
  const rest = names.length > 5 ? `, … (${names.length} in all)` : "";
  return `${what} ${names.slice(0, 5).join(", ")}${rest};`;
}
