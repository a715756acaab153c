type Union<T> = Extract<T, string>;
type Dotted = `${string}.${string}`;

/** The names that are typed: known ones without a dot. */
type Simple<T> = string extends T ? never : Exclude<Union<T>, Dotted | "_">;

/** A value, by the lists that name its option. */
type ValueOf<K, B, S, C, N> =
  | (K extends C ? (K extends S ? string[] : K extends B ? boolean[] : unknown[]) : K extends S ? string : boolean)
  | (K extends N ? false : never);

type Named<B, S, C, N> =
  & { [K in Simple<B> | Simple<C>]: ValueOf<K, B, S, C, N> }
  & { [K in Exclude<Simple<S>, Simple<B> | Simple<C>>]?: ValueOf<K, B, S, C, N> };

type Defaulted<T, D> =
  & Omit<T, keyof D>
  & { [K in Exclude<keyof D, Dotted>]: K extends keyof T ? NonNullable<T[K]> | D[K] : unknown };

type AliasOf<K, A> = K extends keyof A
  ? A[K] extends string ? A[K] : A[K] extends readonly string[] ? A[K][number] : never
  : never;

type Aliased<T, A> = T & { [K in keyof T as AliasOf<K, A>]: T[K] };

type Flat<T> = { [K in keyof T]: T[K] };

/** Typed once an option names its strings, booleans or lists; of any type otherwise. */
type Values<B, S, C, N, D, A> = [Union<B | S | C>] extends [never]
  ? B extends true ? Record<string, unknown> & Defaulted<unknown, D>
    // deno-lint-ignore no-explicit-any -- what was not declared may be anything, as in @std/cli
  : Record<string, any>
  : Record<string, unknown> & Flat<Aliased<Defaulted<Named<B, S, C, N>, D>, A>>;

/** Result of {@linkcode parseArgs}. */
// deno-lint-ignore no-explicit-any -- as in @std/cli
export type Args<T = Record<string, any>, DD extends boolean | undefined = undefined> =
  & T
  & {
    /** The arguments that belong to no option. */
    _: (string | number)[];
  }
  & (DD extends true ? { "--": string[] } : { "--"?: string[] });

/** The result's type for given options. */
export type Parsed<B, S, C, N, D, A, DD extends boolean | undefined> = Args<Values<B, S, C, N, D, A>, DD>;

/** A name or a list of names. */
export type Names<T> = T | readonly Union<T>[];

/** Options of {@linkcode parseArgs}. */
export interface ParseOptions<
  B extends boolean | string | undefined = boolean | string | undefined,
  S extends string | undefined = string | undefined,
  C extends string | undefined = string | undefined,
  N extends string | undefined = string | undefined,
  D extends Record<string, unknown> | undefined = Record<string, unknown> | undefined,
  A extends Aliases | undefined = Aliases | undefined,
  DD extends boolean | undefined = boolean | undefined,
> {
  /** Puts what follows `--` under `"--"` instead of `_`. */
  "--"?: DD;
  /** Further names of an option. */
  alias?: A;
  /** Options that take no value; `true` for every `--name` without `=`. */
  boolean?: Names<B>;
  /** Values of options that are not given. */
  default?: D;
  /** Puts everything from the first argument that is no option into `_`. */
  stopEarly?: boolean;
  /** Options whose values are not turned into numbers. */
  string?: Names<S>;
  /** Options that may be given several times. */
  collect?: Names<C>;
  /** Options that `--no-name` sets to false. */
  negatable?: Names<N>;
  /** Called with an argument that no option names; `false` drops it. */
  unknown?: (arg: string, key?: string, value?: unknown) => unknown;
}

/** Further names by name. */
export type Aliases = Readonly<Record<string, string | readonly string[]>>;
