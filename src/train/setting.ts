/** One setting: type, range, default, and the help that people read. */
export interface Setting {
  /** Type of the value; a string with `choices` is one of them. */
  readonly type: "integer" | "number" | "string" | "boolean";
  /** Value that holds where none is given. */
  readonly default?: number | string | boolean;
  /**
   * Values that hold where none is given, by the value of another setting, before `default`: `{ optimizer: { lars: 0.9 } }`.
   * A key that ends in `*` stands for all values that begin so.
   */
  readonly defaultBy?: Readonly<Record<string, Readonly<Record<string, number | string | boolean>>>>;
  /** Whether null is allowed, which then is the default. */
  readonly optional?: true;
  /** Minimum of a number. */
  readonly min?: number;
  /** Bound that a number, as f32, stays below. */
  readonly below?: number;
  /** Maximum of a number. */
  readonly max?: number;
  /** Values that are allowed. */
  readonly choices?: readonly string[];
  /** Explanation for people, in a few words. */
  readonly help: string;
  /** Heading under which `--help` lists it. */
  readonly group: string;
  /** Letter of the short flag. */
  readonly alias?: string;
  /** Further names of the flag, with underscores. */
  readonly spellings?: readonly string[];
  /** Name of the option of {@linkcode pretrain} that takes the value as it is. */
  readonly option?: string;
  /**
   * Whether the setting only says how a job is run and may change when the job goes on; the others decide what is
   * learnt.
   */
  readonly running?: true;
  /** Whether checkpoints that do not name the setting were made with its default. */
  readonly implied?: true;
}

/** Settings by the names of their flags. */
export type SettingTable = Readonly<Record<string, Setting>>;

/** Value of a setting. */
export type SettingValue<S extends Setting> =
  | (S extends { type: "boolean" } ? boolean
    : S extends { type: "string" } ? (S extends { choices: readonly (infer C)[] } ? C : string)
    : number)
  | (S extends { optional: true } ? null : never);

/** Values of all settings of a table. */
export type SettingValues<T extends SettingTable> = { readonly [K in keyof T]: SettingValue<T[K]> };

/** Names of the settings of a table that hold something where they are not given. */
export type DefaultedSettings<T extends SettingTable> = {
  [K in keyof T]: T[K] extends { default: unknown } | { defaultBy: unknown } | { optional: true } ? K : never;
}[keyof T];

/** Values of some settings of a table, of those at least that have no default. */
export type GivenSettings<T extends SettingTable> =
  & Omit<SettingValues<T>, DefaultedSettings<T>>
  & { readonly [K in DefaultedSettings<T>]?: SettingValue<T[K]> };

/** Gives settings that are absent or undefined their defaults; one without any stays undefined. */
export function withDefaults<T extends SettingTable>(
  table: T,
  given: Readonly<Record<string, unknown>>,
): SettingValues<T> {
  const valueOf = (name: string): unknown => {
    const { default: fallback, defaultBy = {}, optional } = table[name] ?? {} as Partial<Setting>;
    if (given[name] !== undefined && given[name] !== null) return given[name];
    if (given[name] === null && optional) return null;
    for (const [other, defaults] of Object.entries(defaultBy)) {
      const found = defaultFor(defaults, valueOf(other));
      if (found !== undefined) return found;
    }
    return fallback ?? (optional && null);
  };
  return Object.fromEntries(Object.keys(table).map((name) => [name, valueOf(name)])) as SettingValues<T>;
}

function defaultFor(defaults: Readonly<Record<string, unknown>>, value: unknown): unknown {
  const exact = Object.hasOwn(defaults, `${value}`) ? `${value}` : undefined;
  const key = exact ??
    Object.keys(defaults).find((key) => key.endsWith("*") && `${value}`.startsWith(key.slice(0, -1)));
  return key === undefined ? undefined : defaults[key];
}
