import type { Aliases, Args, Parsed, ParseOptions } from "./types.ts";

export type { Args, ParseOptions } from "./types.ts";

type Value = string | number | boolean;

/**
 * Reads command line arguments: `--name value`, `--name=value`, `--flag`, `--no-flag`, `-n value`, `-abc`, `--`.
 * What looks like a number becomes one, unless `string` names the option.
 */
export function parseArgs<
  B extends boolean | string | undefined = undefined,
  S extends string | undefined = undefined,
  C extends string | undefined = undefined,
  N extends string | undefined = undefined,
  D extends Record<string, unknown> = Record<never, never>,
  const A extends Aliases = Record<never, never>,
  DD extends boolean | undefined = undefined,
>(args: readonly string[], options: ParseOptions<B, S, C, N, D, A, DD> = {}): Parsed<B, S, C, N, D, A, DD> {
  const parser = new Parser(options);
  const end = args.indexOf("--");
  parser.read(end < 0 ? args : args.slice(0, end));
  parser.fill(options.default ?? {});
  const rest = end < 0 ? [] : args.slice(end + 1);
  if (options["--"]) parser.result["--"] = rest;
  else parser.result._.push(...rest);
  return parser.result as Parsed<B, S, C, N, D, A, DD>;
}

class Parser {
  readonly result: Args = { _: [] };
  readonly #options: ParseOptions;
  readonly #aliases = new Map<string, string[]>();
  readonly #boolean: Set<string>;
  readonly #string: Set<string>;
  readonly #collect: Set<string>;
  readonly #negatable: Set<string>;

  constructor(options: ParseOptions) {
    this.#options = options;
    for (const [name, others] of Object.entries(options.alias ?? {})) {
      if (others === undefined) throw new TypeError("Alias value must be defined");
      const group = [name, ...[others].flat()];
      for (const member of group) this.#aliases.set(member, group.filter((other) => other !== member));
    }
    this.#boolean = this.#names(options.boolean);
    this.#string = this.#names(options.string);
    this.#collect = this.#names(options.collect);
    this.#negatable = this.#names(options.negatable);
  }

  /** Names of an option's list, with their aliases. */
  #names(list: boolean | string | readonly string[] | undefined): Set<string> {
    if (!list || list === true) return new Set();
    const names = [list].flat().filter((name) => name !== "");
    return new Set(names.flatMap((name) => [name, ...this.#aliases.get(name) ?? []]));
  }

  read(args: readonly string[]): void {
    for (let i = 0; i < args.length; i++) {
      const arg = args[i]!;
      const next = args[i + 1];
      if (/^--./s.test(arg)) i += this.#long(arg, next);
      else if (/^-./s.test(arg)) i += this.#short(arg, next);
      else {
        if (this.#options.unknown?.(arg) !== false) this.result._.push(this.#string.has("_") ? arg : number(arg));
        if (!this.#options.stopEarly) continue;
        this.result._.push(...args.slice(i + 1));
        return;
      }
    }
  }

  /** Reads `--name`, and returns how many of the following arguments belong to it. */
  #long(arg: string, next: string | undefined): number {
    const [, no, name, value] = arg.match(/^--(no-)?(.+?)(?:=(.+))?$/s) as [string, string?, string?, string?];
    if (value) return this.#set(name!, this.#boolean.has(name!) ? value !== "false" : value, arg, 0);
    if (no && this.#negatable.has(name!)) {
      this.#set(name!, false, arg, 0, false);
      return 0;
    }
    const key = (no ?? "") + name;
    const takes = !this.#isFlag(key) && this.#options.boolean !== true && next !== undefined && !next.startsWith("-");
    return this.#valueOf(key, arg, next, takes);
  }

  /** Reads `-n` or `-abc`, and returns how many of the following arguments belong to it. */
  #short(arg: string, next: string | undefined): number {
    for (let i = 1; i < arg.length - 1; i++) {
      const [letter, rest] = [arg[i]!, arg.slice(i + 1)];
      const isLetter = /[A-Za-z]/.test(letter);
      const assigned = rest.match(/=(.+)/)?.[1];
      if (rest === "-") return this.#set(letter, rest, arg, 0);
      if (isLetter && assigned !== undefined) return this.#set(letter, assigned, arg, 0);
      const joined = (isLetter && /\d+(\.\d*)?(e-?\d+)?$/.test(rest)) || (rest.length > 1 && /^\W/.test(rest));
      if (joined) return this.#set(letter, rest, arg, 0);
      this.#set(letter, this.#absent(letter), arg, 0);
    }
    const last = arg.at(-1)!;
    if (last === "-") return 0;
    return this.#valueOf(last, arg, next, !this.#isFlag(last) && next !== undefined && !/^--?[^-]/.test(next));
  }

  /** Takes the next argument when it is a value of this option, or `true` or `false`. */
  #valueOf(key: string, arg: string, next: string | undefined, takes: boolean): number {
    if (next && takes) return this.#set(key, next, arg, 1);
    if (next === "true" || next === "false") return this.#set(key, next === "true", arg, 1);
    return this.#set(key, this.#absent(key), arg, 0);
  }

  #absent(key: string): Value {
    return this.#string.has(key) ? "" : true;
  }

  #isFlag(key: string): boolean {
    return this.#boolean.has(key) || (this.#aliases.get(key) ?? []).some((other) => this.#boolean.has(other));
  }

  #set(key: string, value: Value, arg: string, used: number, collect = true): number {
    const known = this.#boolean.has(key) || this.#string.has(key) || this.#aliases.has(key) ||
      (this.#options.boolean === true && /^--[^=]+$/.test(arg));
    if (!known && this.#options.unknown?.(arg, key, value) === false) return used;
    const kept = typeof value === "string" && !this.#string.has(key) ? number(value) : value;
    for (const name of [key, ...this.#aliases.get(key) ?? []]) {
      put(this.result, name, kept, collect && this.#collect.has(key));
    }
    return used;
  }

  /** Gives the options that were not given their values. */
  fill(defaults: Record<string, unknown>): void {
    for (const [key, value] of Object.entries(defaults)) {
      if (has(this.result, key)) continue;
      for (const name of [key, ...this.#aliases.get(key) ?? []]) put(this.result, name, value, false);
    }
    for (const key of this.#boolean) {
      if (!has(this.result, key)) put(this.result, key, this.#collect.has(key) ? [] : false, false);
    }
    for (const key of this.#string) {
      if (this.#collect.has(key) && !has(this.result, key)) put(this.result, key, [], false);
    }
  }
}

function number(text: string): string | number {
  return /\S/.test(text) && Number.isFinite(Number(text)) ? Number(text) : text;
}

/** Sets `a.b` in an object of objects; in a list when `collect` says so. */
function put(target: Record<string, unknown>, key: string, value: unknown, collect: boolean): void {
  const path = key.split(".");
  const last = path.pop()!;
  let object = target;
  for (const part of path) object = (object[part] ??= {}) as Record<string, unknown>;
  const old = object[last];
  if (collect && Array.isArray(old)) old.push(value);
  else object[last] = collect ? (old ? [old, value] : [value]) : value;
}

function has(target: Record<string, unknown>, key: string): boolean {
  let object: unknown = target;
  for (const part of key.split(".")) {
    if (typeof object !== "object" || object === null || !Object.hasOwn(object, part)) return false;
    object = (object as Record<string, unknown>)[part];
  }
  return true;
}
