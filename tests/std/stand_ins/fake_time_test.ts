import { assertEquals, assertThrows } from "@std/assert";
import { FakeTime } from "../../../std/stand_ins/fake_time.ts";

Deno.test("FakeTime stops the time of Date, and lets it pass", () => {
  const before = Date.now();
  {
    using time = new FakeTime("2026-01-02T03:04:05Z");
    assertEquals([Date.now(), new Date().toISOString()], [1767323045000, "2026-01-02T03:04:05.000Z"]);
    time.tick(1500);
    assertEquals([Date.now(), new Date(7).valueOf()], [1767323046500, 7]);
    assertThrows(() => new FakeTime(0), TypeError, "already faked");
  }
  assertEquals(Date.now() - before < 60_000, true);
});
