import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { compile, type CompileOptions } from "../../src/compile/mod.ts";
import { Device } from "../../src/device/mod.ts";
import { add, mul } from "../../src/ops/mod.ts";
import { keep, ones, scope, type Tensor, tensor } from "../../src/tensor/mod.ts";

await Device.open();

/** What a step gives whose closure's number becomes 2 after some calls, and how many calls were replayed. */
async function changing(after: number, calls: number, options: CompileOptions): Promise<[number[], number]> {
  using x = keep(ones([1]));
  let factor = 1;
  using step = compile((x: Tensor) => mul(x, factor), options);
  const results = [];
  for (let i = 0; i < calls; i++) {
    using _ = scope();
    factor = i < after ? 1 : 2;
    results.push(await step(x).item());
  }
  return [results, step.replays];
}

Deno.test("compile() gives the right result when a closure's number, tensor or flag changes in the first calls", async () => {
  assertEquals(await changing(4, 8, {}), [[1, 1, 1, 1, 2, 2, 2, 2], 0]);
  using x = keep(ones([1]));
  using ten = keep(tensor([10]));
  using twenty = keep(tensor([20]));
  let [other, far] = [ten, false];
  using step = compile((x: Tensor) => far ? add(x, 100) : add(x, other));
  const results = [];
  for (let i = 0; i < 9; i++) {
    using _ = scope();
    if (i === 3) other = twenty;
    far = i > 5;
    results.push(await step(x).item());
  }
  assertEquals(results, [11, 11, 11, 21, 21, 21, 101, 101, 101]);
});

Deno.test("compile() compares after 8, 16, ... replays, and names what changed since", async () => {
  assertEquals((await changing(99, 20, {}))[1], 11, "seven recorded, 8 replayed, one compared, 3 replayed");
  await assertRejects(
    () => changing(10, 20, {}),
    Error,
    "the same at every call: got b 1 and later 2 of mul (mul full number.forward), perhaps since 8 calls; what changes",
  );
});

Deno.test('compile() with check "always" is always right, with "never" keeps what it recorded', async () => {
  assertEquals(await changing(10, 12, { check: "always" }), [[1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2], 0]);
  assertEquals(await changing(10, 12, { check: "never" }), [[1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1], 9]);
  assertThrows(
    () => compile(() => {}, { check: "often" as "always" }),
    RangeError,
    'Cannot compile() a step as check must be "always", "sometimes" or "never": got often',
  );
});

Deno.test('compile() with check "always" follows what changes at every call, and others refuse it', async () => {
  using x = keep(ones([1]));
  let factor = 0;
  const run = async (options: CompileOptions) => {
    using step = compile((x: Tensor) => mul(x, factor), options);
    const results = [];
    for (factor = 0; factor < 8; factor++) {
      using _ = scope();
      results.push(await step(x).item());
    }
    return results;
  };
  assertEquals(await run({ check: "always" }), [0, 1, 2, 3, 4, 5, 6, 7]);
  for (const check of ["sometimes", "never"] as const) {
    await assertRejects(() => run({ check }), Error, "must be the same at every call: got b 4 and later 5 of mul");
  }
});

Deno.test("compile() looks again for a tensor from outside that was disposed, whatever check says", async () => {
  using x = keep(ones([1]));
  let other = keep(tensor([10]));
  const steps = [1, 2].map((by) => compile((x: Tensor) => mul(add(x, other), by), { check: "never" }));
  const run = async () => {
    using _ = scope();
    return await Promise.all(steps.map((step) => step(x).item()));
  };
  for (let i = 0; i < 5; i++) assertEquals(await run(), [11, 22]);
  assertEquals(steps.map(({ replays }) => replays), [2, 2]);
  other.dispose();
  other = keep(tensor([20]));
  for (let i = 0; i < 4; i++) assertEquals(await run(), [21, 42]);
  other.dispose();
  await assertRejects(run, ReferenceError, "Cannot read a tensor [1] as it was disposed");
  for (const step of steps) step.dispose();
});
