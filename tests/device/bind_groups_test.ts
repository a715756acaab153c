import { assert, assertEquals, assertThrows } from "@std/assert";
import { BindGroups } from "../../src/device/bind_groups.ts";
import type { Bound } from "../../src/device/dispatch.ts";
import type { Pipeline } from "../../src/device/pipelines.ts";
import { BufferPool } from "../../src/device/pool.ts";
import { Textures } from "../../src/device/textures.ts";

let buffers = 0;
const textures = new Textures(() => ({ createView: () => ({}) }) as GPUTexture);
const pool = new BufferPool({ create: () => ({ label: `${buffers++}`, destroy() {} }) as GPUBuffer });
const gpu = { createBindGroup: (made: unknown) => made } as GPUDevice;
const pipeline = (id: number, bound: number[], writes: number[] = []) =>
  ({ id, label: `p${id}`, hasParams: false, bound, writes, textures: [] }) as unknown as Pipeline;

function opened(): (pipeline: Pipeline, ...bound: Bound[]) => unknown {
  const groups = new BindGroups(gpu, pool.allocate(16).block.buffer, (_, make) => make(), textures);
  return (which, ...bound) => groups.get(which, Object.fromEntries(bound.map((x, i) => [i + 1, x])), 0);
}

Deno.test("BindGroups gives the same group for the same pipeline and places, in any order of dispatches", () => {
  const get = opened();
  const [a, b, c] = [pool.allocate(64), pool.allocate(64), pool.allocate(64)];
  const [p, q] = [pipeline(1, [1, 2]), pipeline(2, [1])];
  const groups = [get(p, a, b), get(q, b), get(p, a, c)];
  assertEquals(new Set(groups).size, 3);
  for (const order of [[0, 1, 2], [2, 1, 0], [1, 1, 0], [0, 2, 1], [0, 1, 2]]) {
    const again = [() => get(p, a, b), () => get(q, b), () => get(p, a, c)];
    for (const i of order) assert(again[i]!() === groups[i], `${order}`);
  }
});

Deno.test("BindGroups tells windows, sizes and pipelines apart where the last dispatch was the same", () => {
  const get = opened();
  const [a, b] = [pool.allocate(1024), pool.allocate(1024)];
  const [p, q] = [pipeline(1, [1]), pipeline(2, [1])];
  const followers: [Pipeline, Bound][] = [
    [p, b],
    [q, b],
    [p, { storage: b, offset: 256, size: 256 }],
    [p, { storage: b, offset: 256, size: 512 }],
    [p, { storage: b, offset: 512, size: 256 }],
  ];
  const each = followers.map(([which, bound]) => {
    get(p, a); // what came after it last is guessed first
    return get(which, bound) as { entries: { resource: { offset: number; size: number } }[] };
  });
  assertEquals(new Set(each).size, 5);
  assertEquals(each.map(({ entries: [entry] }) => [entry!.resource.offset, entry!.resource.size]), [
    [0, 1024],
    [0, 1024],
    [256, 256],
    [256, 512],
    [512, 256],
  ]);
});

Deno.test("BindGroups makes groups anew once cleared, and none that writes what is bound twice", () => {
  const groups = new BindGroups(gpu, pool.allocate(16).block.buffer, (_, make) => make(), textures);
  const a = pool.allocate(64);
  const first = groups.get(pipeline(1, [1]), { 1: a }, 0);
  groups.get(pipeline(1, [1]), { 1: a }, 3);
  assertEquals([groups.created, a.block.lastUse], [1, 3]);
  groups.clear();
  assert(groups.get(pipeline(1, [1]), { 1: a }, 0) !== first);
  assertEquals(groups.created, 2);
  assertThrows(
    () => groups.get(pipeline(2, [1, 2], [2]), { 1: a, 2: a }, 0),
    TypeError,
    "must be bound once: got it at 1 and 2",
  );
  groups.get(pipeline(3, [1, 2]), { 1: a, 2: a }, 0); // read twice
  assertEquals(groups.created, 3);
});
