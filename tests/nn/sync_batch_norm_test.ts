import { assertEquals, assertThrows } from "@std/assert";
import { backward, Device, key, mul, normal, ones, requireGrad, scope, sum } from "../../mod.ts";
import { Exchange, SingleProcess } from "../../src/distributed/mod.ts";
import { BatchNorm2d, ResNet, syncBatchNorm } from "../../src/nn/mod.ts";
import { assertClose, TOLERANCE } from "../../src/testing/mod.ts";

// What ranks exchange is tested in tests/train/distributed_test.ts, where mpirun starts them.
const device = await Device.open();
const exchange = await Exchange.open(new SingleProcess(), device);

for (const relu of [false, true]) {
  for (const withResidual of [false, true]) {
    const fused = `${relu ? ", relu" : ""}${withResidual ? ", residual" : ""}`;
    Deno.test(`syncBatchNorm() of one rank is BatchNorm2d, forward and backward${fused}`, async () => {
      using _ = scope();
      const shape = [3, 5, 5, 7];
      const results: Float32Array[][] = [];
      for (const sync of [null, exchange]) {
        const layer = new BatchNorm2d({ numFeatures: 7 });
        assertEquals(syncBatchNorm(layer, sync), 1);
        const x = requireGrad(normal(shape, { key: key(1, 1) }));
        const residual = withResidual ? requireGrad(normal(shape, { key: key(1, 2) })) : undefined;
        const y = layer.forward(x, { residual, relu });
        backward(sum(mul(y, normal(shape, { key: key(1, 3) }))));
        const { weight, bias, runningMean, runningVar } = layer;
        const wanted = [y, x.grad!, weight.grad!, bias.grad!, runningMean, runningVar];
        if (residual) wanted.push(residual.grad!);
        results.push(await Promise.all(wanted.map((each) => each.data() as Promise<Float32Array>)));
        layer.dispose();
      }
      results[0]!.forEach((expected, i) => assertClose(results[1]![i]!, expected, { rtol: TOLERANCE.sum }));
    });
  }
}

Deno.test("syncBatchNorm() reaches every layer of a network, and only training", async () => {
  const layout = { block: "basic", layers: [1], widths: [4], smallStem: true } as const;
  const model = new ResNet(layout, { numClasses: 4 });
  assertEquals(syncBatchNorm(model, exchange), 3);
  using _ = scope();
  const x = ones([2, 8, 8, 3]);
  const own = await model.eval().forward(x).data();
  syncBatchNorm(model, null);
  assertEquals(await model.forward(x).data(), own);
  model.dispose();
});

Deno.test("syncBatchNorm() throws when the channels or the residual do not match", () => {
  using _ = scope();
  const layer = new BatchNorm2d({ numFeatures: 7 });
  layer.synchronize(exchange);
  assertThrows(
    () => layer.forward(ones([2, 3])),
    TypeError,
    "Cannot compute syncBatchNorm() as x must be [..., 7] and a residual like it: got x [2,3]",
  );
  assertThrows(
    () => layer.forward(ones([2, 7]), { residual: ones([3, 7]) }),
    TypeError,
    "got x [2,7] and residual [3,7]",
  );
});
