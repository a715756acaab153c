type Seen = Map<object, object>;

/**
 * Deep equality: same class, same own enumerable keys, equal values; `NaN` equals `NaN` and 0 equals -0.
 * An object without prototype may equal a plain one.
 */
export function equal(a: unknown, b: unknown): boolean {
  return same(a, b, new Map());
}

function same(a: unknown, b: unknown, seen: Seen): boolean {
  if (a === b || Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (classOf(a) !== classOf(b)) return false;
  if (a instanceof WeakMap || a instanceof WeakSet) {
    throw new TypeError(`Cannot compare ${a.constructor.name} instances`);
  }
  if (seen.get(a) === b) return true;
  seen.set(a, b);
  if (a instanceof Date) return Object.is(a.getTime(), (b as Date).getTime());
  if (a instanceof RegExp || a instanceof URL) return String(a) === String(b);
  if (a instanceof WeakRef) return same(a.deref(), (b as WeakRef<object>).deref(), seen);
  if (a instanceof Set) return sameSet(a, b as Set<unknown>, seen);
  if (a instanceof Map) return sameMap(a, b as Map<unknown, unknown>, seen);
  if (a instanceof ArrayBuffer) return sameList(new Uint8Array(a), new Uint8Array(b as ArrayBuffer));
  if (isTypedArray(a)) return sameList(a, b as ArrayLike<unknown>);
  if (a instanceof Error && !sameError(a, b as Error)) return false;
  return sameKeys(a, b, seen);
}

function classOf(value: object): unknown {
  return (value as { constructor?: unknown }).constructor ?? Object;
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

function sameError(a: Error, b: Error): boolean {
  return a.name === b.name && a.message === b.message;
}

function sameKeys(a: object, b: object, seen: Seen): boolean {
  const keys = ownKeys(a);
  if (keys.length !== ownKeys(b).length) return false;
  return keys.every((key) =>
    Object.hasOwn(b, key) &&
    same((a as Record<PropertyKey, unknown>)[key], (b as Record<PropertyKey, unknown>)[key], seen)
  );
}

function ownKeys(value: object): PropertyKey[] {
  const symbols = Object.getOwnPropertySymbols(value).filter((key) =>
    Object.prototype.propertyIsEnumerable.call(value, key)
  );
  return [...Object.keys(value), ...symbols];
}
