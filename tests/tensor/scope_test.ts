import { assert, assertEquals, assertThrows } from "@std/assert";
import { Device } from "../../src/device/mod.ts";
import { add, mul } from "../../src/ops/mod.ts";
import { keep, ones, scope, type Tensor, tidy } from "../../src/tensor/mod.ts";
import { runChild } from "../device/_child.ts";

const device = await Device.open();

Deno.test("scope() frees what was made in it, and only that", () => {
  const outer = ones([4]);
  const live = device.memory.live;
  let inner: Tensor;
  {
    using _ = scope();
    inner = mul(add(outer, 1), 2);
    assert(device.memory.live > live);
  }
  assert(inner.disposed && !outer.disposed);
  assertEquals(device.memory.live, live);
});

Deno.test("scope() nests, and frees when an error ends it", () => {
  const live = device.memory.live;
  const made: Tensor[] = [];
  {
    using _outer = scope();
    made.push(ones([4]));
    assertThrows(() => {
      using _inner = scope();
      made.push(ones([4]));
      throw new Error("stop");
    });
    assertEquals(made.map((x) => x.disposed), [false, true]);
    made.push(ones([4])); // the outer scope owns again
  }
  assertEquals(made.map((x) => x.disposed), [true, true, true]);
  assertEquals(device.memory.live, live);
});

Deno.test("keep() takes a tensor out of every open scope", () => {
  let kept: Tensor;
  {
    using _outer = scope();
    using _inner = scope();
    kept = keep(ones([4]));
  }
  assert(!kept.disposed);
  kept.dispose();
});

Deno.test("tidy() frees what its body made, except what it returns", () => {
  const live = device.memory.live;
  const y = tidy(() => add(mul(ones([1024]), 2), 1));
  assert(!y.disposed);
  assertEquals(device.memory.live, live + 4096);
  y.dispose();
});

Deno.test("tidy() keeps tensors in arrays and objects, and passes other results on", () => {
  const { list, name } = tidy(() => ({ list: [ones([1]), ones([2])], name: "pair", none: null }));
  assertEquals([list[0]!.disposed, list[1]!.disposed, name], [false, false, "pair"]);
  assertEquals(tidy(() => 7), 7);
  assertEquals(tidy(() => new Float32Array(3)), new Float32Array(3));
  for (const x of list) x.dispose();
});

Deno.test("tidy() keeps tensors of an object that is inside itself, or deep inside others", () => {
  const cycle = tidy(() => {
    const made: { x: Tensor; self?: unknown } = { x: ones([1]) };
    made.self = [made];
    return made;
  });
  let deep: unknown[] = [];
  const kept = tidy(() => {
    deep = [ones([2])];
    for (let i = 0; i < 20_000; i++) deep = [deep];
    return deep;
  });
  let inner = kept;
  while (Array.isArray(inner[0])) inner = inner[0];
  assertEquals([cycle.x.disposed, (inner[0] as Tensor).disposed], [false, false]);
  cycle.x.dispose();
  (inner[0] as Tensor).dispose();
});

Deno.test("tidy() hands what it returns to the scope around", () => {
  let y: Tensor;
  {
    using _ = scope();
    y = tidy(() => ones([4]));
    assert(!y.disposed);
  }
  assert(y.disposed);
});

Deno.test("tidy() frees when its body throws", () => {
  const live = device.memory.live;
  assertThrows(() =>
    tidy(() => {
      ones([100]);
      throw new Error("stop");
    })
  );
  assertEquals(device.memory.live, live);
});

Deno.test("tidy() does not free what was made outside", () => {
  const x = ones([4]);
  tidy(() => x);
  tidy(() => {
    add(x, 1);
  });
  assert(!x.disposed);
});

Deno.test("A tensor that was forgotten is freed by the garbage collector", async () => {
  const script = `const { Device, ones } = uniformity;
    await using device = await Device.open();
    (function forget() {
      for (let i = 0; i < 10; i++) ones([1000]);
    })();
    const before = device.memory.live;
    for (let i = 0; i < 100 && device.memory.live > 0; i++) {
      gc();
      await new Promise((done) => setTimeout(done, 10));
    }
    console.log(before, device.memory.live);`;
  const { stdout, stderr } = await runChild(script, {}, ["--v8-flags=--expose-gc"]);
  assertEquals(stdout.trim(), "40960 0", stderr);
});
