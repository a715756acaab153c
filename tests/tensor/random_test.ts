import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { Device } from "../../src/device/mod.ts";
import { type Key, key, normal, permutation, shuffled, uniform } from "../../src/tensor/mod.ts";
import { philox, uniformNumbers } from "../../src/tensor/internal.ts";
import { assertClose } from "../../src/testing/mod.ts";

await Device.open();

const hex = (words: readonly number[]) => words.map((word) => word.toString(16).padStart(8, "0")).join(" ");

Deno.test("philox() gives the known answers of its authors", () => {
  const all = 0xffffffff;
  assertEquals(hex(philox([0, 0, 0, 0], [0, 0])), "6627e8d5 e169c58d bc57ac4c 9b00dbd8");
  assertEquals(hex(philox([all, all, all, all], [all, all])), "408f276d 41c83b0e a20bc7c6 6d5451fd");
  const pi = philox([0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0]);
  assertEquals(hex(pi), "d16cfe09 94fdcceb 5001e420 24126ea1");
});

Deno.test("uniform() makes the same bits as its twin on the host", async () => {
  for (const size of [1, 3, 4, 257, 1000]) {
    for (const seed of [0, 1, 2 ** 40 + 7]) {
      assertEquals(await uniform([size], { key: key(seed) }).data(), uniformNumbers(size, key(seed)));
    }
  }
});

Deno.test("uniform() has the moments of its interval, and stays in it", async () => {
  const n = 200_000;
  const values = await uniform([n], { key: key(3), low: -1, high: 2 }).data();
  const { mean, variance } = moments(values);
  assert(Math.abs(mean - 0.5) < 4 * Math.sqrt(0.75 / n), `mean ${mean}`);
  assert(Math.abs(variance - 0.75) < 0.01, `variance ${variance}`);
  assert(values.every((v) => v >= -1 && v < 2));
});

Deno.test("normal() has the moments, and the shares within 1, 2 and 3 deviations", async () => {
  const n = 200_000;
  const values = await normal([n], { key: key(4) }).data();
  const { mean, variance, skew, kurtosis } = moments(values);
  assert(Math.abs(mean) < 4 / Math.sqrt(n), `mean ${mean}`);
  assert(Math.abs(variance - 1) < 4 * Math.sqrt(2 / n), `variance ${variance}`);
  assert(Math.abs(skew) < 4 * Math.sqrt(6 / n), `skew ${skew}`);
  assert(Math.abs(kurtosis - 3) < 4 * Math.sqrt(24 / n), `kurtosis ${kurtosis}`);
  for (const [limit, share] of [[1, 0.682689], [2, 0.9545], [3, 0.9973]] as const) {
    const within = values.filter((v) => Math.abs(v) < limit).length / n;
    assert(Math.abs(within - share) < 0.005, `${within} within ${limit}`);
  }
  // Neighbours, which share a pair of uniform numbers, do not hang together.
  let product = 0;
  for (let i = 0; i + 1 < n; i++) product += values[i]! * values[i + 1]! / n;
  assert(Math.abs(product) < 4 / Math.sqrt(n), `correlation ${product}`);
  const shifted = await normal([n], { key: key(4), mean: 10, std: 0.5 }).data();
  assertClose(shifted, values.map((v) => 10 + 0.5 * v), { rtol: 1e-6 });
});

Deno.test("normal() is finite even where the uniform number is 0", async () => {
  const values = await normal([1 << 20], { key: key(5) }).data();
  assert(values.every(Number.isFinite));
});

Deno.test("key() gives other streams for other seeds and paths, the same for the same", () => {
  assertEquals(key(1, 2, 3), key(1, 2, 3));
  const keys = [key(0), key(1), key(2 ** 32), key(0, 0), key(0, 1), key(1, 0), key(0, 0, 0), key(0, 2 ** 32)];
  assertEquals(new Set(keys.map(String)).size, keys.length);
  assertNotEquals(uniformNumbers(4, key(0, 1)), uniformNumbers(4, key(1, 0)));
  const a = uniformNumbers(1000, key(7, 0));
  const b = uniformNumbers(1000, key(7, 1));
  const product = a.reduce((sum, v, i) => sum + (v - 0.5) * (b[i]! - 0.5), 0) / 1000;
  assert(Math.abs(product) < 4 / 12 / Math.sqrt(1000), `correlation ${product}`);
});

Deno.test("key() throws on numbers that are no seeds", () => {
  for (const seed of [-1, 0.5, NaN, 2 ** 53]) {
    assertThrows(() => key(seed), RangeError, `Cannot make a key of ${seed}: want an integer >= 0`);
  }
  assertThrows(() => key(0, -1), RangeError, "Cannot make a key of -1");
});

Deno.test("permutation() holds every number once, in an order that the key decides", async () => {
  for (const n of [0, 1, 2, 17, 1000]) {
    const order = await permutation(n, { key: key(1) }).data();
    assertEquals([...order].sort((a, b) => a - b), Array.from({ length: n }, (_, i) => i));
    assertEquals(order, shuffled(n, key(1)));
  }
  assertNotEquals(shuffled(100, key(1)), shuffled(100, key(2)));
});

Deno.test("shuffled() gives every order of three about as often", () => {
  const counts = new Map<string, number>();
  for (let seed = 0; seed < 6000; seed++) {
    const order = `${shuffled(3, key(seed))}`;
    counts.set(order, (counts.get(order) ?? 0) + 1);
  }
  assertEquals(counts.size, 6);
  for (const [order, count] of counts) assert(Math.abs(count - 1000) < 150, `${order}: ${count} of 6000`);
});

function moments(values: Float32Array): { mean: number; variance: number; skew: number; kurtosis: number } {
  const n = values.length;
  const mean = values.reduce((sum, v) => sum + v, 0) / n;
  const power = (p: number) => values.reduce((sum, v) => sum + (v - mean) ** p, 0) / n;
  const variance = power(2);
  return { mean, variance, skew: power(3) / variance ** 1.5, kurtosis: power(4) / variance ** 2 };
}

Deno.test("uniform() never gives high, where rounding would", async () => {
  for (const [low, high] of [[1, 2], [16777215, 16777216], [-1, 0], [0, 1], [1000, 1000.001]] as const) {
    const values = await uniform([1 << 18], { key: key(7), low, high }).data();
    const [least, most] = values.reduce(([a, b], v) => [Math.min(a, v), Math.max(b, v)], [Infinity, -Infinity]);
    assert(least >= Math.fround(low) && most < Math.fround(high), `${low} ${high}: ${least} ${most}`);
  }
  assertEquals(await uniform([2], { key: key(7), low: 3, high: 3 }).data(), new Float32Array([3, 3]));
  const tiny = await uniform([8], { key: key(7), low: -1e-40, high: 0 }).data(); // below 0 comes -1e-38 on some devices
  assert(tiny.every((v) => v >= Math.fround(-1e-40)), `${tiny}`);
});

Deno.test("uniform() and normal() refuse bounds and widths that are none", () => {
  for (const [low, high] of [[2, 1], [NaN, 1], [0, Infinity], [-3e38, 3e38], [0, 1e39]] as const) {
    assertThrows(
      () => uniform([2], { key: key(0), low, high }),
      RangeError,
      "Cannot draw uniform() as low must be <= high",
    );
  }
  for (const [mean, std] of [[NaN, 1], [1e39, 1], [0, -1], [0, NaN], [0, 1e39]] as const) {
    assertThrows(
      () => normal([2], { key: key(0), mean, std }),
      RangeError,
      "Cannot draw normal() as mean must be finite",
    );
  }
});

Deno.test("uniform(), normal() and permutation() refuse what is of another type", () => {
  const given = (value: unknown) => value as number; // as untyped callers give it
  assertThrows(
    () => uniform([2], { key: key(0), high: given("1") }),
    TypeError,
    'Cannot draw uniform() as low and high must be a number: got "1" (string)',
  );
  assertThrows(
    () => normal([2], { key: key(0), std: given(null) }),
    TypeError,
    "Cannot draw normal() as mean and std must be a number: got null (object)",
  );
  for (const n of [-1, 1.5, NaN, 2 ** 32, given("3")]) {
    assertThrows(
      () => permutation(n, { key: key(0) }),
      RangeError,
      `Cannot draw a permutation as n must be an integer from 0 to 2^32 - 1: got ${n}`,
    );
  }
  for (const wrong of [0, [1], [1, -1], undefined]) {
    const bad = wrong as unknown as Key;
    for (const draw of [() => permutation(3, { key: bad }), () => uniform([2], { key: bad })]) {
      assertThrows(draw, TypeError, `Cannot draw numbers as key must be made by key(): got ${wrong}`);
    }
  }
});
