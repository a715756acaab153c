import { assertEquals, assertRejects } from "@std/assert";
import { expect, fn } from "@std/expect";
import { Device, matmul, relu, sum, tensor } from "../../mod.ts";
import { compileAhead } from "../../src/jobs/mod.ts";

Deno.test("compileAhead() compiles in Workers what was recorded, tells how far it is, and changes nothing", async () => {
  await using device = await Device.open();
  const x = tensor(Float32Array.from({ length: 64 }, (_, i) => i % 5 - 2), { shape: [8, 8] });
  const y = sum(relu(matmul(x, x)));
  const before = device.counters;
  const onProgress = fn();
  const plans = device.pipelines.made.length;
  assertEquals(await compileAhead(device, { workers: 1, warm: -1, onProgress }), plans - 1); // the first is tried here
  expect(onProgress).toHaveBeenCalledTimes(plans);
  for (let i = 1; i <= plans; i++) expect(onProgress).toHaveBeenNthCalledWith(i, i, plans);
  assertEquals(device.counters, before); // no pipeline, bind group or submit of the work's own
  const values = await x.data();
  const product = (i: number, j: number) =>
    values.reduce((all, _, k) => k < 8 ? all + values[8 * i + k]! * values[8 * k + j]! : all, 0);
  const expected = values.reduce((all, _, e) => all + Math.max(0, product(e >> 3, e % 8)), 0);
  assertEquals(await y.item(), expected);
});

Deno.test("compileAhead() starts no Worker where the shaders are compiled, or for a GPU", async () => {
  await using device = await Device.open();
  const y = relu(tensor([-1, 2]));
  assertEquals(await compileAhead(device, { warm: Infinity }), 0);
  assertEquals(await compileAhead({ info: { family: "gpu" } } as Device), 0);
  assertEquals(await y.data(), Float32Array.of(0, 2));
});

Deno.test("compileAhead() says why a Worker failed", async () => {
  await using device = await Device.open();
  await relu(tensor([-1, 2])).data();
  const [made] = device.pipelines.made;
  const broken = { ...made!, bound: null as never };
  const pipelines = { gpu: device.pipelines.gpu, get: () => made, made: [made, broken] };
  const compiled = compileAhead({ info: device.info, pipelines } as unknown as Device, { workers: 1, warm: -1 });
  await assertRejects(() => compiled, Error, "Cannot compile shaders as a worker failed: ");
});
