import { decodeLatin1 } from "./byte_reader.ts";
import {
  describe,
  type PickleDict,
  PickleGlobal,
  type PickleGlobals,
  type PickleHandler,
  PickleObject,
  type PickleValue,
} from "./pickle_values.ts";

/** What a pickle may refer to outside itself. */
export interface PickleOptions {
  /** The allow-list of globals. Default: every global is refused. */
  globals?: PickleGlobals;
  /** Resolves persistent ids (PyTorch's storages). Default: they are refused. */
  persistentLoad?: (id: PickleValue) => PickleValue;
  /** The most operations that are carried out. Default: 10 million. */
  maxSteps?: number;
}

/** Python 2's names of modules, which protocols 0 to 2 use for those of Python 3 as well. */
const MODULES: ReadonlyMap<string, string> = new Map([["__builtin__", "builtins"], ["copy_reg", "copyreg"]]);

/** Python 2's names of types. */
const TYPES: ReadonlyMap<string, string> = new Map([["long", "int"], ["unicode", "str"], ["basestring", "str"]]);

/** The stack, the marks and the memo of a pickle, and the few things an operation can do to a value. */
export class PickleMachine {
  readonly #options: PickleOptions;
  readonly #memo = new Map<number, PickleValue>();
  readonly #makers = new WeakMap<WeakKey, PickleHandler>();
  readonly #marked: PickleValue[][] = [];
  #stack: PickleValue[] = [];

  /** An empty machine. */
  constructor(options: PickleOptions) {
    this.#options = options;
  }

  /** Pushes a value. */
  push(value: PickleValue): void {
    this.#stack.push(value);
  }

  /** Takes the last value. */
  pop(): PickleValue {
    const value = this.#stack.pop();
    if (value === undefined) throw damaged("a value must be on the stack");
    return value;
  }

  /** The last value. */
  top(): PickleValue {
    const value = this.#stack.at(-1);
    if (value === undefined) throw damaged("a value must be on the stack");
    return value;
  }

  /** Starts a group of values. */
  mark(): void {
    this.#marked.push(this.#stack);
    this.#stack = [];
  }

  /** Takes the values since the last mark. */
  popMark(): PickleValue[] {
    const group = this.#stack;
    const before = this.#marked.pop();
    if (!before) throw damaged("a mark must be on the stack");
    this.#stack = before;
    return group;
  }

  /** Drops the last value, or the last mark when nothing follows it. */
  drop(): void {
    if (this.#stack.length > 0) this.#stack.pop();
    else this.popMark();
  }

  /** Takes `count` values. */
  popMany(count: number): PickleValue[] {
    if (this.#stack.length < count) throw damaged(`${count} values must be on the stack`);
    return this.#stack.splice(this.#stack.length - count);
  }

  /** Remembers the last value. */
  memoize(index = this.#memo.size): void {
    this.#memo.set(index, this.top());
  }

  /** Pushes a remembered value. */
  recall(index: number): void {
    const value = this.#memo.get(index);
    if (value === undefined) throw damaged(`memo ${index} must hold a value`);
    this.push(value);
  }

  /** Pushes the global `module.name`, if it is allowed. */
  pushGlobal(module: PickleValue, name: PickleValue): void {
    if (typeof module !== "string" || typeof name !== "string") throw damaged("a global must be named by text");
    const home = MODULES.get(module) ?? module;
    const type = home === "builtins" ? TYPES.get(name) ?? name : name;
    const handler = this.#options.globals?.(home, type);
    if (!handler) {
      throw new SyntaxError(`Cannot run unpickle() as every global must be allowed: got "${home}.${type}"`);
    }
    this.push(new PickleGlobal(home, type, handler));
  }

  /** Pushes what a persistent id stands for. */
  pushPersistent(id: PickleValue): void {
    const load = this.#options.persistentLoad;
    if (!load) {
      throw new SyntaxError(`Cannot run unpickle() as persistentLoad is needed: got a persistent id ${describe(id)}`);
    }
    this.push(load(id));
  }

  /** Pushes the result of calling an allowed global. */
  call(target: PickleValue, args: PickleValue, kwargs: PickleValue = new Map()): void {
    if (!Array.isArray(args) || !(kwargs instanceof Map)) throw damaged("arguments must be a tuple and a dict");
    if (!(target instanceof PickleGlobal) || !target.handler.call) {
      throw new SyntaxError(`Cannot run unpickle() as what a pickle calls must be allowed: got ${describe(target)}`);
    }
    const result = target.handler.call(args, kwargs, target);
    if (typeof result === "object" && result !== null) this.#makers.set(result, target.handler);
    this.push(result);
  }

  /** Gives the last value but one its state, the last. */
  build(): void {
    const state = this.pop();
    const object = this.top();
    const maker = typeof object === "object" && object !== null ? this.#makers.get(object) : undefined;
    if (maker?.build) return maker.build(object, state);
    // The attributes of a dict's subclass, such as the versions that PyTorch hangs on a state dict, are left out.
    if (object instanceof Map) return;
    throw new SyntaxError(`Cannot run unpickle() as an object with state must be allowed: got ${describe(object)}`);
  }

  /** Adds to the list (or what acts as one) on top of the stack. */
  append(values: readonly PickleValue[]): void {
    const list = this.top();
    const target = Array.isArray(list) ? list : list instanceof PickleObject ? list.elements : undefined;
    if (!target) throw damaged(`elements must go to a list, not to ${describe(list)}`);
    for (const value of values) target.push(value);
  }

  /** Adds to the set on top of the stack. */
  add(values: readonly PickleValue[]): void {
    const set = this.top();
    if (!(set instanceof Set)) throw damaged(`elements must go to a set, not to ${describe(set)}`);
    for (const value of values) set.add(value);
  }

  /** Adds keys and values to the dict (or what acts as one) on top of the stack. */
  setItems(values: readonly PickleValue[]): void {
    const dict = this.top();
    const target = dict instanceof Map ? dict : dict instanceof PickleObject ? dict.items : undefined;
    if (!target) throw damaged(`items must go to a dict, not to ${describe(dict)}`);
    setPairs(target, values);
  }

  /** The only value left. */
  result(): PickleValue {
    const value = this.pop();
    if (this.#stack.length + this.#marked.length > 0) throw damaged("one value must be left at its end");
    return value;
  }
}

/** Fills a dict from keys and values in turn. */
export function setPairs(dict: PickleDict, values: readonly PickleValue[]): PickleDict {
  if (values.length % 2 !== 0) throw damaged("a dict must have a value for each key");
  for (let i = 0; i < values.length; i += 2) dict.set(asKey(values[i]!), values[i + 1]!);
  return dict;
}

function asKey(key: PickleValue): PickleValue {
  return key instanceof Uint8Array ? decodeLatin1(key) : key;
}

/** The error for a pickle that breaks the format. */
export function damaged(rule: string): SyntaxError {
  return new SyntaxError(`Cannot run unpickle() as ${rule}: the pickle is damaged`);
}
