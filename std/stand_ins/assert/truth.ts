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

/** Holds that `actual > expected`. */
export function assertGreater<T>(actual: T, expected: T, msg?: string): void {
  if (!(actual > expected)) compare(actual, ">", expected, msg);
}

/** Holds that `actual < expected`. */
export function assertLess<T>(actual: T, expected: T, msg?: string): void {
  if (!(actual < expected)) compare(actual, "<", expected, msg);
}

function compare(actual: unknown, sign: string, expected: unknown, msg: string | undefined): never {
  throw new AssertionError(msg ?? `Expect ${show(actual)} ${sign} ${show(expected)}`);
}
