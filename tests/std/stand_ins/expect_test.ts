import { assertThrows } from "@std/assert";
import { expect, fn } from "../../../std/stand_ins/expect.ts";

Deno.test("expect() compares values", () => {
  expect(1 + 1).toBe(2);
  expect({ a: [1, 2] }).toEqual({ a: [1, 2] });
  expect(new Float32Array([1, 2])).toEqual(new Float32Array([1, 2]));
  expect(0.1 + 0.2).toBeCloseTo(0.3);
  expect([1, 2]).not.toContain(3);
  expect({ a: 1, b: 2 }).toMatchObject({ a: 1 });
  expect({ a: 1 }).toEqual({ a: expect.any(Number) });
  assertThrows(() => expect(1).toBe(2), Error);
  assertThrows(() => expect({ a: 1 }).toEqual({ a: 2 }), Error);
});

Deno.test("expect() watches errors and promises", async () => {
  expect(() => {
    throw new RangeError("too large");
  }).toThrow("too large");
  await expect(Promise.reject(new TypeError("no"))).rejects.toThrow(TypeError);
  await expect(Promise.resolve(3)).resolves.toBe(3);
});

Deno.test("fn() records calls", () => {
  const double = fn((x: number) => 2 * x);
  expect(double(2)).toBe(4);
  expect(double).toHaveBeenCalledTimes(1);
  expect(double).toHaveBeenCalledWith(2);
  assertThrows(() => expect(double).toHaveBeenCalledWith(3), Error);
});
