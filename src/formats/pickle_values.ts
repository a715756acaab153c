import type { Bytes } from "./dtype.ts";
import type { NdArray, StringArray } from "./ndarray.ts";
import { escapeCommands, quoted } from "./quoted.ts";

/**
 * A value read from a pickle. Python's `None` is null, `int` a number or, beyond 2⁵³, a bigint, `list` and `tuple` are
 * arrays, `dict` is a `Map` (keys of type `bytes` become Latin-1 text), `set` a `Set`, `bytes` a `Uint8Array`, Python 2's
 * `str` Latin-1 text. What has no such counterpart is a {@linkcode PickleOpaque}.
 */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Bytes
  | PickleValue[]
  | PickleDict
  | Set<PickleValue>
  | NdArray
  | StringArray
  | PickleOpaque;

/** A Python dict. */
export type PickleDict = Map<PickleValue, PickleValue>;

/** Handler of an allowed global that a pickle uses. Without `call`, the pickle can only mention it. */
export interface PickleHandler {
  /** The result of `global(*args, **kwargs)`. */
  call?(args: readonly PickleValue[], kwargs: PickleDict, global: PickleGlobal): PickleValue;
  /** The effect of `object.__setstate__(state)` on an object that `call` returned. */
  build?(object: PickleValue, state: PickleValue): void;
}

/** The allow-list: what stands for the global `module.name`, or undefined to refuse it. */
export type PickleGlobals = (module: string, name: string) => PickleHandler | undefined;

/** A Python value with no counterpart in JavaScript. */
export abstract class PickleOpaque {
  /** Describes the value, for messages. */
  abstract toString(): string;
}

/** A class or function that a pickle mentions. Nothing of it exists here but its name. */
export class PickleGlobal extends PickleOpaque {
  /** Python's module, for example `collections`. */
  readonly module: string;
  /** The name in the module, for example `OrderedDict`. */
  readonly name: string;
  /** Handler of the global in the allow-list. */
  readonly handler: PickleHandler;

  /** Names an allowed global. */
  constructor(module: string, name: string, handler: PickleHandler) {
    super();
    this.module = module;
    this.name = name;
    this.handler = handler;
  }

  /** Returns `module.name`. */
  override toString(): string {
    return `${this.module}.${this.name}`;
  }
}

/** An object whose class is not known here: a record of how the pickle builds it. Nothing was executed. */
export class PickleObject extends PickleOpaque {
  /** Class of the object, or the function that would make it. */
  readonly type: PickleGlobal;
  /** The arguments it would be made with. */
  readonly args: readonly PickleValue[];
  /** The keyword arguments. */
  readonly kwargs: PickleDict;
  #state: PickleValue = null;
  /** The items it would be given, for a class like a dict. */
  readonly items: PickleDict = new Map();
  /** The elements it would be given, for a class like a list. */
  readonly elements: PickleValue[] = [];

  /** Records a call. */
  constructor(type: PickleGlobal, args: readonly PickleValue[], kwargs: PickleDict) {
    super();
    this.type = type;
    this.args = args;
    this.kwargs = kwargs;
  }

  /** The state it would be given: usually the `Map` of its attributes. */
  get state(): PickleValue {
    return this.#state;
  }

  /** Records the state. */
  build(state: PickleValue): void {
    this.#state = state;
  }

  /** Returns `<module.name object>`. */
  override toString(): string {
    return `<${this.type} object>`;
  }
}

/** Names a value in an error message. */
export function describeValue(value: PickleValue | undefined): string {
  if (value === undefined) return "nothing";
  if (value instanceof PickleOpaque) return escapeCommands(value.toString().slice(0, 200));
  if (typeof value === "string") return quoted(value, 40);
  if (typeof value !== "object" || value === null) return String(value).slice(0, 60);
  return Array.isArray(value)
    ? `a list of ${value.length}`
    : value.constructor.name === "Object"
    ? "an array"
    : value.constructor.name;
}

/** The error for a pickle that breaks the format. */
export function damaged(rule: string): SyntaxError {
  return new SyntaxError(`Cannot run unpickle() as ${rule}: the pickle is damaged`);
}
