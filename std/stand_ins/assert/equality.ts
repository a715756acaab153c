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
