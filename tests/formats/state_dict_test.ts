import { assertEquals, assertThrows } from "@std/assert";
import { ndarray, type PickleValue, stateDict } from "../../src/formats/mod.ts";

const one = ndarray([1], "f32", new Float32Array([1]));

function dict(entries: Record<string, PickleValue>): PickleValue {
  return new Map(Object.entries(entries));
}

function names(...args: Parameters<typeof stateDict>): string[] {
  return [...stateDict(...args).keys()];
}

Deno.test("stateDict() looks in state_dict, at the top, or where it is told", () => {
  const weights = dict({ "fc.weight": one });
  assertEquals(names(dict({ epoch: 1, state_dict: weights })), ["fc.weight"]);
  assertEquals(names(weights), ["fc.weight"]);
  assertEquals(names(dict({ model: weights, epoch: 1 }), { at: "model" }), ["fc.weight"]);
  assertEquals(names(dict({ a: dict({ b: weights }) }), { at: ["a", "b"] }), ["fc.weight"]);
});

Deno.test("stateDict() takes prefixes off once each, in order", () => {
  const weights = dict({ "module.encoder.fc": one, "module.module.x": one, "head": one });
  assertEquals(names(weights, { prefixes: ["module.", "encoder."] }), ["fc", "module.x", "head"]);
});

Deno.test("stateDict() takes only the names that select asks for", () => {
  const weights = dict({ "module.encoder.fc": one, "module.head.1": one });
  assertEquals(names(weights, { select: "module.encoder." }), ["fc"]);
  assertEquals(names(weights, { select: "module.", prefixes: ["encoder."] }), ["fc", "head.1"]);
});

Deno.test("stateDict() joins nested dicts with dots", () => {
  assertEquals(names(dict({ layer: dict({ weight: one, deep: dict({ bias: one }) }) })), [
    "layer.weight",
    "layer.deep.bias",
  ]);
});

Deno.test("stateDict() throws when there is no dict of tensors", () => {
  assertThrows(
    () => stateDict(dict({ epoch: 1 }), { at: "model" }),
    TypeError,
    'a dict must be at "model": got "epoch"',
  );
  assertThrows(() => stateDict(3), TypeError, 'a dict must be at "": got 3');
  assertThrows(() => stateDict(dict({ epoch: 1 })), TypeError, 'every entry must be a tensor: got 1 at "epoch"');
  const shared = dict({ a: one });
  assertThrows(
    () => stateDict(dict({ x: shared, y: shared })),
    TypeError,
    'each dict must be in one place: got one more at "y."',
  );
});

Deno.test("stateDict() throws when no name is left or two become one", () => {
  const weights = dict({ "module.a": one, "a": one });
  assertThrows(
    () => stateDict(weights, { prefixes: ["module."] }),
    RangeError,
    'names must differ: got "a" from "a" too',
  );
  assertThrows(
    () => stateDict(weights, { select: "gloria." }),
    RangeError,
    'a name must begin with "gloria.": got "module.a", "a"',
  );
});

Deno.test("stateDict() refuses names that come twice or that no one can hold", () => {
  assertThrows(
    () => stateDict(dict({ "a.b": one, a: dict({ b: one }) })),
    RangeError,
    'names must differ: got "a.b" twice',
  );
  const key = "k".repeat(2500);
  assertThrows(
    () => stateDict(dict({ [key]: dict({ [key]: one }) })),
    TypeError,
    "names must take at most 4096 characters: got 5001",
  );
});

Deno.test("stateDict() names keys that are tuples", () => {
  const keys: PickleValue[] = [[1, "a"], [[1], 2], Array(17).fill(0)];
  const weights = stateDict(new Map<PickleValue, PickleValue>(keys.map((key) => [key, one])));
  assertEquals([...weights.keys()], ["1,a", "a list of 2", "a list of 17"]);
});
