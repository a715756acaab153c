import { checkExtent, heldBytes, PickleBudget } from "./pickle_bounds.ts";
import { setPairs } from "./pickle_keys.ts";
import { quoted } from "./quoted.ts";
import {
  damaged,
  describeValue,
  PickleGlobal,
  type PickleGlobals,
  type PickleHandler,
  PickleObject,
  type PickleValue,
} from "./pickle_values.ts";

/** Options of unpickling: what a pickle may refer to outside itself. */
export interface PickleOptions {
  /** The allow-list of globals. Default: every global is refused. */
  globals?: PickleGlobals;
  /** Resolves persistent ids (PyTorch's storages). Default: they are refused. */
  persistentLoad?: (id: PickleValue) => PickleValue;
  /** The most operations that are carried out, and the most values that come of them. Default: 10 million. */
  maxSteps?: number;
  /** Most bytes of memory, about, that the pickle's values may take. Default: 16 times the pickle, 256 MiB or more. */
  maxBytes?: number;
}

/** Python 2's names of modules, which protocols 0 to 2 use for those of Python 3 as well. */
const MODULES: ReadonlyMap<string, string> = new Map([["__builtin__", "builtins"], ["copy_reg", "copyreg"]]);

/** Python 2's names of types. */
const TYPES: ReadonlyMap<string, string> = new Map([["long", "int"], ["unicode", "str"], ["basestring", "str"]]);

const MAX_STEPS = 10_000_000;
const MAX_ARGUMENTS = 1000;
const STATE_PARTS = 8; // NumPy's arrays have 5
const WORD = 16; // bytes, about, of a value on the stack

/** The stack, the marks and the memo of a pickle, and the few things an operation can do to a value. */
export class PickleMachine {
  readonly #options: PickleOptions;
  readonly #memo = new Map<number, PickleValue>();
  readonly #makers = new WeakMap<WeakKey, PickleHandler>();
  readonly #marked: PickleValue[][] = [];
  readonly #maxSteps: number;
  readonly #budget: PickleBudget;
  #stack: PickleValue[] = [];

  /** An empty machine for a pickle of at most `length` bytes. */
  constructor(options: PickleOptions, length: number) {
    this.#options = options;
    this.#maxSteps = options.maxSteps ?? MAX_STEPS;
    this.#budget = new PickleBudget(this.#maxSteps, options.maxBytes ?? Math.max(2 ** 28, 16 * length));
  }

  /** Counts an operation. */
  step(): void {
    this.#budget.step();
  }

  /** Pushes a new value. */
  push(value: PickleValue): void {
    this.#budget.charge(heldBytes(value));
    this.#stack.push(value);
  }

  /** Pushes a value that is there already. */
  pushAgain(value: PickleValue): void {
    this.#budget.charge(WORD);
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
    this.#budget.charge(8 * WORD);
    this.#marked.push(this.#stack);
    this.#stack = [];
  }

  /** Pushes a new value that nothing can be added to: a tuple, a frozenset. */
  pushFrozen(value: PickleValue[] | Set<PickleValue>): void {
    this.push(Object.freeze(value) as PickleValue);
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
    this.#budget.charge(4 * WORD);
    this.#memo.set(index, this.top());
  }

  /** Pushes a remembered value. */
  recall(index: number): void {
    const value = this.#memo.get(index);
    if (value === undefined) throw damaged(`memo ${index} must hold a value`);
    this.pushAgain(value);
  }

  /** Pushes the global `module.name`, if it is allowed. */
  pushGlobal(module: PickleValue, name: PickleValue): void {
    if (typeof module !== "string" || typeof name !== "string") throw damaged("a global must be named by text");
    const home = MODULES.get(module) ?? module;
    const type = home === "builtins" ? TYPES.get(name) ?? name : name;
    const handler = this.#options.globals?.(home, type);
    if (!handler) {
      throw new SyntaxError(
        `Cannot run unpickle() as every global must be allowed: got ${quoted(`${home}.${type}`, 200)}`,
      );
    }
    this.push(new PickleGlobal(home, type, handler));
  }

  /** Pushes what a persistent id stands for. */
  pushPersistent(id: PickleValue): void {
    const load = this.#options.persistentLoad;
    if (!load) {
      throw new SyntaxError(
        `Cannot run unpickle() as persistentLoad is needed: got a persistent id ${describeValue(id)}`,
      );
    }
    this.push(load(id));
  }

  /** Pushes the result of calling an allowed global. */
  call(target: PickleValue, args: PickleValue, kwargs: PickleValue = new Map()): void {
    if (!Array.isArray(args) || !(kwargs instanceof Map)) throw damaged("arguments must be a tuple and a dict");
    if (args.length > MAX_ARGUMENTS) throw damaged(`a call must have at most ${MAX_ARGUMENTS} arguments`);
    if (!(target instanceof PickleGlobal) || !target.handler.call) {
      throw new SyntaxError(
        `Cannot run unpickle() as what a pickle calls must be allowed: got ${describeValue(target)}`,
      );
    }
    for (const value of [kwargs, ...args]) this.#budget.charge(heldBytes(value));
    const result = target.handler.call(args, kwargs, target);
    if (typeof result === "object" && result !== null) this.#makers.set(result, target.handler);
    this.push(result);
  }

  /** Sets the state of the last value but one to the last value. */
  build(): void {
    const state = this.pop();
    const object = this.top();
    const parts = Array.isArray(state) ? state.slice(-STATE_PARTS) : [];
    for (const value of [state, ...parts]) this.#budget.charge(heldBytes(value));
    const maker = typeof object === "object" && object !== null ? this.#makers.get(object) : undefined;
    if (maker?.build) {
      maker.build(object, state);
      return this.#budget.charge(heldBytes(object));
    }
    // The attributes of a dict's subclass, such as the versions that PyTorch hangs on a state dict, are left out.
    if (object instanceof Map) return;
    throw new SyntaxError(
      `Cannot run unpickle() as an object with state must be allowed: got ${describeValue(object)}`,
    );
  }

  /** Adds to the list (or what acts as one) on top of the stack. */
  append(values: readonly PickleValue[]): void {
    const list = this.top();
    const target = Array.isArray(list) ? list : list instanceof PickleObject ? list.elements : undefined;
    if (!target || Object.isFrozen(target)) {
      throw damaged(`elements must go to a list, not to ${target ? "a tuple" : describeValue(list)}`);
    }
    this.#budget.charge(WORD * values.length);
    for (const value of values) target.push(value);
  }

  /** Adds to the set on top of the stack. */
  add(values: readonly PickleValue[]): void {
    const set = this.top();
    if (!(set instanceof Set) || Object.isFrozen(set)) {
      throw damaged(`elements must go to a set, not to ${set instanceof Set ? "a frozenset" : describeValue(set)}`);
    }
    this.#budget.charge(4 * WORD * values.length);
    for (const value of values) set.add(value);
  }

  /** Adds keys and values to the dict (or what acts as one) on top of the stack. */
  setItems(values: readonly PickleValue[]): void {
    const dict = this.top();
    const target = dict instanceof Map ? dict : dict instanceof PickleObject ? dict.items : undefined;
    if (!target) throw damaged(`items must go to a dict, not to ${describeValue(dict)}`);
    this.#budget.charge(4 * WORD * values.length);
    setPairs(target, values);
  }

  /** The only value left. */
  result(): PickleValue {
    const value = this.pop();
    if (this.#stack.length + this.#marked.length > 0) throw damaged("one value must be left at its end");
    checkExtent(value, this.#maxSteps);
    return value;
  }
}
