// Holds the stand-in for @std/testing against what @std/testing documents.
import { assert, assertEquals, assertThrows } from "@std/assert";
import { afterAll, afterEach, beforeAll, beforeEach, describe, it, test } from "../../../std/stand_ins/testing/bdd.ts";
import { FakeTime, TimeError } from "../../../std/stand_ins/testing/time.ts";

const log: string[] = [];

describe("describe()", () => {
  beforeAll(() => void log.push("all"));
  beforeEach(() => void log.push("each"));
  afterEach(() => void log.push("after each"));
  afterAll(() => void log.push("after all"));

  it("runs a test between its hooks", () => void log.push("first"));
  it.skip("skips", () => void log.push("skipped"));

  describe("nested", () => {
    beforeEach(async () => {
      await Promise.resolve();
      log.push("inner each");
    });
    afterEach(() => void log.push("inner after each"));
    it("runs the outer hooks outside", () => void log.push("second"));
  });
});

describe.skip("describe.skip()", () => {
  it("runs nothing", () => void log.push("skipped suite"));
});

it("it() runs after the suites before it, with its hooks in order", () => {
  assertEquals(log, [
    ...["all", "each", "first", "after each"],
    ...["each", "inner each", "second", "inner after each", "after each", "after all"],
  ]);
});

test("beforeEach() is refused outside describe()", () => {
  assertThrows(() => beforeEach(() => {}), Error, "Cannot ");
});

Deno.test("FakeTime stands still until told otherwise", () => {
  const real = Date;
  {
    using time = new FakeTime(1000);
    assertEquals([Date.now(), new Date().getTime(), time.now, time.start], [1000, 1000, 1000, 1000]);
    time.tick(500);
    assertEquals([Date.now(), new Date(5).getTime(), time.start], [1500, 5, 1000]);
    assert(new Date() instanceof Date && new Date() instanceof real);
  }
  assert(Date === real && Math.abs(Date.now() - real.now()) < 1000);
  using _ = new FakeTime("2026-01-02T03:04:05Z");
  assertEquals(new Date().toISOString(), "2026-01-02T03:04:05.000Z");
});

Deno.test("FakeTime runs timers when they fall due, in order", () => {
  using time = new FakeTime(0);
  const calls: unknown[] = [];
  setTimeout((...args) => calls.push([Date.now(), ...args]), 300, "late");
  setTimeout(() => calls.push(Date.now()), 100);
  const gone = setTimeout(() => calls.push("never"), 50);
  clearTimeout(gone);
  const beat = setInterval(() => calls.push("beat"), 100);
  time.tick(99);
  assertEquals(calls, []);
  time.tick(1);
  assertEquals(calls, [100, "beat"]);
  time.tick(200);
  assertEquals(calls, [100, "beat", "beat", [300, "late"], "beat"]);
  clearInterval(beat);
  assertEquals([time.next(), time.now], [false, 300]);
});

Deno.test("FakeTime passes on to the next timer", () => {
  using time = new FakeTime(0);
  const calls: number[] = [];
  for (const ms of [70, 30]) setTimeout(() => calls.push(Date.now()), ms);
  assertEquals([time.next(), time.now, [...calls]], [true, 30, [30]]);
  setTimeout(() => setTimeout(() => calls.push(Date.now()), 5), 100);
  time.runAll();
  assertEquals(calls, [30, 70, 135]);
});

Deno.test("FakeTime lets promises go on between timers", async () => {
  using time = new FakeTime(0);
  let done = 0;
  const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
  const twice = (async () => {
    await sleep(1000);
    await sleep(1000);
    done = Date.now();
  })();
  await time.runAllAsync();
  await twice;
  assertEquals(done, 2000);
  const once = sleep(10).then(() => done = Date.now());
  await time.tickAsync(10);
  await once;
  assertEquals(done, 2010);
});

Deno.test("FakeTime refuses what cannot be", () => {
  assertThrows(() => FakeTime.restore(), TimeError, "Cannot restore time: time is already restored");
  assertThrows(() => new FakeTime("no date"), TypeError, "invalid start time NaN");
  const time = new FakeTime(10);
  assertThrows(() => new FakeTime(), TimeError, "Cannot construct FakeTime: time is already faked");
  assertThrows(() => time.now = 5, RangeError, "time must be >= 10");
  FakeTime.restore();
  assertThrows(() => time.restore(), TimeError, "already restored");
});
