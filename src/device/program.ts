import { declaredInterface } from "./interface.ts";

/** Bytes of one `Params` slot of the uniform arena: the smallest dynamic offset that every adapter allows. */
export const PARAMS_SLOT = 256;

/** The type of one scalar of a program's `Params`. */
export type ParamType = "u32" | "i32" | "f32";

/**
 * Access mode of a storage binding, as a WGSL module declares it: `texture` where it declares a storage texture of
 * rgba32float to read, into which the device copies what is bound: vector i goes to column i % 4096 of row i / 4096.
 */
export type Access = "read" | "read_write" | "texture";

/** The scalars of a `Params` struct by name, in the order in which WGSL declares them. */
export type ParamTypes = Readonly<Record<string, ParamType>>;

/** The access of storage bindings of group 0, by number. */
export type Accesses = Readonly<Record<number, Access>>;

/** Values of a program's `override` constants. */
export type Constants = Readonly<Record<string, number | boolean>>;

/** WGSL that declares bindings, and the interface that it declares; `scripts/shaders.ts` makes one of each WGSL file. */
export interface ShaderPart<P extends ParamTypes = ParamTypes, A extends Accesses = Accesses> {
  /** WGSL source. */
  readonly code: string;
  /** The scalars of its struct `Params`, in the order in which the struct declares them; at most 64. */
  readonly params: P;
  /** The access of each storage binding of group 0. */
  readonly access: A;
}

/** A part of a program; what a plain string declares is read from it, and no type tells of it. */
export type Part = string | ShaderPart;

/**
 * A compute shader: WGSL parts that are joined, an entry point, and the interface that the parts declare, which its type
 * carries. Made by {@linkcode defineProgram}.
 *
 * Binding 0 of group 0 is the `Params` uniform (left out when `params` is empty); storage buffers are bindings 1 and up.
 */
export interface Program<P extends ParamTypes = ParamTypes, A extends Accesses = Accesses> {
  /** Names the program in errors, profiles and `DUMP_SHADERS`. */
  readonly name: string;
  /** The forms that it is of, as `conv2d:direct matmul:tile64`: what `DEBUG` prints and `FORM` takes. */
  readonly form?: string;
  /** WGSL parts, joined by new lines; module scope is order-free. */
  readonly code: readonly Part[];
  /** The function to run. */
  readonly entryPoint: string;
  /** The scalars of `Params`, in the order in which the WGSL struct declares them. */
  readonly params: P;
  /** The access of each storage binding. */
  readonly access: A;
}

// Both join an interface over the parts: functions of each are functions of their intersection.

/** The scalars that parts declare together. */
export type ParamsOf<C extends readonly Part[]> = (
  C[number] extends infer E ? E extends ShaderPart<infer P, Accesses> ? (each: P) => void : (each: unknown) => void
    : never
) extends (all: infer All) => void ? { readonly [K in keyof All]: All[K] extends ParamType ? All[K] : never } : never;

/** The bindings that parts declare together. */
export type AccessOf<C extends readonly Part[]> = (
  C[number] extends infer E ? E extends ShaderPart<ParamTypes, infer A> ? (each: A) => void : (each: unknown) => void
    : never
) extends (all: infer All) => void ? { readonly [K in keyof All]: All[K] extends Access ? All[K] : never } : never;

/**
 * The value of a scalar of `Params`: a number, or a function that gives it. What changes from step to step (a learning
 * rate, a position) is given as a function: a recorded step asks it again at every replay, a plain number stays.
 */
export type Param = number | (() => number);

/** A value for each scalar of a program. */
export type ParamValues<P extends ParamTypes> = { readonly [K in keyof P]: Param };

/**
 * Makes a program of WGSL parts. Its scalars and bindings are those that the parts declare, so that `Device.dispatch`
 * takes no others: one that is missing or too many is a type error.
 *
 * @throws {TypeError} If the code is no list, two parts declare `Params`, or a binding in two ways, or a string's `Params` hold what is no scalar.
 */
export function defineProgram<const C extends readonly Part[]>(
  { name, form, code, entryPoint }: {
    readonly name: string;
    readonly form?: string;
    readonly code: C;
    readonly entryPoint: string;
  },
): Program<ParamsOf<C>, AccessOf<C>> {
  if (!Array.isArray(code)) {
    throw new TypeError(`Cannot define ${name} as its code must be a list of parts: got ${code}`);
  }
  const parts = code.map((part) => typeof part === "string" ? readPart(name, part) : part);
  const params = parts.map((part) => part.params).filter((each) => !isEmpty(each));
  if (params.length > 1) throw new TypeError(`Cannot define ${name} as one part must declare Params: got several`);
  const access: Record<number, Access> = {};
  for (const part of parts) addAccess(access, part.access, name);
  return { name, form, code, entryPoint, params: (params[0] ?? {}) as ParamsOf<C>, access: access as AccessOf<C> };
}

/** The part that a plain string is: most are functions and aliases. */
function readPart(name: string, code: string): ShaderPart {
  if (!/@binding\(|\bstruct\s+Params\b/.test(code)) return { code, params: {}, access: {} };
  const plain = code.replace(/\/\/.*$|\/\*[^]*?\*\//gm, "");
  const { params, access } = declaredInterface(plain, `define ${name}`);
  const open = Object.entries(params).find(([, type]) => !["u32", "i32", "f32"].includes(type));
  if (!open) return { code, params: params as ParamTypes, access };
  throw new TypeError(`Cannot define ${name} as its Params must hold u32, i32 and f32: got ${open.join(": ")}`);
}

/**
 * The program that an object without an interface stands for: WGSL of one's own, as JavaScript gives it where no type is
 * checked.
 *
 * @throws {TypeError} If it is no program.
 */
export function readProgram(given: Program): Program {
  const { name, code, entryPoint } = given ?? {};
  if (typeof name === "string" && typeof entryPoint === "string" && Array.isArray(code)) {
    return defineProgram({ name, code, entryPoint });
  }
  throw new TypeError(
    "Cannot dispatch as a program must have a name, a list of code and an entry point, as of defineProgram()",
  );
}

/** A program with parts in front that declare no scalars: aliases, functions, bindings `B`. */
export function withParts<P extends ParamTypes, A extends Accesses, B extends Accesses = Nothing>(
  program: Program<P, A>,
  ...parts: readonly (string | ShaderPart<Nothing, B>)[]
): Program<P, A & B> {
  const code = [...parts, ...program.code];
  const { access } = defineProgram({ ...program, code });
  return { ...program, code, access: access as A & B };
}

/** A part whose `Params` leave types open, and the WGSL aliases that say which: `{ N1: "f32" }`. */
export function withTypes<P extends Readonly<Record<string, string>>, A extends Accesses>(
  { code, params, access }: { readonly code: string; readonly params: P; readonly access: A },
  types: Readonly<Record<string, ParamType>>,
): ShaderPart<{ readonly [K in keyof P]: P[K] extends ParamType ? P[K] : ParamType }, A> {
  const aliases = Object.entries(types).map(([name, type]) => `alias ${name} = ${type};`).join("\n");
  const typed = Object.entries(params).map(([name, type]) => [name, types[type] ?? type]);
  return { code: `${aliases}\n${code}`, params: Object.fromEntries(typed), access };
}

/** An interface without scalars or bindings. */
export type Nothing = Readonly<Record<never, never>>;

/** Whether an object has no fields. */
export function isEmpty(fields: object): boolean {
  for (const _ in fields) return false;
  return true;
}

function addAccess(to: Record<number, Access>, from: Accesses, name: string): void {
  for (const binding in from) {
    const access = from[binding]!;
    const other = to[binding] ?? access;
    if (other !== access) {
      throw new TypeError(
        `Cannot define ${name} as its parts must declare binding ${binding} in one way: got ${other} and ${access}`,
      );
    }
    to[binding] = access;
  }
}

/** The joined WGSL of a program. */
export function sourceOf({ code }: Program): string {
  return code.map((part) => typeof part === "string" ? part : part.code).join("\n");
}

/**
 * Writes one scalar; `program` and `name` are for errors.
 *
 * @throws {TypeError} If it is no number.
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
  if (typeof value !== "number") {
    throw new TypeError(
      `Cannot dispatch ${program} as parameter "${name}" must be a number: got ${
        typeof value === "bigint" ? value : JSON.stringify(value)
      } (${typeof value})`,
    );
  }
  if (type === "f32") view.setFloat32(offset, value, true);
  else if ((type === "u32" ? value >>> 0 : value | 0) !== value) {
    throw new RangeError(`Cannot dispatch ${program} as parameter "${name}" must be of type ${type}: got ${value}`);
  } else if (type === "u32") view.setUint32(offset, value, true);
  else view.setInt32(offset, value, true);
}

/** The scalars of one dispatch. */
export interface Scalars {
  /** Values as they were given. */
  readonly given: ParamValues<ParamTypes>;
  /** The numbers of this dispatch. */
  readonly asked: Readonly<Record<string, number>>;
}

/**
 * Asks the scalars of a dispatch that are functions, in declared order: once a dispatch, as one that takes the next key
 * moves on by being asked.
 */
export function askParams(types: ParamTypes, values: ParamValues<ParamTypes>): Readonly<Record<string, number>> {
  let asked: Record<string, Param> = values;
  for (const key in types) {
    const value = values[key];
    if (typeof value !== "function") continue;
    if (asked === values) asked = { ...values };
    asked[key] = value();
  }
  return asked as Record<string, number>;
}

/** Packs scalars into 4-byte slots in declared order. */
export function packParams(
  view: DataView,
  offset: number,
  types: ParamTypes,
  values: Readonly<Record<string, number>>,
  name: string,
): void {
  for (const key in types) {
    const value = values[key];
    if (value === undefined) throw new TypeError(`Cannot dispatch ${name} as parameter "${key}" is missing`);
    setParam(view, offset, types[key]!, value, name, key);
    offset += 4;
  }
}
