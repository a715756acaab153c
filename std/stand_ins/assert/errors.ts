import { stripVTControlCharacters } from "node:util";
import { AssertionError, suffix } from "./assertion_error.ts";

/** The class of an error. */
// deno-lint-ignore no-explicit-any -- a constructor of any arguments, as in @std/assert
export type ErrorClass<E extends Error> = abstract new (...args: any[]) => E;

type Expectation = { class: ErrorClass<Error> | undefined; text: string | undefined; msg: string | undefined };

function expectation(classOrMsg: unknown, textOrMsg: string | undefined, msg: string | undefined): Expectation {
  if (typeof classOrMsg === "function") {
    return { class: classOrMsg as ErrorClass<Error>, text: textOrMsg, msg };
  }
  return { class: undefined, text: undefined, msg: classOrMsg as string | undefined };
}

function check(error: unknown, expected: Expectation, how: string): void {
  if (expected.class === undefined) return;
  if (!(error instanceof Error)) {
    throw new AssertionError(`A non-Error object was ${how}${suffix(expected.msg)}`);
  }
  const { class: Wanted, text = "", msg } = expected;
  if (!(error instanceof Wanted)) {
    throw new AssertionError(
      `Expected error to be instance of "${Wanted.name}", but was "${(error as Error).constructor.name}"${suffix(msg)}`,
      { cause: error },
    );
  }
  if (stripVTControlCharacters(error.message).includes(stripVTControlCharacters(text))) return;
  const [wanted, got] = [JSON.stringify(text), JSON.stringify(error.message)];
  throw new AssertionError(`Expected error message to include ${wanted}, but got ${got}${suffix(msg)}`, {
    cause: error,
  });
}

/** Holds that `fn` throws, and returns what it threw. */
export function assertThrows(fn: () => unknown, msg?: string): unknown;
/** Holds that `fn` throws an error of a class whose message contains `msgIncludes`, and returns it. */
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  ErrorClass: ErrorClass<E>,
  msgIncludes?: string,
  msg?: string,
): E;
export function assertThrows(
  fn: () => unknown,
  errorClassOrMsg?: ErrorClass<Error> | string,
  msgIncludesOrMsg?: string,
  msg?: string,
): unknown {
  const expected = expectation(errorClassOrMsg, msgIncludesOrMsg, msg);
  try {
    fn();
  } catch (error) {
    check(error, expected, "thrown");
    return error;
  }
  throw new AssertionError(`Expected function to throw${suffix(expected.msg)}`);
}

/** Holds that the promise of `fn` rejects, and returns the reason. */
export function assertRejects(fn: () => PromiseLike<unknown>, msg?: string): Promise<unknown>;
/** Holds that the promise of `fn` rejects with an error of a class whose message contains `msgIncludes`. */
export function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  ErrorClass: ErrorClass<E>,
  msgIncludes?: string,
  msg?: string,
): Promise<E>;
export async function assertRejects(
  fn: () => PromiseLike<unknown>,
  errorClassOrMsg?: ErrorClass<Error> | string,
  msgIncludesOrMsg?: string,
  msg?: string,
): Promise<unknown> {
  const expected = expectation(errorClassOrMsg, msgIncludesOrMsg, msg);
  const promise = start(fn, expected.msg);
  try {
    await promise;
  } catch (error) {
    check(error, expected, "rejected");
    return error;
  }
  throw new AssertionError(`Expected function to reject${suffix(expected.msg)}`);
}

function start(fn: () => PromiseLike<unknown>, msg: string | undefined): PromiseLike<unknown> {
  let result: unknown;
  try {
    result = fn();
  } catch (cause) {
    throw new AssertionError(`Function throws when expected to reject${suffix(msg)}`, { cause });
  }
  if (typeof result === "object" && result !== null && typeof (result as PromiseLike<unknown>).then === "function") {
    return result as PromiseLike<unknown>;
  }
  throw new AssertionError(`Function throws when expected to reject${suffix(msg)}`);
}
