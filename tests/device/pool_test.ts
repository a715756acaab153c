import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { BufferPool, Reserve, sizeClass } from "../../src/device/pool.ts";

/** A pool over pretended buffers, and the sizes that it asked for. */
function pretend(): { pool: BufferPool; made: { size: number; destroyed: boolean }[] } {
  const made: { size: number; destroyed: boolean }[] = [];
  const pool = new BufferPool((size) => {
    const buffer = { size, destroyed: false, destroy: () => buffer.destroyed = true };
    made.push(buffer);
    return buffer as unknown as GPUBuffer;
  });
  return { pool, made };
}

Deno.test("sizeClass() wastes at most an eighth, little of a large block, and is a multiple of 16", () => {
  assertEquals([0, 1, 256, 257, 512, 513, 576, 577, 4096, 4097].map(sizeClass), [
    256,
    256,
    256,
    288,
    512,
    576,
    576,
    640,
    4096,
    4608,
  ]);
  for (let bytes = 1; bytes < 2 ** 31; bytes = Math.ceil(bytes * 1.37)) {
    const size = sizeClass(bytes);
    assert(size >= bytes && size % 16 === 0, `${bytes} gave ${size}`);
    assert(bytes <= 256 || size <= bytes * 1.125 + 16, `${bytes} gave ${size}`);
    assert(bytes < 2 ** 20 || size <= bytes * 1.016, `${bytes} gave ${size}`);
    assertEquals(sizeClass(size), size);
  }
});

Deno.test("BufferPool hands the same blocks to the same sequence of requests", () => {
  const { pool, made } = pretend();
  const sequence = () => {
    const a = pool.allocate(1000);
    const b = pool.allocate(1000);
    const c = pool.allocate(5000);
    a.release();
    const d = pool.allocate(1000);
    const ids = [a, b, c, d].map((storage) => storage.block.id);
    for (const storage of [c, b, d]) storage.release(); // in another order than taken
    return ids;
  };
  const first = sequence();
  for (let i = 0; i < 3; i++) assertEquals(sequence(), first);
  assertEquals(made.length, 3);
  assertEquals(pool.created, 3);
});

Deno.test("BufferPool serves a large request by a free block of up to 1.4 times, the smallest that fits", () => {
  const { pool, made } = pretend();
  const MiB = 2 ** 20;
  const [large, small, huge] = [10 * MiB, 9 * MiB, 20 * MiB].map((bytes) => pool.allocate(bytes));
  for (const storage of [large, small, huge]) storage!.release();
  const ids = (...sizes: number[]) => {
    const taken = sizes.map((bytes) => pool.allocate(bytes));
    const result = taken.map(({ block }) => block.id);
    for (const storage of taken) storage.release();
    return result;
  };
  assertEquals(ids(8 * MiB), [2]);
  assertEquals(ids(8 * MiB, 8 * MiB), [2, 1], "10 MiB is 1.25 times 8");
  assertEquals(ids(9 * MiB, 16 * MiB), [2, 3]);
  assertEquals(made.length, 3);
  assertEquals(ids(6 * MiB), [4], "9 MiB is 1.5 times 6");
  assertEquals(pool.usage, { live: 0, peak: 39 * MiB, pooled: 45 * MiB, reserved: 0 });
});

Deno.test("BufferPool rounds up to 16 bytes, so that every storage can be read as vec4", () => {
  const { pool } = pretend();
  assertEquals([0, 1, 16, 17].map((bytes) => pool.allocate(bytes).bytes), [16, 16, 16, 32]);
});

Deno.test("BufferPool counts live, peak and pooled bytes", () => {
  const { pool } = pretend();
  const a = pool.allocate(256);
  const b = pool.allocate(512);
  assertEquals(pool.usage, { live: 768, peak: 768, pooled: 0, reserved: 0 });
  a.release();
  assertEquals(pool.usage, { live: 512, peak: 768, pooled: 256, reserved: 0 });
  pool.resetPeak();
  assertEquals(pool.usage.peak, 512);
  b.release();
  assertEquals(pool.usage, { live: 0, peak: 512, pooled: 768, reserved: 0 });
});

Deno.test("BufferPool.trim() destroys what is free and leaves what is in use", () => {
  const { pool, made } = pretend();
  const used = pool.allocate(256);
  pool.allocate(256).release();
  pool.trim();
  assertEquals(made.map(({ destroyed }) => destroyed), [false, true]);
  assertEquals(pool.usage, { live: 256, peak: 512, pooled: 0, reserved: 0 });
  used.release();
  assertStrictEquals(pool.allocate(256).block, used.block);
});

Deno.test("Storage goes back with its last holder", () => {
  const { pool } = pretend();
  const storage = pool.allocate(256);
  assertStrictEquals(storage.retain(), storage);
  assertEquals(storage.refs, 2);
  storage.release();
  assertEquals(pool.usage.live, 256);
  storage.release();
  assertEquals(pool.usage.live, 0);
});

Deno.test("BufferPool.into() takes from a reserve, which keeps its blocks until it is dissolved", () => {
  const { pool, made } = pretend();
  const reserve = new Reserve();
  pool.allocate(1000).release(); // free for all
  const run = () =>
    pool.into(reserve, () => {
      const [a, b] = [pool.allocate(1000), pool.allocate(1000)];
      const outside = pool.into(null, () => pool.allocate(5000));
      const ids = [a, b].map(({ block }) => block.id);
      assertEquals([a, b, outside].map(({ owner }) => owner), [reserve, reserve, null]);
      for (const storage of [b, a, outside]) storage.release();
      return ids;
    });
  assertEquals(run(), [1, 2], "the free block joins the reserve, another one is made");
  assertEquals(pool.usage, { live: 0, peak: 2048 + 5120, pooled: 5120, reserved: 2048 });
  assertEquals([reserve.live, reserve.peak], [0, 2048]);
  const other = pool.allocate(1000);
  assertEquals(other.block.id, 4, "what is reserved is for nobody else");
  other.release();
  assertEquals(run(), [1, 2]);
  const late = pool.into(reserve, () => pool.allocate(1000));
  pool.dissolve(reserve);
  assertEquals(pool.usage, { live: 1024, peak: 2048 + 5120, pooled: 5120 + 2048, reserved: 0 });
  late.release();
  assertEquals(pool.usage, { live: 0, peak: 2048 + 5120, pooled: 5120 + 3072, reserved: 0 });
  assertEquals(made.length, 4);
});
