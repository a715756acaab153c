import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { sizeClass } from "../../src/device/blocks.ts";
import { Reserve } from "../../src/device/blocks.ts";
import { BufferPool } from "../../src/device/pool.ts";

/** A pool over pretended buffers, what it made, what it settled before destroying, and how to lose what it made. */
function pretend() {
  const made: { size: number; destroyed: boolean }[] = [];
  const settled: number[] = [];
  const losses: (() => void)[] = [];
  const pool = new BufferPool({
    create(size, lose) {
      const buffer = { size, destroyed: false, destroy: () => buffer.destroyed = true };
      made.push(buffer);
      losses.push(lose);
      return buffer as unknown as GPUBuffer;
    },
    settle: ({ id }) => settled.push(id),
  });
  return { pool, made, settled, losses };
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
    const { id } = a.block;
    a.release();
    const d = pool.allocate(1000);
    const ids = [id, ...[b, c, d].map((storage) => storage.block.id)];
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
  const { block } = used;
  used.release();
  assertStrictEquals(pool.allocate(256).block, block);
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

Deno.test("BufferPool destroys what was free for longest where shapes change, and never outgrows its bound", () => {
  const { pool, made, settled } = pretend();
  const MiB = 2 ** 20;
  const held = pool.allocate(MiB);
  for (let i = 0; i < 300; i++) {
    const [a, b] = [pool.allocate((20 + i / 8) * MiB), pool.allocate(5 * MiB)];
    b.release();
    a.release();
    const { live, pooled, peak } = pool.usage;
    assert(live + pooled <= 3 * peak + 16 * MiB, `${live + pooled} beside ${peak} in step ${i}`);
    assertEquals(pooled, made.filter(({ destroyed }) => !destroyed).reduce((sum, { size }) => sum + size, 0) - MiB);
  }
  const gone = made.flatMap(({ destroyed }, i) => destroyed ? [i + 1] : []);
  assertEquals(settled.toSorted((a, b) => a - b), gone, "what is destroyed was settled before");
  assert(gone.length > 50);
  assertEquals(
    made.map(({ destroyed }) => destroyed).slice(0, 4),
    [false, true, false, true],
    "what is used every step stays",
  );
  assert(!made.at(-1)!.destroyed);
  held.release();
});

Deno.test("BufferPool keeps all blocks of a step that comes again, however the sizes differ", () => {
  const { pool, made } = pretend();
  const step = () => {
    for (let i = 1; i <= 9; i++) {
      const [a, b] = [pool.allocate(i * i * 2e6), pool.allocate(i * i * 5e5)];
      a.release();
      b.release();
    }
  };
  for (let i = 0; i < 9; i++) step(); // 700 MB of buffers where at most 200 MB are in use
  const { length } = made;
  for (let i = 0; i < 5; i++) step();
  assertEquals(made.length, length);
  assert(made.some(({ destroyed }) => destroyed), "more than twice the peak was wanted");
});

Deno.test("BufferPool hands out no block that the device had no memory for", () => {
  const { pool, losses } = pretend();
  const a = pool.allocate(1000);
  losses[0]!();
  a.release();
  assertEquals(pool.usage, { live: 0, peak: 1024, pooled: 0, reserved: 0 });
  assertEquals(pool.allocate(1000).block.id, 2);
});

Deno.test("BufferPool.shrink() gives the blocks of a reserve to all, except some", () => {
  const { pool } = pretend();
  const reserve = new Reserve();
  const [a, b] = pool.into(reserve, () => [pool.allocate(1000), pool.allocate(2000)]);
  for (const each of [a!, b!]) each.release();
  pool.shrink(reserve, new Set([b!.block]));
  assertEquals(pool.usage, { live: 0, peak: 1024 + 2048, pooled: 1024, reserved: 2048 });
  assertEquals(pool.allocate(1000).block, a!.block);
  assertEquals(pool.into(reserve, () => pool.allocate(2000)).block, b!.block);
});
