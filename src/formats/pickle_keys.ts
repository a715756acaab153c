import { decodeLatin1 } from "./byte_reader.ts";
import type { Bytes } from "./dtype.ts";
import { damaged, describeValue, type PickleDict, type PickleValue } from "./pickle_values.ts";

/** Longest key: longer ones would make names that no one can hold. */
const MAX_KEY = 65536;

/** The longest name of a tensor: its keys from the outside in. */
export const MAX_NAME = 4096;

/** Text of keys of type `bytes`, made once for each object, however often a pickle uses it. */
const texts = new WeakMap<Bytes, string>();

/** Fills a dict from keys and values in turn. */
export function setPairs(dict: PickleDict, values: readonly PickleValue[]): PickleDict {
  if (values.length % 2 !== 0) throw damaged("a dict must have a value for each key");
  for (let i = 0; i < values.length; i += 2) dict.set(asKey(values[i]!), values[i + 1]!);
  return dict;
}

function asKey(key: PickleValue): PickleValue {
  if (!(typeof key === "string" || key instanceof Uint8Array)) return key;
  if (key.length > MAX_KEY) throw damaged(`a key must take at most ${MAX_KEY} bytes, not ${key.length}`);
  if (typeof key === "string") return key;
  const text = texts.get(key) ?? decodeLatin1(key);
  texts.set(key, text);
  return text;
}

/** A key as part of a name: tuples of numbers and text as `1,a`, anything else by its kind. */
export function keyName(key: PickleValue): string {
  if (typeof key !== "object" || key === null) return String(key);
  const plain = Array.isArray(key) && key.length <= 16 && key.every((each) => typeof each !== "object");
  return plain ? key.join(",") : describeValue(key);
}
