import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { Device } from "../../mod.ts";
import { DeviceDesign } from "../../src/eval/design.ts";
import { HostDesign } from "../../src/eval/host_design.ts";

const device = await Device.open();
const [ROWS, DIM, WIDTH] = [30, 5, 4];
const numbers = (length: number) => Float64Array.from({ length }, (_, i) => Math.sin(7 * i + 1));

Deno.test("DeviceDesign gives the host's products where the columns are no multiple of 4, without a copy of the rows", async () => {
  const features = { data: Float32Array.from(numbers(ROWS * DIM)), dim: DIM };
  using design = new DeviceDesign(features, device);
  using host = new HostDesign(features);
  const [w, r] = [numbers((DIM + 1) * WIDTH), numbers(ROWS * WIDTH)];
  const { dispatches } = device.counters;
  const [y, g] = [await design.times(w, WIDTH), await design.transposedTimes(r, WIDTH)];
  assertEquals(device.counters.dispatches - dispatches, 2);
  const near = (a: Float64Array, b: Float64Array, tolerance: number) => {
    assertEquals(a.length, b.length);
    a.forEach((value, i) => assertAlmostEquals(value, b[i]!, tolerance));
  };
  near(y, await host.times(w, WIDTH), 1e-5);
  near(g, await host.transposedTimes(r, WIDTH), 1e-5);
  // (s XᵀX + I) times a preconditioned vector is a multiple of that vector.
  const way = await design.precondition(w, WIDTH, 1);
  const back = await host.transposedTimes(await host.times(way, WIDTH), WIDTH).then((q) =>
    q.map((v, i) => v + way[i]!)
  );
  const share = w[0]! / back[0]!;
  near(back.map((v) => share * v), w, 1e-2);
  assert(way.length === w.length);
});
