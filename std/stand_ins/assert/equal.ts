type Seen = Map<object, object>;

/**
 * Deep equality: same prototype and equal values under every key, inherited ones and getters included for what is not a
 * plain object; `NaN` equals `NaN`, 0 equals -0, and an object without prototype may equal a plain one.
 */
export function equal(a: unknown, b: unknown): boolean {
  return same(a, b, new Map());
}

function same(a: unknown, b: unknown, seen: Seen): boolean {
  if (a === b || Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (a instanceof Date && b instanceof Date) return Object.is(a.getTime(), b.getTime());
  if (prototypeOf(a) !== prototypeOf(b)) return false;
  if (a instanceof WeakMap || a instanceof WeakSet) {
    throw new TypeError(`Cannot compare ${a instanceof WeakMap ? "WeakMap" : "WeakSet"} instances`);
  }
  if (seen.get(a) === b) return true;
  seen.set(a, b);
  if (a instanceof RegExp || a instanceof URL || a instanceof URLSearchParams) return String(a) === String(b);
  if (a instanceof WeakRef) return same(a.deref(), (b as WeakRef<object>).deref(), seen);
  if (a instanceof Set) return sameSet(a, b as Set<unknown>, seen);
  if (a instanceof Map) return sameMap(a, b as Map<unknown, unknown>, seen);
  if (a instanceof ArrayBuffer) return sameList(new Uint8Array(a), new Uint8Array(b as ArrayBuffer));
  if (isTypedArray(a)) return sameList(a, b as ArrayLike<unknown>);
  return sameKeys(a, b, seen);
}

function prototypeOf(value: object): object {
  return Object.getPrototypeOf(value) ?? Object.prototype;
}

function isTypedArray(value: object): value is object & ArrayLike<unknown> {
  return ArrayBuffer.isView(value) && !(value instanceof DataView);
}

function sameList(a: ArrayLike<unknown>, b: ArrayLike<unknown>): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) {
    if (a[i] !== b[i] && !Object.is(a[i], b[i])) return false;
  }
  return true;
}

function sameSet(a: Set<unknown>, b: Set<unknown>, seen: Seen): boolean {
  if (a.size !== b.size) return false;
  const rest = new Set(b);
  for (const value of a) {
    const match = rest.has(value) ? { value } : find(rest, (other) => same(value, other, new Map(seen)));
    if (match === undefined) return false;
    rest.delete(match.value);
  }
  return true;
}

function sameMap(a: Map<unknown, unknown>, b: Map<unknown, unknown>, seen: Seen): boolean {
  if (a.size !== b.size) return false;
  const rest = new Map(b);
  for (const [key, value] of a) {
    const match = rest.has(key)
      ? { value: key }
      : find(rest.keys(), (other) => same(key, other, new Map(seen)) && same(value, rest.get(other), new Map(seen)));
    if (match === undefined || !same(value, rest.get(match.value), seen)) return false;
    rest.delete(match.value);
  }
  return true;
}

function find(values: Iterable<unknown>, test: (value: unknown) => boolean): { value: unknown } | undefined {
  for (const value of values) {
    if (test(value)) return { value };
  }
  return undefined;
}

function sameKeys(a: object, b: object, seen: Seen): boolean {
  if (Object.keys(a).length !== Object.keys(b).length) return false;
  const keys = new Set([...keysOf(a), ...keysOf(b)]);
  for (const key of keys) {
    if (!(key in a) || !(key in b)) return false;
    if (!same(Reflect.get(a, key), Reflect.get(b, key), seen)) return false;
  }
  return true;
}

/** Enumerable keys of a plain object or array; every key up the prototype chain of another. */
function keysOf(value: object): PropertyKey[] {
  const plain = [Object.prototype, Array.prototype];
  if (plain.includes(prototypeOf(value))) {
    return Reflect.ownKeys(value).filter((key) => Object.prototype.propertyIsEnumerable.call(value, key));
  }
  const keys: PropertyKey[] = [];
  for (let at: object | null = value; at !== null && !plain.includes(at); at = Object.getPrototypeOf(at)) {
    keys.push(...Reflect.ownKeys(at));
  }
  return keys;
}
