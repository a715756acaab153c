import { encodeLatin1 } from "./byte_reader.ts";
import { setPairs } from "./pickle_keys.ts";
import {
  damaged,
  describeValue,
  type PickleDict,
  PickleGlobal,
  type PickleGlobals,
  type PickleHandler,
  PickleObject,
  type PickleValue,
} from "./pickle_values.ts";

/** An allow-list from a table by `module.name`. */
export function tableGlobals(table: Readonly<Record<string, PickleHandler>>): PickleGlobals {
  return (module, name) => Object.hasOwn(table, `${module}.${name}`) ? table[`${module}.${name}`] : undefined;
}

/** An allow-list that asks several in turn. */
export function chainGlobals(...lists: readonly PickleGlobals[]): PickleGlobals {
  return (module, name) => {
    for (const list of lists) {
      const handler = list(module, name);
      if (handler) return handler;
    }
    return undefined;
  };
}

const STUB: PickleHandler = {
  call: (args, kwargs, global) => new PickleObject(global, args, kwargs),
  build(object, state) {
    if (object instanceof PickleObject) object.build(state);
  },
};

/**
 * An allow-list of globals that become inert {@linkcode PickleObject}s: what the pickle would do with them is written down,
 * and nothing is done.
 *
 * @param prefixes Beginnings of `module.name`, for example `omegaconf.`; `""` allows every global.
 */
export function stubGlobals(prefixes: readonly string[]): PickleGlobals {
  return (module, name) => prefixes.some((prefix) => `${module}.${name}`.startsWith(prefix)) ? STUB : undefined;
}

function toList(value: PickleValue | undefined): PickleValue[] {
  if (value === undefined) return [];
  if (Array.isArray(value)) return value;
  if (value instanceof Set) return [...value];
  throw damaged(`elements must come as a list, not as ${describeValue(value)}`);
}

/** Makes `dict()`, `dict(mapping)` or `dict(pairs)`. */
function toDict(value: PickleValue | undefined): PickleDict {
  if (value instanceof Map) return new Map(value);
  return setPairs(
    new Map(),
    toList(value).flatMap((pair) => {
      if (Array.isArray(pair) && pair.length === 2) return pair;
      throw damaged(`an item must be a key and a value, not ${describeValue(pair)}`);
    }),
  );
}

/**
 * Makes bytes of `_codecs.encode(text, "latin1")`, which is how protocol 2 spells `bytes`; `bytearray` does the same.
 */
function toBytes(args: readonly PickleValue[]): PickleValue {
  const [text = "", encoding = "latin1"] = args;
  if (text instanceof Uint8Array) return text;
  const known = typeof encoding === "string" && /^(latin-?1|iso-?8859-1)$/i.test(encoding.replace("_", "-"));
  const bytes = typeof text === "string" && known ? encodeLatin1(text) : undefined;
  if (!bytes) {
    throw damaged(`bytes must be written as Latin-1 text, not as ${describeValue(encoding)} ${describeValue(text)}`);
  }
  return bytes;
}

/** Protocols 0 and 1 make plain objects as `copyreg._reconstructor(class, object, None)`. */
function reconstruct([type, base, state]: readonly PickleValue[]): PickleValue {
  if (!(type instanceof PickleGlobal) || !type.handler.call) {
    throw damaged(`a class must be allowed, not ${describeValue(type)}`);
  }
  const plain = base instanceof PickleGlobal && base.toString() === "builtins.object";
  return type.handler.call(plain ? [] : [state ?? null], new Map(), type);
}

const MENTION: PickleHandler = {};

/** Python's own containers and types: `OrderedDict`, `defaultdict`, `set`, `bytes`…; types can be mentioned, not called. */
export const pythonGlobals: PickleGlobals = tableGlobals({
  "collections.OrderedDict": { call: ([items]) => toDict(items) },
  "collections.Counter": { call: ([items]) => toDict(items) },
  "collections.defaultdict": { call: ([, items]) => toDict(items) },
  "builtins.dict": { call: ([items]) => toDict(items) },
  "builtins.list": { call: ([items]) => [...toList(items)] },
  "builtins.tuple": { call: ([items]) => Object.freeze([...toList(items)]) as PickleValue },
  "builtins.set": { call: ([items]) => new Set(toList(items)) },
  "builtins.frozenset": { call: ([items]) => Object.freeze(new Set(toList(items))) },
  "builtins.bytes": { call: toBytes },
  "builtins.bytearray": { call: toBytes },
  "_codecs.encode": { call: toBytes },
  "copyreg._reconstructor": { call: reconstruct, build: STUB.build },
  "builtins.object": MENTION,
  "builtins.int": MENTION,
  "builtins.float": MENTION,
  "builtins.str": MENTION,
  "builtins.bool": MENTION,
});
