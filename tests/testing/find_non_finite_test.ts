import { assertEquals } from "@std/assert";
import { backward, compile, Device, div, exp, log, mul, requireGrad, sqrt, sum, tensor } from "../../mod.ts";
import { findNonFinite } from "../../src/testing/mod.ts";

const device = await Device.open();

Deno.test("findNonFinite() names the first op whose output is not finite", async () => {
  const x = tensor([1, 100]);
  const found = await findNonFinite(() => log(div(x, mul(exp(x), 0))));
  assertEquals(found, { op: "exp", pass: "forward", shapes: [[2]], value: Infinity });
});

Deno.test("findNonFinite() tells NaN from an infinity", async () => {
  assertEquals((await findNonFinite(() => log(tensor([-1]))))?.value, NaN);
});

Deno.test("findNonFinite() names the op whose gradient is not finite though all outputs are", async () => {
  const x = requireGrad(tensor([0, 4]));
  const found = await findNonFinite(() => backward(sum(sqrt(x))));
  assertEquals([found?.op, found?.pass], ["sqrt", "backward"]);
});

Deno.test("findNonFinite() finds nothing in a finite step, of which nothing stays", async () => {
  const x = tensor([1, 2]);
  assertEquals(await findNonFinite(() => exp(x).dispose()), null); // warm-up
  const before = device.memory.live;
  assertEquals(await findNonFinite(() => exp(x).dispose()), null);
  assertEquals(device.memory.live, before);
  assertEquals(await findNonFinite(() => 1), null);
});

Deno.test("findNonFinite() looks into a compiled step that would be replayed", async () => {
  using step = compile((x: typeof input) => log(x));
  const input = tensor([1, 2]);
  for (let i = 0; i < 4; i++) (step(input)).dispose();
  const zero = tensor([0, 2]);
  assertEquals((await findNonFinite(() => step(zero)))?.op, "log");
});
