/** The type of one scalar of a program's `Params`. */
export type ParamType = "u32" | "i32" | "f32";

/** How a WGSL module declares a storage binding. */
export type Access = "read" | "read_write";

/** WGSL that declares bindings, and the interface that it declares; `scripts/shaders.ts` makes one of each WGSL file. */
export interface ShaderPart {
  /** WGSL source. */
  readonly code: string;
  /** The scalars of its struct `Params`, in the order in which the struct declares them; at most 64. */
  readonly params: Readonly<Record<string, ParamType>>;
  /** The access of each storage binding of group 0. */
  readonly access: Readonly<Record<number, Access>>;
}

/**
 * A compute shader: WGSL parts that are joined, an entry point, and the scalars of its `Params` uniform.
 *
 * Binding 0 of group 0 is the `Params` uniform (left out when `params` is empty); storage buffers are bindings 1 and up.
 */
export interface Program {
  /** Names the program in errors, profiles and `DUMP_SHADERS`. */
  readonly name: string;
  /** The forms that it is of, as `conv2d:direct matmul:tile64`: what `DEBUG` prints and `FORM` takes. */
  readonly form?: string;
  /** WGSL parts, joined by new lines; module scope is order-free. A plain string declares no binding. */
  readonly code: readonly (string | ShaderPart)[];
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

/** The joined WGSL of a program. */
export function sourceOf({ code }: Program): string {
  return code.map((part) => typeof part === "string" ? part : part.code).join("\n");
}

/**
 * The access of each storage binding that the parts of a program declare.
 *
 * @throws {TypeError} If two parts declare a binding in two ways.
 */
export function accessOf({ name, code }: Program): Map<number, Access> {
  const found = new Map<number, Access>();
  for (const part of code) {
    if (typeof part === "string") continue;
    for (const [key, access] of Object.entries(part.access)) {
      const binding = Number(key);
      if ((found.get(binding) ?? access) !== access) {
        throw new TypeError(
          `Cannot dispatch ${name} as its parts must declare binding ${binding} in one way: got read and read_write`,
        );
      }
      found.set(binding, access);
    }
  }
  return found;
}

/**
 * Checks that the scalars of a program are those that its parts declare: they are packed by order alone.
 *
 * @throws {TypeError} If a name, a type or the order differs.
 */
export function checkParams({ name, code, params = {} }: Program): void {
  const list = (each: Program["params"]) => Object.entries(each ?? {}).map(([key, type]) => `${key}: ${type}`);
  const declared = code.flatMap((part) => typeof part === "string" ? [] : list(part.params)).join(", ");
  const given = list(params).join(", ");
  if (given === declared) return;
  throw new TypeError(`Cannot dispatch ${name} as params must be those of its parts, {${declared}}: got {${given}}`);
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
