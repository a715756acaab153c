import { AssertionError as NodeAssertionError } from "node:assert";
import { inspect } from "node:util";
import { AssertionError, suffix } from "./assertion_error.ts";
import { equal } from "./equal.ts";

/** Shows a value in a message. */
export function show(value: unknown): string {
  return inspect(value, { depth: Infinity, sorted: true, breakLength: Infinity, maxArrayLength: 100 });
}

function difference(actual: unknown, expected: unknown): string {
  // Exchanged, as @std/assert marks what was got by "-" and what was wanted by "+".
  const { message } = new NodeAssertionError({ actual: expected, expected: actual, operator: "deepStrictEqual" });
  return message.replace(/^Expected values to be strictly deep-equal:\n/, "").replace(
    "+ actual - expected",
    "- actual + expected",
  );
}

/** Holds that `actual` and `expected` are deeply equal. */
export function assertEquals<T>(actual: T, expected: T, msg?: string): void {
  if (equal(actual, expected)) return;
  throw new AssertionError(`Values are not equal${suffix(msg)}\n\n${difference(actual, expected)}`);
}

/** Holds that `actual` and `expected` are not deeply equal. */
export function assertNotEquals<T>(actual: T, expected: T, msg?: string): void {
  if (!equal(actual, expected)) return;
  throw new AssertionError(`Expected actual: ${show(actual)} not to be: ${show(expected)}${suffix(msg)}`);
}

/** Holds that `Object.is(actual, expected)`. */
export function assertStrictEquals<T>(actual: unknown, expected: T, msg?: string): asserts actual is T {
  if (Object.is(actual, expected)) return;
  const [left, right] = [show(actual), show(expected)];
  const what = left === right ? "have the same structure but are not reference-equal" : "are not strictly equal";
  throw new AssertionError(`Values ${what}${suffix(msg)}\n\n${left === right ? left : `${left}\n!==\n${right}`}`);
}

/** Holds that `Object.is(actual, expected)` is false. */
export function assertNotStrictEquals<T>(actual: T, expected: T, msg?: string): void {
  if (!Object.is(actual, expected)) return;
  throw new AssertionError(`Expected "actual" to not be strictly equal to: ${show(actual)}${suffix(msg)}`);
}

/** Holds that two numbers differ by at most `tolerance`: by default 1e-7 of `expected`. */
export function assertAlmostEquals(actual: number, expected: number, tolerance?: number, msg?: string): void {
  if (Object.is(actual, expected)) return;
  const delta = Math.abs(expected - actual);
  const limit = tolerance ?? (Number.isFinite(expected) ? Math.abs(expected * 1e-7) : 1e-7);
  if (delta <= limit) return;
  const most = (value: number) => Number.isInteger(value) ? value : value.toExponential();
  throw new AssertionError(
    `Expected actual: "${actual}" to be close to "${expected}": delta "${most(delta)}" is greater than "${
      most(limit)
    }"` +
      suffix(msg),
  );
}

/** Holds that `actual` contains every element of `expected`. */
export function assertArrayIncludes<T>(actual: ArrayLike<T>, expected: ArrayLike<T>, msg?: string): void {
  const found = Array.from(actual);
  const missing = Array.from(expected).filter((value) => !found.some((other) => equal(value, other)));
  if (missing.length === 0) return;
  throw new AssertionError(
    `Expected actual: "${show(found)}" to include: "${show(Array.from(expected))}"${suffix(msg)}\nmissing: ${
      show(missing)
    }`,
  );
}

/** Holds that `actual` has every property of `expected`, at every depth. */
export function assertObjectMatch(
  actual: Record<PropertyKey, unknown>,
  expected: Record<PropertyKey, unknown>,
  msg?: string,
): void {
  assertEquals(pick(actual, expected), pick(expected, expected), msg);
}

function pick(actual: unknown, expected: unknown): unknown {
  if (actual instanceof Map && expected instanceof Map) {
    return new Map(
      [...expected.keys()].filter((key) => actual.has(key)).map((key) => {
        return [key, pick(actual.get(key), expected.get(key))];
      }),
    );
  }
  if (actual instanceof Set && expected instanceof Set) {
    return new Set([...expected].filter((value) => actual.has(value)));
  }
  if (Array.isArray(actual) && Array.isArray(expected)) {
    return actual.slice(0, expected.length).map((value, i) => pick(value, expected[i]));
  }
  if (!isRecord(actual) || !isRecord(expected)) return actual;
  const kept: Record<PropertyKey, unknown> = {};
  for (const key of Reflect.ownKeys(expected)) {
    if (key in actual) kept[key] = pick(actual[key], expected[key]);
  }
  return kept;
}

function isRecord(value: unknown): value is Record<PropertyKey, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value) &&
    !(value instanceof Date) && !(value instanceof RegExp);
}
