/** One flag of a program. */
export type Flag =
  | {
    type: "integer" | "number";
    default?: number;
    min?: number;
    max?: number;
    /** Bound that a number, as f32, stays below. */
    below?: number;
    help: string;
    alias?: string;
    /** Further names of the flag, with underscores. */
    spellings?: readonly string[];
    group?: string;
  }
  | { type: "string"; default?: string; choices?: readonly string[]; help: string; alias?: string; group?: string }
  | { type: "boolean"; default?: boolean; help: string; alias?: string; group?: string };

/**
 * A command line with one argument for each flag, `--name=value`, `--name` or `--no-name`, read as Python's argparse does:
 * `-b20`, `-b=20` and `-b 20` are `--batch_size=20`, a number below 0 is a value (`--lr -0.1`), and hyphens in names are
 * underscores. What is no flag of the program stays as it is.
 *
 * @param args What was typed.
 * @param flags The program's flags.
 */
export function flagArguments(args: readonly string[], flags: Readonly<Record<string, Flag>>): string[] {
  const result: string[] = [];
  const todo = args.toReversed();
  for (let arg = todo.pop(); arg !== undefined; arg = todo.pop()) {
    const { name, value, rest } = partsOf(arg, flags);
    if (rest !== undefined) todo.push(rest);
    const takesValue = name !== undefined && Object.hasOwn(flags, name) && flags[name]!.type !== "boolean";
    if (name === undefined) result.push(arg);
    else if (value !== undefined) result.push(`--${name}=${value}`);
    else result.push(takesValue && isValue(todo.at(-1)) ? `--${name}=${todo.pop()}` : `--${name}`);
  }
  return result;
}

/** Parts of an argument; no name: it is a value, or a short flag that there is not. */
interface Parts {
  readonly name?: string;
  readonly value?: string;
  /** Short flags that were written behind one without a value: `-xy` is `-x -y`. */
  readonly rest?: string;
}

function partsOf(arg: string, flags: Readonly<Record<string, Flag>>): Parts {
  const long = /^--(no-)?([^=]+)(?:=(.*))?$/s.exec(arg);
  if (long) return { name: `${long[1] ?? ""}${ownName(long[2]!.replaceAll("-", "_"), flags)}`, value: long[3] };
  const short = isNumber(arg) ? null : /^-([^-=])(=?)(.*)$/s.exec(arg);
  const [name, flag] = Object.entries(flags).find(([, { alias }]) => short && alias === short[1]) ?? [];
  if (!short || !flag) return {};
  const [, , equals, text] = short as unknown as [string, string, string, string];
  if (flag.type !== "boolean") return { name, value: equals || text ? text : undefined };
  return equals ? { name, value: text } : { name, rest: text ? `-${text}` : undefined };
}

/** The flag's own name, where it was given under another one. */
function ownName(name: string, flags: Readonly<Record<string, Flag>>): string {
  const others = (flag: Flag) => "spellings" in flag ? flag.spellings ?? [] : [];
  return Object.entries(flags).find(([, flag]) => others(flag).includes(name))?.[0] ?? name;
}

function isValue(arg: string | undefined): boolean {
  return arg !== undefined && (!arg.startsWith("-") || arg === "-" || isNumber(arg));
}

function isNumber(arg: string): boolean {
  return /^-(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i.test(arg);
}
