import { assert, assertEquals } from "@std/assert";
import { RecentMap } from "../../src/device/recent_map.ts";

Deno.test("RecentMap holds the entries used latest, and at most twice as many as it must", () => {
  const map = new RecentMap<number>(10);
  for (let i = 0; i < 1000; i++) {
    map.set(`${i}`, i);
    assert(map.size <= 20, `${map.size}`);
  }
  for (let i = 990; i < 1000; i++) assertEquals(map.get(`${i}`), i);
  assertEquals(map.get("979"), undefined);
});

Deno.test("RecentMap keeps what is used again and again, and forgets on clear()", () => {
  const map = new RecentMap<number>(10);
  map.set("used", 7);
  for (let i = 0; i < 1000; i++) {
    map.set(`${i}`, i);
    assertEquals(map.get("used"), 7);
  }
  assertEquals(map.get("3"), undefined);
  map.clear();
  assertEquals([map.get("used"), map.get("999")], [undefined, undefined]);
});

Deno.test("RecentMap forgets a key on delete(), and no other", () => {
  const map = new RecentMap<number>(3);
  for (let i = 0; i < 4; i++) map.set(`${i}`, i); // 0, 1 and 2 are earlier ones
  map.get("0"); // held twice
  for (const key of ["0", "2", "none"]) map.delete(key);
  assertEquals(["0", "1", "2", "3"].map((key) => map.get(key)), [undefined, 1, undefined, 3]);
});
