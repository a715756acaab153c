import { parseArgs } from "@std/cli/parse-args";
import { type Flag, flagArguments } from "./arguments.ts";
import { closest, distance } from "fastest-levenshtein";
import { parseDecimal } from "../formats/internal.ts";

/** A program's command line. */
export interface CommandLine<F extends Record<string, Flag>> {
  /** First line of the help. */
  usage: string;
  /** Description of the program, in a sentence or two. */
  about: string;
  /** A command to copy. */
  example: string;
  /** Flags by name, with underscores; hyphens are taken too. */
  flags: F;
}

/** The value of a flag: undefined only where it has no default. */
export type FlagValue<F extends Flag> = F extends { type: "boolean" } ? boolean
  : F extends { type: "string" } ? (F extends { default: string } ? string : string | undefined)
  : F extends { default: number } ? number
  : number | undefined;

/** The values of all flags. */
export type FlagValues<F extends Record<string, Flag>> = { readonly [K in keyof F]: FlagValue<F[K]> };

/** Error in a command line; the message is all a person needs. */
export class UsageError extends Error {
  /** Name of the class, which errors are printed with. */
  override name = "UsageError";
}

/**
 * Reads a command line. `--help` prints the help and gives null.
 *
 * @throws {UsageError} If a flag is unknown (the nearest one is named) or its value is not allowed.
 */
export function parseFlags<const F extends Record<string, Flag>>(
  args: readonly string[],
  program: CommandLine<F>,
): FlagValues<F> | null {
  const names = Object.keys(program.flags);
  const booleans = names.filter((name) => program.flags[name]!.type === "boolean");
  const strays: string[] = [];
  const given = flagArguments(args, program.flags);
  if (given.includes("--")) throw unknownFlag("--", names);
  checkGiven(given, program.flags);
  const parsed = parseArgs(given, {
    string: names.filter((name) => !booleans.includes(name)),
    boolean: [...booleans, "help"],
    negatable: booleans,
    alias: { help: "h" },
    unknown: (arg) => {
      if (arg.startsWith("-")) throw unknownFlag(arg, names);
      strays.push(arg);
    },
  }) as Record<string, unknown>;
  if (parsed.help) {
    console.log(helpText(program));
    return null;
  }
  const givenNames = new Set(given.map((arg) => arg.replace(/^--(no-)?/, "").replace(/=.*/s, "")));
  const values = Object.fromEntries(names.map((name) => {
    const flag = program.flags[name]!;
    const fallback = flag.default ?? (flag.type === "boolean" ? false : undefined);
    return [name, givenNames.has(name) ? checkValue(name, flag, parsed[name]) : fallback];
  }));
  if (strays.length > 0) throw new UsageError(`Cannot read the command line as "${strays[0]}" is not a flag`);
  return values as FlagValues<F>;
}

/** The help of a program: flags by group, with their defaults. */
export function helpText<F extends Record<string, Flag>>(program: CommandLine<F>): string {
  const groups = new Map<string, string[]>();
  for (const [name, flag] of Object.entries(program.flags)) {
    const short = flag.alias ? `-${flag.alias}, ` : "";
    const value = flag.type === "boolean"
      ? ""
      : ` <${"choices" in flag && flag.choices ? flag.choices.join("|") : flag.type}>`;
    const fallback = flag.default === undefined || flag.type === "boolean" ? "" : ` (default ${flag.default})`;
    const others = "spellings" in flag ? (flag.spellings ?? []).map((each) => `, --${each}`).join("") : "";
    const lines = groups.get(flag.group ?? "Options") ?? [];
    lines.push(`  ${`${short}--${name}${others}${value}`.padEnd(34)} ${flag.help}${fallback}`);
    groups.set(flag.group ?? "Options", lines);
  }
  const sections = [...groups].map(([title, lines]) => `${title}:\n${lines.join("\n")}`);
  return `${program.about}\n\nUsage: ${program.usage}\n\n${sections.join("\n\n")}\n\nExample: ${program.example}`;
}

/** Refuses `--name=`, which is an empty value, and values of flags that are on or off: `--json=0` would be on. */
function checkGiven(given: readonly string[], flags: Readonly<Record<string, Flag>>): void {
  for (const arg of given) {
    const [, no, name = "", value] = /^--(no-)?([^=]+)=(.*)$/s.exec(arg) ?? [];
    if (!Object.hasOwn(flags, name)) continue;
    const flag = flags[name]!;
    if (flag.type !== "boolean") {
      if (no) throw unknownFlag(arg, Object.keys(flags)); // parseArgs() would take the value
      if (value === "") checkValue(name, flag, "");
    } else if (no || (value !== "true" && value !== "false")) {
      throw new UsageError(
        `Cannot read --${no ?? ""}${name} as it takes no value${no ? "" : " but true and false"}: got "${value}"`,
      );
    }
  }
}

function checkValue(name: string, flag: Flag, value: unknown): unknown {
  if (flag.type === "boolean") return value;
  if (value === undefined || value === "") {
    throw new UsageError(`Cannot read --${name} as it has no value: want ${wanted(flag)}`);
  }
  if (flag.type === "string") {
    if (!flag.choices || flag.choices.includes(String(value))) return value;
    const near = nearest(String(value), flag.choices);
    throw new UsageError(
      `Cannot read --${name} as it must be one of ${flag.choices.join(", ")}: got "${value}"${
        near && `, did you mean "${near}"?`
      }`,
    );
  }
  const number = parseDecimal(String(value)) ?? NaN;
  if (flag.type === "number" && Number.isFinite(number) && !fitsF32(number)) {
    throw new UsageError(`Cannot read --${name} as it must be a number that f32 holds: got "${value}"`);
  }
  const { min = -Infinity, max = Infinity, below = Infinity } = flag;
  const inRange = number >= min && number <= max && Math.fround(number) < below;
  if (!Number.isFinite(number) || !inRange || (flag.type === "integer" && !Number.isSafeInteger(number))) {
    throw new UsageError(`Cannot read --${name} as it must be ${wanted(flag)}: got "${value}"`);
  }
  return number;
}

/** Whether a number is neither infinite nor 0 as f32 where it is not so itself. */
function fitsF32(number: number): boolean {
  const rounded = Math.fround(number);
  return Number.isFinite(rounded) && (rounded !== 0 || number === 0);
}

function wanted(flag: Flag): string {
  if (flag.type === "string" || flag.type === "boolean") return "text";
  const kind = flag.type === "integer" ? "an integer" : "a number";
  const bounds = [[">=", flag.min], ["<=", flag.max], ["<", flag.below]] as const;
  const given = bounds.filter(([, bound]) => bound !== undefined).map((bound) => bound.join(" "));
  return [kind, given.join(" and ")].join(" ").trim();
}

function unknownFlag(arg: string, names: readonly string[]): UsageError {
  const near = nearest(arg.replace(/^-+/, "").replace(/=.*/s, ""), [...names, "help"]);
  return new UsageError(
    `Cannot read ${arg} as there is no such flag${near && `: did you mean --${near}?`} (--help lists all)`,
  );
}

/** The candidate nearest by edit distance, when it is near enough to be meant; "" otherwise. */
function nearest(word: string, candidates: readonly string[]): string {
  const best = closest(word, [...candidates]);
  const most = Math.min(word.length - 1, Math.max(2, Math.floor(word.length / 3)));
  return distance(word, best) <= most ? best : "";
}
