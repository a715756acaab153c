/**
 * Stand-in for `@std/cli/parse-args` on networks without JSR: the options of `parseArgs()` that this repository uses, with
 * the same results.
 *
 * @module
 */
type Value = string | number | boolean;

/** Options of {@linkcode parseArgs}. */
export interface ParseOptions<B extends string, S extends string, D> {
  /** Further names of an option. */
  readonly alias?: Readonly<Record<string, string>>;
  /** Options that take no value. */
  readonly boolean?: readonly B[];
  /** Values of options that are not given. */
  readonly default?: D;
  /** Options whose values are not turned into numbers. */
  readonly string?: readonly S[];
  /** Options that `--no-name` sets to false. */
  readonly negatable?: readonly string[];
  /** Called with an argument that no option names; `false` drops it. */
  readonly unknown?: (arg: string, key?: string, value?: unknown) => unknown;
}

/** Values by option, and under `_` the arguments that belong to none. */
export type Args<B extends string = never, S extends string = never, D = Record<never, never>> =
  & Record<string, unknown>
  & { _: (string | number)[] }
  & { [K in B]: boolean }
  & { [K in Exclude<S, keyof D | "_">]?: string }
  & { [K in S & keyof D]: string };

/**
 * Reads command line arguments: `--name value`, `--name=value`, `--flag`, `--no-flag`, `-n value`, `-abc`, `--`.
 * What looks like a number becomes one, unless `string` names the option.
 */
export function parseArgs<
  const B extends string = never,
  const S extends string = never,
  const D extends Record<string, unknown> = Record<never, never>,
>(args: readonly string[], options: ParseOptions<B, S, D> = {}): Args<B, S, D> {
  const parser = new Parser(options);
  const end = args.indexOf("--");
  parser.read(end < 0 ? args : args.slice(0, end));
  if (end >= 0) parser.result._.push(...args.slice(end + 1));
  parser.fill(options.default ?? {});
  return parser.result as Args<B, S, D>;
}

class Parser {
  readonly result: Args = { _: [] };
  readonly #options: ParseOptions<string, string, unknown>;
  readonly #aliases = new Map<string, string>();
  readonly #boolean: Set<string>;
  readonly #string: Set<string>;

  constructor(options: ParseOptions<string, string, unknown>) {
    this.#options = options;
    for (const [name, other] of Object.entries(options.alias ?? {})) this.#aliases.set(name, other).set(other, name);
    this.#boolean = new Set(options.boolean?.flatMap((name) => this.#names(name)));
    this.#string = new Set(options.string?.flatMap((name) => this.#names(name)));
  }

  /** An option's name, and its other one. */
  #names(name: string): string[] {
    const other = this.#aliases.get(name);
    return other === undefined ? [name] : [name, other];
  }

  read(args: readonly string[]): void {
    for (let i = 0; i < args.length; i++) {
      const arg = args[i]!;
      const next = args[i + 1];
      if (/^--./s.test(arg)) i += this.#long(arg, next);
      else if (/^-./s.test(arg)) i += this.#short(arg, next);
      else if (this.#options.unknown?.(arg) !== false) this.result._.push(this.#string.has("_") ? arg : number(arg));
    }
  }

  /** Reads `--name`, and returns how many of the following arguments belong to it. */
  #long(arg: string, next: string | undefined): number {
    const [, no, name, value] = arg.match(/^--(no-)?(.+?)(?:=(.+))?$/s) as [string, string?, string?, string?];
    if (value) return this.#set(name!, this.#boolean.has(name!) ? value !== "false" : value, arg, 0);
    if (no && this.#options.negatable?.includes(name!)) return this.#set(name!, false, arg, 0);
    const key = (no ?? "") + name;
    return this.#valueOf(key, arg, next, !this.#boolean.has(key) && next !== undefined && !next.startsWith("-"));
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
    return this.#valueOf(last, arg, next, !this.#boolean.has(last) && next !== undefined && !/^--?[^-]/.test(next));
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

  #set(key: string, value: Value, arg: string, used: number): number {
    const known = this.#boolean.has(key) || this.#string.has(key) || this.#aliases.has(key);
    if (!known && this.#options.unknown?.(arg, key, value) === false) return used;
    const kept = typeof value === "string" && !this.#string.has(key) ? number(value) : value;
    for (const name of this.#names(key)) Object.assign(this.result, { [name]: kept });
    return used;
  }

  /** Gives the options that were not given their values. */
  fill(defaults: Record<string, unknown>): void {
    const absent = (key: string) => !Object.hasOwn(this.result, key);
    for (const [key, value] of Object.entries(defaults)) {
      if (absent(key)) { for (const name of this.#names(key)) Object.assign(this.result, { [name]: value }); }
    }
    for (const key of this.#boolean) if (absent(key)) Object.assign(this.result, { [key]: false });
  }
}

function number(text: string): string | number {
  return /\S/.test(text) && Number.isFinite(Number(text)) ? Number(text) : text;
}
