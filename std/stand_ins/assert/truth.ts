import { AssertionError, suffix } from "./assertion_error.ts";
import { show } from "./equality.ts";

/** Type of any class, abstract or not. */
// deno-lint-ignore no-explicit-any -- a constructor of any arguments, as in @std/assert
export type AnyConstructor = abstract new (...args: any[]) => any;
/** Type of what an {@linkcode AnyConstructor} makes. */
export type GetConstructorType<T extends AnyConstructor> = InstanceType<T>;

/** Holds that `expr` is truthy. */
export function assert(expr: unknown, msg = ""): asserts expr {
  if (!expr) throw new AssertionError(msg);
}

/** A value that `if` takes for false. */
export type Falsy = false | 0 | 0n | "" | null | undefined;

/** Holds that `expr` is falsy. */
export function assertFalse(expr: unknown, msg = ""): asserts expr is Falsy {
  if (expr) throw new AssertionError(msg);
}

/** Holds that `actual` is neither `null` nor `undefined`. */
export function assertExists<T>(actual: T, msg?: string): asserts actual is NonNullable<T> {
  if (actual !== undefined && actual !== null) return;
  throw new AssertionError(`Expected actual: "${actual}" to not be null or undefined${suffix(msg)}`);
}

/** Holds that `actual` is an instance of `expectedType`. */
export function assertInstanceOf<T extends AnyConstructor>(
  actual: unknown,
  expectedType: T,
  msg = "",
): asserts actual is GetConstructorType<T> {
  if (actual instanceof expectedType) return;
  throw new AssertionError(
    `Expected object to be an instance of "${expectedType.name}" but was ${describe(actual)}${suffix(msg)}`,
  );
}

function describe(value: unknown): string {
  if (value === null || typeof value !== "object") return value === null ? '"null"' : `"${typeof value}"`;
  const name = value.constructor?.name;
  return name === undefined || name === "Object" ? "not an instanced object" : `"${name}"`;
}

/** Holds that `actual` is not an instance of `unexpectedType`. */
export function assertNotInstanceOf<A, T>(
  actual: A,
  // deno-lint-ignore no-explicit-any -- as in @std/assert
  unexpectedType: abstract new (...args: any[]) => T,
  msg?: string,
): asserts actual is Exclude<A, T> {
  if (!(actual instanceof unexpectedType)) return;
  throw new AssertionError(`Expected object to not be an instance of "${unexpectedType.name}"${suffix(msg)}`);
}

/** Holds that `actual` contains `expected`. */
export function assertStringIncludes(actual: string, expected: string, msg?: string): void {
  if (actual.includes(expected)) return;
  throw new AssertionError(`Expected actual: "${actual}" to contain: "${expected}"${suffix(msg)}`);
}

/** Holds that `expected` matches `actual`. */
export function assertMatch(actual: string, expected: RegExp, msg?: string): void {
  if (expected.test(actual)) return;
  throw new AssertionError(`Expected actual: "${actual}" to match: "${expected}"${suffix(msg)}`);
}

/** Holds that `expected` does not match `actual`. */
export function assertNotMatch(actual: string, expected: RegExp, msg?: string): void {
  if (!expected.test(actual)) return;
  throw new AssertionError(`Expected actual: "${actual}" to not match: "${expected}"${suffix(msg)}`);
}

/** Holds that `actual > expected`. */
export function assertGreater<T>(actual: T, expected: T, msg?: string): void {
  if (!(actual > expected)) compare(actual, ">", expected, msg);
}

/** Holds that `actual >= expected`. */
export function assertGreaterOrEqual<T>(actual: T, expected: T, msg?: string): void {
  if (!(actual >= expected)) compare(actual, ">=", expected, msg);
}

/** Holds that `actual < expected`. */
export function assertLess<T>(actual: T, expected: T, msg?: string): void {
  if (!(actual < expected)) compare(actual, "<", expected, msg);
}

/** Holds that `actual <= expected`. */
export function assertLessOrEqual<T>(actual: T, expected: T, msg?: string): void {
  if (!(actual <= expected)) compare(actual, "<=", expected, msg);
}

function compare(actual: unknown, sign: string, expected: unknown, msg: string | undefined): never {
  throw new AssertionError(msg ?? `Expect ${show(actual)} ${sign} ${show(expected)}`);
}
