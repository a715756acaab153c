import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { Device } from "../../src/device/mod.ts";
import { backward, requireGrad } from "../../src/autograd/mod.ts";
import { decoupledUniformity, decoupledUniformityMetrics } from "../../src/losses/mod.ts";
import { eye, full, key, normal, ones, scope, type Tensor, tensor } from "../../src/tensor/mod.ts";
import { gradcheck } from "../../src/testing/mod.ts";
import { assertGolden, casesOf, tensorOf } from "../fixtures/golden.ts";
import { floatsOf, readFixture } from "../fixtures/read.ts";
import { eachFamily, inFamily } from "../ops/shared/_forms.ts";

const device = await Device.open();

function views(batch: number, count: number, features: number): Tensor<"f32"> {
  return normal([batch, count, features], { key: key(3, batch, count, features) });
}

for (const family of ["cpu", "gpu"] as const) {
  Deno.test(`decoupledUniformity() equals PyTorch in value and gradient, forms for a ${family}`, () =>
    inFamily(device, family, async () => {
      const golden = readFixture("losses");
      for (const one of casesOf("losses", "decoupledUniformity")) {
        const { t } = one.attrs as { t: number };
        // The logarithm of a mean near 1 is near 0: 3e-5 of it is what the sum's last bits make of it on SwiftShader.
        await assertGolden(golden, one, (z, weights) => decoupledUniformity(z!, { weights, t }), { value: 3e-5 });
      }
    }));
}

Deno.test("decoupledUniformityMetrics() gives PyTorch's centroids, the loss, and no graph for the metric", async () => {
  const golden = readFixture("losses");
  for (const { name, inputs, attrs } of casesOf("losses", "decoupledUniformity")) {
    using _ = scope();
    const z = requireGrad(tensorOf(golden, `${name}.in0`));
    const weights = inputs > 1 ? tensorOf(golden, `${name}.in1`) : undefined;
    const { loss, centroid_square } = decoupledUniformityMetrics(z, { weights, t: attrs.t as number });
    assertAlmostEquals(await centroid_square.item(), -floatsOf(golden, `${name}.align`)[0]!, 1e-5);
    assert(loss.link !== null && centroid_square.link === null);
  }
});

Deno.test("decoupledUniformityMetrics() and its backward read nothing back and create nothing in a steady step", async () => {
  await using device = await Device.open(); // its own: what other tests left may be freed at any time
  using _ = scope();
  const z = requireGrad(views(32, 2, 16));
  const weights = eye(32);
  const step = () => {
    using _ = scope();
    backward(decoupledUniformityMetrics(z, { weights }).loss);
    z.grad!.dispose();
    z.grad = null;
  };
  for (let i = 0; i < 2; i++) step();
  await device.done();
  const before = device.counters;
  for (let i = 0; i < 3; i++) step();
  await device.done();
  const { buffers, pipelines, bindGroups, reads } = device.counters;
  assertEquals(
    { buffers, pipelines, bindGroups, reads },
    { buffers: before.buffers, pipelines: before.pipelines, bindGroups: before.bindGroups, reads: before.reads },
  );
});

Deno.test("decoupledUniformity() gradient matches finite differences", async () => {
  await gradcheck((z) => decoupledUniformity(z, { t: 1 }), views(6, 2, 5));
  const weights = tensor([[0.6, 0.3, 0.1], [0.3, 0.5, 0.2], [0.1, 0.2, 0.7]]);
  await gradcheck((z) => decoupledUniformity(z, { weights, t: 2 }), views(3, 3, 4));
});

Deno.test("decoupledUniformity() does not depend on the length of the views", async () => {
  const z = await views(7, 2, 5).data();
  const scaled = z.map((v, i) => v * (1 + Math.floor(i / 5)));
  const [a, b] = [z, scaled].map((values) => tensor(values, { shape: [7, 2, 5] }));
  assertAlmostEquals(await decoupledUniformity(a!).item(), await decoupledUniformity(b!).item(), 1e-5);
});

Deno.test("decoupledUniformity() does not depend on the order of samples or views, nor on a rotation", async () => {
  const [batch, count, features] = [6, 2, 4] as const;
  const z = await views(batch, count, features).data();
  const at = (b: number, v: number, f: number) => z[(b * count + v) * features + f]!;
  const changed = (element: (b: number, v: number, f: number) => number) => {
    const values = Float32Array.from(z, (_, i) => {
      return element(Math.floor(i / (count * features)), Math.floor(i / features) % count, i % features);
    });
    return decoupledUniformity(tensor(values, { shape: [batch, count, features] })).item();
  };
  const loss = await changed(at);
  assertAlmostEquals(await changed((b, v, f) => at(batch - 1 - b, v, f)), loss, 1e-5);
  assertAlmostEquals(await changed((b, v, f) => at(b, count - 1 - v, f)), loss, 1e-5);
  const [cos, sin] = [Math.cos(1), Math.sin(1)];
  const rotated = (b: number, v: number, f: number) =>
    f === 0 ? cos * at(b, v, 0) - sin * at(b, v, 1) : f === 1 ? sin * at(b, v, 0) + cos * at(b, v, 1) : at(b, v, f);
  assertAlmostEquals(await changed(rotated), loss, 1e-5);
});

Deno.test("decoupledUniformity() is 0 with a gradient of 0 at collapse", async () => {
  const z = requireGrad(full([5, 2, 3], 0.7));
  const loss = decoupledUniformity(z);
  backward(loss);
  assertEquals(await loss.item(), 0);
  for (const g of await z.grad!.data()) assertAlmostEquals(g, 0, 1e-6);
});

Deno.test("decoupledUniformity() is -4t for two opposite samples, its least value", async () => {
  const z = tensor([[[1, 0], [2, 0]], [[-1, 0], [-5, 0]]]);
  for (const t of [0.5, 2]) assertAlmostEquals(await decoupledUniformity(z, { t }).item(), -4 * t, 1e-5);
});

Deno.test("decoupledUniformity() with identity weights is the one without weights", async () => {
  const z = views(9, 2, 5);
  const weights = eye(9);
  assertAlmostEquals(
    await decoupledUniformity(z, { weights }).item(),
    await decoupledUniformity(z).item(),
    1e-6,
  );
});

Deno.test("decoupledUniformity() sends no gradient through the weights", () => {
  const weights = requireGrad(eye(4));
  backward(decoupledUniformity(requireGrad(views(4, 2, 3)), { weights }));
  assertEquals(weights.grad, null);
});

Deno.test("decoupledUniformity() is NaN when an embedding is", async () => {
  const z = tensor([[[NaN, 1]], [[1, 0]], [[0, 1]]]);
  assert(Number.isNaN(await decoupledUniformity(z).item()));
});

Deno.test("decoupledUniformity() throws when z is not [batch, views, features]", () => {
  assertThrows(
    () => decoupledUniformity(ones([4, 3])),
    TypeError,
    "Cannot compute decoupledUniformity() as z must be f32 [batch, views, features]: got z f32 [4,3]",
  );
});

Deno.test("decoupledUniformity() throws when there is no pair or no view", () => {
  assertThrows(
    () => decoupledUniformity(ones([1, 2, 3])),
    RangeError,
    "Cannot compute decoupledUniformity() as a pair needs a batch of at least 2: got z [1,2,3]",
  );
  assertThrows(
    () => decoupledUniformity(ones([2, 0, 3])),
    RangeError,
    "Cannot compute decoupledUniformity() as a sample needs at least 1 view: got z [2,0,3]",
  );
});

Deno.test("decoupledUniformity() throws when weights are not [batch, batch]", () => {
  assertThrows(
    () => decoupledUniformity(ones([4, 2, 3]), { weights: ones([3, 3]) }),
    TypeError,
    "Cannot compute decoupledUniformity() as weights must be f32 [4, 4]: got weights f32 [3,3] and z [4,2,3]",
  );
});

Deno.test("decoupledUniformity() throws when t is not positive and finite", () => {
  for (const t of [0, -1, NaN, Infinity]) {
    assertThrows(
      () => decoupledUniformity(ones([4, 2, 3]), { t }),
      RangeError,
      `Cannot compute decoupledUniformity() as t must be > 0 and <= 8e+37: current value is ${t}`,
    );
  }
});

Deno.test("decoupledUniformity() and its backward take two n x n matrices and four n x d, nothing of n x n x d", async () => {
  await eachFamily(device, async (family) => {
    for (const [n, d] of [[256, 256], [512, 64]] as const) {
      const z = requireGrad(views(n, 2, d));
      for (const weights of [undefined, full([n, n], 1 / n)]) {
        const before = device.memory.live;
        device.resetPeakMemory();
        {
          using _ = scope();
          backward(decoupledUniformity(z, { weights }));
        }
        const numbers = (device.memory.peak - before) / 4;
        const most = 2 * n * n + 4 * n * d + 4 * n; // and some numbers a row
        assert(numbers <= most, `${numbers} numbers for [${n}, 2, ${d}] with the forms for a ${family}`);
        z.grad?.dispose();
        z.grad = null;
      }
      await device.done();
    }
  });
});
