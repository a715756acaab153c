/** The type of one scalar of a program's `Params`. */
export type ParamType = "u32" | "i32" | "f32";

/**
 * A compute shader: WGSL parts that are joined, an entry point, and the scalars of its `Params` uniform.
 *
 * Binding 0 of group 0 is the `Params` uniform (left out when `params` is empty); storage buffers are bindings 1 and up.
 */
export interface Program {
  /** Names the program in errors, profiles and `DUMP_SHADERS`. */
  readonly name: string;
  /** WGSL parts, joined by new lines; module scope is order-free. */
  readonly code: readonly string[];
  /** The function to run. */
  readonly entryPoint: string;
  /** The scalars of `Params`, in the order in which the WGSL struct declares them; at most 64. */
  readonly params?: Readonly<Record<string, ParamType>>;
}

/**
 * The value of a scalar of `Params`: a number, or a function that gives it. What changes from step to step (a learning
 * rate, a position) is given as a function: a recorded step asks it again at every replay, a plain number stays.
 */
export type Param = number | (() => number);

/** How a WGSL module declares a storage binding. */
export type Access = "read-only-storage" | "storage";

/** Reads from the source how each binding of group 0 is declared. */
export function bindingAccess(code: string): Map<number, Access> {
  const access = new Map<number, Access>();
  const pattern = /@group\(0\)\s*@binding\((\d+)\)\s*var<storage(?:,\s*(read_write|read))?>/g;
  for (const [, binding, mode] of code.matchAll(pattern)) {
    access.set(Number(binding), mode === "read_write" ? "storage" : "read-only-storage");
  }
  return access;
}

/**
 * Writes one scalar; `program` and `name` are for errors.
 *
 * @throws {RangeError} If it is no integer of its type; an f32 is rounded.
 */
export function setParam(
  view: DataView,
  offset: number,
  type: ParamType,
  value: number,
  program: string,
  name: string,
): void {
  if (type === "f32") view.setFloat32(offset, value, true);
  else if ((type === "u32" ? value >>> 0 : value | 0) !== value) {
    throw new RangeError(`Cannot dispatch ${program} as parameter "${name}" must be of type ${type}: got ${value}`);
  } else if (type === "u32") view.setUint32(offset, value, true);
  else view.setInt32(offset, value, true);
}

/** Packs scalars into 4-byte slots in declared order. */
export function packParams(
  view: DataView,
  offset: number,
  types: Readonly<Record<string, ParamType>>,
  values: Readonly<Record<string, Param>>,
  name: string,
): void {
  for (const key in types) {
    const value = values[key];
    if (value === undefined) throw new TypeError(`Cannot dispatch ${name} as parameter "${key}" is missing`);
    setParam(view, offset, types[key]!, typeof value === "number" ? value : value(), name, key);
    offset += 4;
  }
}
