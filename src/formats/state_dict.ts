import { isNdArray, type NdArray } from "./ndarray.ts";
import { keyName, MAX_NAME } from "./pickle_keys.ts";
import { describeValue, type PickleValue } from "./pickle_values.ts";
import { quoted, quotedSome } from "./quoted.ts";
import { checkOptions } from "../checks/internal.ts";

/** Options of {@linkcode loadStateDict}: which weights of a checkpoint to take, and under which names. */
export interface StateDictOptions {
  /** Place of the weights: a key, or keys from the outside in. Default: `state_dict` if there is one, else the top. */
  at?: string | readonly string[];
  /** Prefixes to take off names, each at most once and in this order, for example `["module.", "encoder."]`. */
  prefixes?: readonly string[];
  /** Takes only names that begin so (before `prefixes`), and takes this off, for example `gloria.img_encoder.model.`. */
  select?: string;
}

/**
 * The weights of a checkpoint by name, with nested dicts joined by dots.
 *
 * @param checkpoint What {@linkcode readTorch} returned.
 * @param options Where to look, and what to take off names.
 * @returns Arrays in PyTorch's own layout by name, in the order of the file.
 * @throws {TypeError} If there is no dict at `at`, or it holds something other than tensors.
 * @throws {RangeError} If no name begins with `select`, or two names become one.
 *
 * @example Usage
 * ```ts
 * import { readTorch, stateDict, writeTorch } from "@decoupled/uniformity/formats";
 * import { assertEquals } from "@std/assert";
 *
 * const weight = { shape: [1], dtype: "f32", data: new Float32Array([5]) } as const;
 * const file = await writeTorch({ state_dict: { "module.encoder.fc.weight": weight, "module.head.1.weight": weight } });
 * const encoder = stateDict(await readTorch(file), { select: "module.encoder." });
 * assertEquals([...encoder.keys()], ["fc.weight"]);
 * ```
 */
export function stateDict(checkpoint: PickleValue, options: StateDictOptions = {}): Map<string, NdArray> {
  checkOptions("run stateDict()", options, ["at", "prefixes", "select"]);
  const all = new Map<string, NdArray>();
  flatten(find(checkpoint, options.at), "", all, new Set());
  const { select = "", prefixes = [] } = options;
  const result = new Map<string, NdArray>();
  for (const [name, array] of all) {
    if (!name.startsWith(select)) continue;
    const short = prefixes.reduce(without, name.slice(select.length));
    if (result.has(short)) {
      throw new RangeError(
        `Cannot run stateDict() as names must differ: got ${quoted(short, 200)} from ${quoted(name, 200)} too`,
      );
    }
    result.set(short, array);
  }
  if (select !== "" && result.size === 0) {
    throw new RangeError(
      `Cannot run stateDict() as a name must begin with "${select}": got ${quotedSome(all.keys(), 4)}`,
    );
  }
  return result;
}

function without(name: string, prefix: string): string {
  return name.startsWith(prefix) ? name.slice(prefix.length) : name;
}

function find(checkpoint: PickleValue, at?: string | readonly string[]): ReadonlyMap<PickleValue, PickleValue> {
  const guess = checkpoint instanceof Map && checkpoint.get("state_dict") instanceof Map ? ["state_dict"] : [];
  const keys = at === undefined ? guess : [at].flat();
  let place: PickleValue | undefined = checkpoint;
  for (const key of keys) place = place instanceof Map ? place.get(key) : undefined;
  if (place instanceof Map) return place;
  const known = checkpoint instanceof Map
    ? quotedSome([...checkpoint.keys()].map(keyName), 8)
    : describeValue(checkpoint);
  throw new TypeError(`Cannot run stateDict() as a dict must be at "${keys.join(".")}": got ${known}`);
}

function flatten(
  dict: ReadonlyMap<PickleValue, PickleValue>,
  prefix: string,
  result: Map<string, NdArray>,
  seen: Set<unknown>,
): void {
  if (seen.has(dict)) {
    throw new TypeError(
      `Cannot run stateDict() as each dict must be in one place: got one more at ${quoted(prefix, 200)}`,
    );
  }
  seen.add(dict);
  for (const [key, value] of dict) {
    const name = prefix + keyName(key);
    if (name.length > MAX_NAME) {
      throw new TypeError(
        `Cannot run stateDict() as names must take at most ${MAX_NAME} characters: got ${name.length}`,
      );
    }
    if (value instanceof Map) flatten(value, `${name}.`, result, seen);
    else if (!isNdArray(value)) {
      throw new TypeError(
        `Cannot run stateDict() as every entry must be a tensor: got ${describeValue(value)} at ${quoted(name, 200)}`,
      );
    } else if (result.has(name)) {
      throw new RangeError(`Cannot run stateDict() as names must differ: got ${quoted(name, 200)} twice`);
    } else result.set(name, value);
  }
}
