/** One setting: its type and range, what holds where it is not given, and what people are told of it. */
export interface Setting {
  /** Type of the value; a string with `choices` is one of them. */
  readonly type: "integer" | "number" | "string" | "boolean";
  /** Value that holds where none is given. */
  readonly default?: number | string | boolean;
  /** Values that hold where none is given, by the value of another setting: `{ optimizer: { sgd: 0, lars: 0.9 } }`. */
  readonly defaultBy?: Readonly<Record<string, Readonly<Record<string, number | string | boolean>>>>;
  /** Whether null is allowed, which then is the default. */
  readonly optional?: true;
  /** Minimum of a number. */
  readonly min?: number;
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
  /** Whether it only says how a job is run and may change when the job goes on; the others decide what is learnt. */
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
  const plain = Object.entries(table).map((
    [name, row],
  ) => [name, given[name] ?? row.default ?? (row.optional && null)]);
  const values = Object.fromEntries(plain);
  for (const [name, { defaultBy = {} }] of Object.entries(table)) {
    for (const [other, defaults] of Object.entries(defaultBy)) values[name] ??= defaults[values[other]] ?? values[name];
  }
  return values;
}
