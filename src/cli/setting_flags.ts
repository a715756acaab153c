import { defaultWorkers } from "../data/internal.ts";
import { type JobSettings, SETTINGS } from "../jobs/mod.ts";
import { NETWORKS } from "../methods/mod.ts";
import type { Setting } from "../train/mod.ts";
import type { Flag } from "./arguments.ts";

/** Settings of a pre-training job that its table describes: all but what the program decides. */
export type TableSettings = Pick<JobSettings, keyof typeof SETTINGS>;

/** Value of a flag that stands for null. */
const NONE = "none";

const ROWS: Readonly<Record<string, Setting>> = SETTINGS;

/**
 * Makes a flag of every setting of a pre-training job.
 *
 * @param defaults Defaults of the program, in place of those of the table.
 */
export function settingFlags(defaults: Partial<TableSettings>): Record<keyof TableSettings, Flag> {
  const rows = {
    ...ROWS,
    network: { ...SETTINGS.network, choices: NETWORKS },
    workers: { ...SETTINGS.workers, default: defaultWorkers() },
    sigma: { ...SETTINGS.sigma, type: "string", min: undefined }, // or "median"
  };
  const given: Partial<Record<string, unknown>> = defaults;
  const flags = Object.entries(rows).map(([name, row]) => [name, flagOf(row as Setting, given[name])]);
  return Object.fromEntries(flags);
}

/** Makes a flag of a setting; one of some words that may be null is `none` then. */
function flagOf({ type, alias, group, spellings, min, max, below, choices, ...row }: Setting, given: unknown): Flag {
  const help = `${row.help}${given === undefined ? defaultsBy(row) : ""}`;
  const common = { help, group, ...alias ? { alias } : {} };
  const value = given ?? (row.defaultBy ? undefined : row.default);
  if (type === "boolean") return { type, ...common };
  if (type !== "string") {
    const fallback = value === undefined ? {} : { default: value as number };
    return { type, ...common, ...fallback, min, max, below, ...spellings ? { spellings } : {} };
  }
  if (!choices) return { type, ...common, ...value === undefined ? {} : { default: `${value}` } };
  const all = row.optional ? [...choices, NONE] : choices;
  return { type, ...common, choices: all, ...value || row.optional ? { default: `${value ?? NONE}` } : {} };
}

/**
 * Value that holds where a flag is not given, for a setting whose default depends on another: that is found afterwards.
 */
function defaultsBy({ default: fallback, defaultBy }: Pick<Setting, "default" | "defaultBy">): string {
  if (!defaultBy) return "";
  const named = Object.values(defaultBy).flatMap((values) =>
    Object.entries(values).map(([name, value]) => `${value} for ${name}`)
  );
  return ` (default ${[...fallback === undefined ? [] : [fallback], ...named].join(", ")})`;
}

/** The settings that flags were given: `none` and absent flags are left to the table's defaults. */
export function flagSettings(values: Readonly<Record<string, unknown>>): TableSettings {
  const settings = Object.keys(ROWS).map((
    name,
  ) => [name, ROWS[name]!.optional && values[name] === NONE ? null : values[name]]);
  return Object.fromEntries(settings);
}
