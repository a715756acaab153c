// Holds the stand-in for @std/assert against what @std/assert documents.
import { stripVTControlCharacters } from "node:util";
import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertGreater,
  assertInstanceOf,
  assertLess,
  assertMatch,
  assertNotEquals,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
} from "../../../std/stand_ins/assert/mod.ts";
import { AssertionError } from "../../../std/stand_ins/assert/assertion_error.ts";
import { equal } from "../../../std/stand_ins/assert/equal.ts";

// Uses nothing of what is tested.
function holds(value: unknown, what = "it does not hold"): void {
  if (!value) throw new Error(what);
}

function messageOf(body: () => unknown): string {
  try {
    body();
  } catch (error) {
    holds(error instanceof AssertionError && error instanceof Error, `not an AssertionError: ${error}`);
    return stripVTControlCharacters((error as Error).message);
  }
  throw new Error("nothing was thrown");
}

Deno.test("AssertionError keeps its name, message and cause", () => {
  const error = new AssertionError("text", { cause: 3 });
  holds(error.name === "AssertionError" && error.message === "text" && error.cause === 3);
});

Deno.test("equal() compares primitives as same-value-zero", () => {
  holds(equal(NaN, NaN) && equal(0, -0) && equal([0], [-0]) && equal("a", "a") && equal(null, null));
  holds(!equal(1, "1") && !equal(null, undefined) && !equal(0, false) && !equal({}, null));
});

Deno.test("equal() compares structures", () => {
  holds(equal({ a: [1, { b: 2 }] }, { a: [1, { b: 2 }] }));
  holds(!equal({ a: 1 }, { a: 2 }) && !equal({ a: 1 }, { b: 1 }) && !equal([1, 2], [1, 2, 3]));
  holds(!equal({ a: undefined, b: undefined }, { a: undefined }) && !equal({ a: undefined }, { b: undefined }));
  holds(equal({ [Symbol.for("s")]: 1 }, { [Symbol.for("s")]: 1 }));
  holds(!equal({ [Symbol("s")]: 1 }, { [Symbol("s")]: 1 }));
  holds(!equal([], {}) && equal(Object.assign(Object.create(null), { a: 1 }), { a: 1 }));
});

Deno.test("equal() compares dates, expressions, URLs and bytes", () => {
  holds(equal(new Date(5), new Date(5)) && !equal(new Date(5), new Date(6)) && equal(new Date(NaN), new Date(NaN)));
  holds(equal(/a/g, /a/g) && !equal(/a/g, /a/i));
  holds(equal(new URL("https://a.test/b"), new URL("https://a.test/b")));
  holds(!equal(new URL("https://a.test/b"), new URL("https://a.test/c")));
  holds(equal(new Uint8Array([1, 2]), new Uint8Array([1, 2])) && !equal(new Uint8Array([1]), new Uint8Array([2])));
  holds(!equal(new Uint8Array([1]), new Int8Array([1])) && equal(new Float32Array([NaN]), new Float32Array([NaN])));
  holds(equal(new Uint8Array([7]).buffer, new Uint8Array([7]).buffer));
  holds(!equal(new Uint8Array([7]).buffer, new Uint8Array([8]).buffer));
});

Deno.test("equal() compares sets and maps whatever their order", () => {
  holds(equal(new Set([1, new Set([2, 3])]), new Set([new Set([3, 2]), 1])) && !equal(new Set([1]), new Set([2])));
  holds(!equal(new Set([1, 2]), new Set([1, 2, 3])));
  const [one, two] = [["a", { x: 1 }], ["b", 2]] as [string, unknown][];
  holds(equal(new Map([one!, two!]), new Map([two!, ["a", { x: 1 }]])));
  holds(!equal(new Map([["a", 1]]), new Map([["a", 2]])) && !equal(new Map([["a", 1]]), new Map([["b", 1]])));
  holds(equal(new Map([[{ x: 1 }, true]]), new Map([[{ x: 1 }, true]])));
  holds(!equal(new Map([[{ x: 1 }, true]]), new Map([[{ x: 1 }, false]])));
});

Deno.test("equal() compares classes, getters and circles", () => {
  class Point {
    #x: number;
    constructor(x: number) {
      this.#x = x;
    }
    get x(): number {
      return this.#x;
    }
  }
  class Other {
    y = 1;
  }
  class Third {
    y = 1;
  }
  holds(equal(new Point(1), new Point(1)) && !equal(new Point(1), new Point(2)) && !equal(new Other(), new Third()));
  const a: Record<string, unknown> = { n: 1 };
  const b: Record<string, unknown> = { n: 1 };
  a.self = a;
  b.self = b;
  holds(equal(a, b));
  holds(equal(new WeakRef({ a: 1 }), new WeakRef({ a: 1 })) && !equal(new WeakRef({ a: 1 }), new WeakRef({ a: 2 })));
  for (const make of [() => new WeakMap(), () => new WeakSet()]) {
    let thrown: unknown;
    try {
      equal(make(), make());
    } catch (error) {
      thrown = error;
    }
    holds(thrown instanceof TypeError && thrown.message.startsWith("Cannot compare Weak"));
  }
});

Deno.test("assertEquals() shows what differs", () => {
  assertEquals({ a: [1] }, { a: [1] });
  const message = messageOf(() => assertEquals({ a: 1, same: 0 }, { a: 2, same: 0 }, "because"));
  for (const part of [/^Values are not equal: because/, /^-\s+a: 1,/m, /^\+\s+a: 2,/m]) {
    holds(part.test(message), message);
  }
  holds(messageOf(() => assertEquals<unknown>(1, "1")).startsWith("Values are not equal."));
  assertNotEquals<unknown>(1, "1");
  holds(/^Expected actual: \[\s*1,?\s*\] not to be: /.test(messageOf(() => assertNotEquals([1], [1]))));
});

Deno.test("assertStrictEquals() compares as Object.is", () => {
  assertStrictEquals(NaN, NaN);
  const list = [1];
  assertStrictEquals(list, list);
  holds(
    messageOf(() => assertStrictEquals([1], [1])).startsWith("Values have the same structure but are not reference"),
  );
  holds(messageOf(() => assertStrictEquals(0, -0)).startsWith("Values are not strictly equal."));
});

Deno.test("assertAlmostEquals() has a relative default tolerance", () => {
  assertAlmostEquals(-0, 0);
  assertAlmostEquals(Infinity, Infinity);
  assertAlmostEquals(NaN, NaN);
  assertAlmostEquals(0.1 + 0.2, 0.3, 1e-16);
  assertAlmostEquals(0.01, 0.02, 0.1);
  assertAlmostEquals(1.000000001e-8, 1.000000002e-8);
  messageOf(() => assertAlmostEquals(0.1 + 0.2, 0.3, 1e-17));
  messageOf(() => assertAlmostEquals(1e-8, 1e-9));
  messageOf(() => assertAlmostEquals(NaN, 1, 10));
  messageOf(() => assertAlmostEquals(Infinity, 1, 1e300));
  const message = messageOf(() => assertAlmostEquals(1, 2, 0.5, "far"));
  holds(message === 'Expected actual: "1" to be close to "2": delta "1" is greater than "5e-1": far', message);
});

Deno.test("assert() and its kin look at truth", () => {
  assert(1);
  holds(messageOf(() => assert(0)) === "" && messageOf(() => assert("", "why")) === "why");
});

Deno.test("assertInstanceOf() names both classes", () => {
  assertInstanceOf(new TypeError(), Error);
  holds(
    messageOf(() => assertInstanceOf(new Date(), RegExp)) ===
      'Expected object to be an instance of "RegExp" but was "Date".',
  );
  holds(messageOf(() => assertInstanceOf(5, Date)).endsWith('but was "number".'));
  holds(messageOf(() => assertInstanceOf(null, Date)).endsWith('but was "null".'));
});

Deno.test("assertStringIncludes() and assertMatch() look into strings", () => {
  assertStringIncludes("hello", "ell");
  holds(messageOf(() => assertStringIncludes("hello", "x")) === 'Expected actual: "hello" to contain: "x".');
  assertMatch("hello", /l+o$/);
  holds(messageOf(() => assertMatch("hello", /x/)) === 'Expected actual: "hello" to match: "/x/".');
});

Deno.test("assertGreater() and its kin compare", () => {
  assertGreater(2, 1);
  assertLess(1n, 2n);
  holds(messageOf(() => assertGreater(1, 2)) === "Expect 1 > 2");
  holds(messageOf(() => assertLess(2, 2)) === "Expect 2 < 2");
  holds(messageOf(() => assertGreater(1, 2, "small")) === "small");
});

Deno.test("assertThrows() returns what was thrown", () => {
  const error = new RangeError("out of reach");
  const fly = () => {
    throw error;
  };
  holds(assertThrows(fly) === error && assertThrows(fly, RangeError, "of reach").message === "out of reach");
  assertThrows(fly, Error);
  holds(messageOf(() => assertThrows(() => {})) === "Expected function to throw.");
  holds(messageOf(() => assertThrows(() => {}, "say why")) === "Expected function to throw: say why");
  holds(messageOf(() => assertThrows(fly, TypeError)).includes('instance of "TypeError", but was "RangeError"'));
  holds(
    messageOf(() => assertThrows(fly, RangeError, "other")) ===
      'Expected error message to include "other", but got "out of reach".',
  );
  const odd = () => {
    throw "a string";
  };
  holds(assertThrows(odd) === "a string");
  holds(messageOf(() => assertThrows(odd, Error)) === "A non-Error object was thrown.");
});

Deno.test("assertRejects() awaits the promise", async () => {
  const reject = () => Promise.reject(new TypeError("no way"));
  holds((await assertRejects(reject, TypeError, "way")).message === "no way");
  await assertRejects(reject);
  async function failure(body: () => Promise<unknown>): Promise<string> {
    const error = await body().catch((reason) => reason);
    return messageOf(() => {
      throw error;
    });
  }
  holds(await failure(() => assertRejects(() => Promise.resolve(1))) === "Expected function to reject.");
  holds(
    (await failure(() => assertRejects(reject, RangeError))).includes('instance of "RangeError", but was "TypeError"'),
  );
  holds(
    await failure(() =>
      assertRejects(() => {
        throw new Error("at once");
      })
    ) === "Function throws when expected to reject.",
  );
  holds(
    await failure(() => assertRejects(() => Promise.reject(3), Error)) === "A non-Error object was rejected.",
  );
});
