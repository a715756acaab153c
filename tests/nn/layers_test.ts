import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  backward,
  Device,
  keep,
  key,
  noGrad,
  scope,
  square,
  sum,
  type Tensor,
  tensor,
  uniform,
  zeros,
} from "../../mod.ts";
import {
  BatchNorm2d,
  Conv2d,
  fanIn,
  fanOut,
  Lambda,
  Linear,
  MaxPool2d,
  Module,
  Parameter,
  ReLU,
  Sequential,
} from "../../src/nn/mod.ts";
import { SGD } from "../../src/optim/mod.ts";
import { assertClose } from "../../src/testing/mod.ts";

const device = await Device.open();

Deno.test("Linear is x W + b, with and without a bias", async () => {
  using _ = scope();
  const layer = new Linear({ inFeatures: 3, outFeatures: 2, key: key(1) });
  const [w, b] = [await layer.weight.data(), await layer.bias!.data()];
  const y = await layer.forward(tensor([[1, 2, 3]])).data();
  assertClose(y, [0, 1].map((j) => w[j]! + 2 * w[2 + j]! + 3 * w[4 + j]! + b[j]!), { rtol: 1e-6 });
  assertEquals(new Linear({ inFeatures: 3, outFeatures: 2, bias: false }).bias, null);
});

Deno.test("Conv2d has PyTorch's initial range, and refuses groups that do not divide", async () => {
  const layer = new Conv2d({ inChannels: 8, outChannels: 16, kernelSize: [3, 1], groups: 4, key: key(2) });
  assertEquals(layer.weight.shape, [3, 1, 2, 16]);
  const bound = 1 / Math.sqrt(3 * 2);
  const values = await layer.weight.data();
  assert(values.every((v) => Math.abs(v) <= bound) && values.some((v) => Math.abs(v) > 0.8 * bound));
  assertThrows(
    () => new Conv2d({ inChannels: 8, outChannels: 6, kernelSize: 3, groups: 4 }),
    RangeError,
    "groups must divide both channels: got 4 for 8 and 6",
  );
  layer.dispose();
});

Deno.test("fanIn() and fanOut() count as PyTorch does", () => {
  assertEquals([fanIn([3, 3, 4, 8]), fanOut([3, 3, 4, 8])], [36, 72]);
  assertEquals([fanIn([5, 7]), fanOut([5, 7])], [5, 7]);
});

Deno.test("BatchNorm2d counts batches in training only, and normalises by running statistics in eval", async () => {
  using _ = scope();
  const layer = new BatchNorm2d({ numFeatures: 2 });
  const x = uniform([4, 3, 3, 2], { key: key(3), high: 5 });
  layer.forward(x);
  layer.forward(x);
  assertEquals(layer.numBatchesTracked.value, 2);
  layer.eval();
  const mean = await layer.runningMean.data();
  const [first] = await layer.forward(x).data();
  assertEquals(layer.numBatchesTracked.value, 2);
  const variance = (await layer.runningVar.data())[0]!;
  assertClose([first!], [((await x.data())[0]! - mean[0]!) / Math.sqrt(variance + 1e-5)], { rtol: 1e-5 });
});

Deno.test("BatchNorm2d refuses settings that would make its statistics NaN", () => {
  for (const momentum of [NaN, -0.1, 1.5]) {
    const message = `Cannot make BatchNorm2d as momentum must be in [0, 1]: got ${momentum}`;
    assertThrows(() => new BatchNorm2d({ numFeatures: 2, momentum }), RangeError, message);
  }
  for (const eps of [0, 1e-46, 1e39]) {
    const message = "Cannot make BatchNorm2d as eps must be > 0 and finite";
    assertThrows(() => new BatchNorm2d({ numFeatures: 2, eps }), RangeError, message);
  }
});

Deno.test("Sequential names its layers by number, and runs them in order", async () => {
  using _ = scope();
  const net = new Sequential(new Linear({ inFeatures: 2, outFeatures: 2 }), new ReLU(), new Lambda(square));
  assertEquals([...net.stateDict().keys()], ["0.weight", "0.bias"]);
  const y = await net.forward(tensor([[1, -1]])).data();
  assert(y.every((v) => v >= 0));
});

Deno.test("a Parameter in several places is optimized once, and in the state under each name", async () => {
  const shared = new Linear({ inFeatures: 2, outFeatures: 2, key: key(1) });
  const model = new Sequential(shared, new Lambda(square), shared);
  assertEquals([...model.namedParameters()].map(([name]) => name), ["0.weight", "0.bias"]);
  assertEquals([...model.stateDict().keys()], ["0.weight", "0.bias", "2.weight", "2.bias"]);
  const before = await shared.weight.data();
  const optimizer = new SGD(model.parameters(), { lr: 0.5 });
  backward(sum(model.forward(tensor([1, 2], { shape: [1, 2] }))));
  const grad = await shared.weight.grad!.data();
  optimizer.step();
  assertClose(await shared.weight.data(), before.map((v, i) => v - 0.5 * grad[i]!), { rtol: 1e-6, atol: 1e-6 });
});

Deno.test("MaxPool2d takes the largest of each window", async () => {
  using _ = scope();
  const x = tensor(new Float32Array([1, 2, 3, 4]), { shape: [1, 2, 2, 1] });
  assertEquals(await new MaxPool2d({ kernelSize: 2 }).forward(x).data(), new Float32Array([4]));
});

Deno.test("a Parameter belongs to no scope, and must be f32", () => {
  let parameter;
  {
    using _ = scope();
    parameter = new Parameter(zeros([3]));
    assertThrows(() => new Parameter(zeros([3], { dtype: "u32" })), TypeError, "must be f32: got u32");
  }
  assertEquals([parameter.disposed, parameter.requiresGrad], [false, true]);
  parameter.dispose();
});

Deno.test("a forward under noGrad frees what lies between, and backward frees what was saved as it goes", () => {
  class Deep extends Module {
    layers = new Sequential(
      ...Array.from({ length: 8 }, (_, i) => new Linear({ inFeatures: 64, outFeatures: 64, key: key(i) })),
    );
    override forward(x: Tensor): Tensor {
      return this.layers.forward(x);
    }
  }
  const net = new Deep();
  const x = keep(uniform([512, 64], { key: key(0) }));
  const bytes = 512 * 64 * 4;
  const before = device.memory.live;
  {
    using _ = scope();
    device.resetPeakMemory();
    const loss = sum(square(net.forward(x)));
    assert(device.memory.live - before >= 8 * bytes, "the graph keeps every activation");
    backward(loss);
    assert(device.memory.peak - before < 14 * bytes, "backward frees activations as it makes gradients");
  }
  for (const parameter of net.parameters()) parameter.grad?.dispose();
  assertEquals(device.memory.live, before);
  noGrad(() => {
    using _ = scope();
    net.forward(x);
  });
  assertEquals(device.memory.live, before);
  for (const each of [net, x]) each.dispose();
});
