import { assertEquals, assertThrows } from "@std/assert";
import { Device } from "../../../src/device/mod.ts";
import { backward, requireGrad } from "../../../src/autograd/mod.ts";
import { key, normal, ones, type Tensor, tensor } from "../../../src/tensor/mod.ts";
import { viewCentroids } from "../../../src/ops/mod.ts";
import { assertClose, gradcheck, TOLERANCE } from "../../../src/testing/mod.ts";
import { eachForm } from "../shared/_forms.ts";

const device = await Device.open();

function views(batch: number, count: number, features: number): Tensor<"f32"> {
  return normal([batch, count, features], { key: key(1, batch, count, features), device });
}

function reference(z: Float32Array, [batch, count, features]: readonly number[]): Float64Array {
  const c = new Float64Array(batch! * features!);
  for (let row = 0; row < batch! * count!; row++) {
    const view = Float64Array.from(z.subarray(row * features!, (row + 1) * features!));
    const norm = Math.hypot(...view);
    view.forEach((v, f) => c[Math.floor(row / count!) * features! + f]! += v / norm / count!);
  }
  return c;
}

Deno.test("viewCentroids() equals the float64 loop", () =>
  eachForm(device, async () => {
    for (const [batch, count, features] of [[1, 1, 1], [5, 2, 7], [67, 3, 130]] as const) {
      const z = views(batch, count, features);
      assertClose(await viewCentroids(z).data(), reference(await z.data(), z.shape), { rtol: TOLERANCE.value });
    }
  }));

Deno.test("viewCentroids() gradient matches finite differences", () =>
  eachForm(device, async () => {
    await gradcheck(viewCentroids, views(5, 2, 7));
    await gradcheck(viewCentroids, views(67, 3, 10));
  }));

Deno.test("viewCentroids() gives a view without direction a centroid and a gradient of 0", async () => {
  const z = requireGrad(tensor([[[0, 0], [0, 0]], [[3, 4], [0, 0]]]));
  const c = viewCentroids(z);
  backward(c, { grad: ones([2, 2]) });
  assertClose(await c.data(), [0, 0, 0.3, 0.4]);
  const grad = await z.grad!.data();
  assertEquals([...grad.subarray(0, 4), ...grad.subarray(6)], [0, 0, 0, 0, 0, 0]);
  assertClose(grad.subarray(4, 6), [0.016, -0.012], { rtol: 1e-5 });
});

Deno.test("viewCentroids() throws when z is not [batch, views, features]", () => {
  assertThrows(
    () => viewCentroids(ones([2, 3])),
    TypeError,
    "Cannot compute viewCentroids() as z must be [batch, views, features]: got z [2,3]",
  );
});

Deno.test("viewCentroids() throws when there are no views", () => {
  assertThrows(
    () => viewCentroids(ones([2, 0, 3])),
    RangeError,
    "Cannot compute viewCentroids() as a sample needs at least 1 view: got z [2,0,3]",
  );
});
