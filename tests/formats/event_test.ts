import { assert, assertEquals } from "@std/assert";
import { crc32c } from "../../src/formats/crc32.ts";
import { eventKeys, type Histogram, summaryEvent, versionEvent } from "../../src/formats/event.ts";
import { tfRecord, tfRecords } from "../../src/formats/tfrecord.ts";
import { concatBytes } from "../../src/formats/source.ts";

// Written by TensorBoard 2.21 itself: tests/fixtures/python/events.py.
const GOLDEN = await Deno.readFile(new URL("../fixtures/events.bin", import.meta.url));

const HISTOGRAM: Histogram = { min: -1.5, max: 2.5, sum: 3, squares: 9.25, edges: [-0.5, 0.5, 2.5], counts: [1, 2, 3] };

function events(): Uint8Array<ArrayBuffer>[] {
  const least = { min: 0, max: 1, sum: 1, squares: 1, edges: [1], counts: [1] };
  return [
    versionEvent(1795925101.25),
    summaryEvent(1795925102.5, 0, { kernel: HISTOGRAM }),
    summaryEvent(1795925103.75, 300, { loss: -1.25, knn_top1: 0 }),
    summaryEvent(1795925104, 2 ** 40, { "σ": least }),
  ];
}

Deno.test("tfRecord() of events is what TensorBoard writes, byte for byte", () => {
  assertEquals(concatBytes(events().map(tfRecord)), GOLDEN);
});

Deno.test("crc32c() is Castagnoli's", () => {
  assertEquals(crc32c(new TextEncoder().encode("123456789")), 0xe3069283);
});

Deno.test("tfRecords() and eventKeys() read what TensorBoard writes", () => {
  assertEquals(tfRecords(GOLDEN), events());
  assertEquals(tfRecords(GOLDEN).map(eventKeys), [
    { step: 0, tags: [] },
    { step: 0, tags: ["kernel"] },
    { step: 300, tags: ["loss", "knn_top1"] },
    { step: 2 ** 40, tags: ["σ"] },
  ]);
});

Deno.test("tfRecords() reads up to what is cut or damaged, wherever that is", () => {
  const ends = events().reduce<number[]>((sums, each) => [...sums, (sums.at(-1) ?? 0) + each.length + 16], []);
  for (let length = 0; length <= GOLDEN.length; length++) {
    assertEquals(tfRecords(GOLDEN.subarray(0, length)).length, ends.filter((end) => end <= length).length, `${length}`);
  }
  for (let i = 0; i < GOLDEN.length; i++) {
    const damaged = GOLDEN.slice();
    damaged[i]! ^= 1 << (i % 8);
    assertEquals(tfRecords(damaged).length, ends.filter((end) => end <= i).length, `byte ${i}`);
  }
});

Deno.test("eventKeys() gives nothing for bytes that are no event", () => {
  const [, , scalar] = events();
  for (let length = 1; length < scalar!.length; length++) {
    const keys = eventKeys(scalar!.subarray(0, length));
    assert(keys === null || keys.tags.length === 0, `${length}`);
  }
  assertEquals(eventKeys(Uint8Array.of(3)), null); // a wire type that is not in use
  assertEquals(eventKeys(Uint8Array.from({ length: 12 }, () => 255)), null);
});
