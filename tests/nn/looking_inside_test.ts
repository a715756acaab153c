import { assertAlmostEquals, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { Device } from "../../src/device/mod.ts";
import { BatchNorm2d, Conv2d, Linear, Module, Parameter, resnet18, Sequential, summary } from "../../src/nn/mod.ts";
import { type Tensor, zeros } from "../../src/tensor/mod.ts";

await Device.open();

Deno.test("summary() lists layers with the shapes, parameters and operations of torchvision's network", () => {
  const model = resnet18({ numClasses: 1000 });
  const { rows, parameters, flop, peakBytes, ...rest } = summary(model, [2, 64, 64, 3]);
  const named = new Map(rows.map((row) => [row.name, row]));
  assertEquals(rows.length, 57);
  assertEquals(named.get("conv1"), {
    ...{ name: "conv1", type: "Conv2d", output: [2, 32, 32, 64] },
    ...{ parameters: 7 * 7 * 3 * 64, flop: 2 * 2 * 32 * 32 * 7 * 7 * 3 * 64 },
  });
  assertEquals(named.get("layer4.1.bn2")?.output, [2, 2, 2, 512]);
  assertEquals([named.get("")?.output, named.get("")?.parameters], [[2, 1000], 0]);
  assertEquals(parameters, 11_689_512);
  assertEquals(rows.reduce((sum, row) => sum + row.parameters, 0), parameters);
  assertEquals(flop, rows.reduce((sum, row) => sum + row.flop, 0));
  assertEquals(peakBytes > 2 * 32 * 32 * 64 * 4, true);
  const text = `${rest.toString()}`;
  assertStringIncludes(text, "layer1.0.conv1");
  assertStringIncludes(text, "11,689,512 parameters");
});

Deno.test("summary() leaves the network as it was", () => {
  const model = resnet18({ stem: "cifar", numClasses: 4 });
  model.layer1.eval();
  summary(model, [1, 8, 8, 3]);
  assertEquals([model.training, model.layer1.training, model.bn1.numBatchesTracked.value], [true, false, 0]);
  assertEquals(Object.keys(model), Object.keys(resnet18({ stem: "cifar", numClasses: 4 })));
});

Deno.test("a module prints the tree of its modules and their settings", () => {
  const model = new Sequential(
    new Conv2d({ inChannels: 3, outChannels: 8, kernelSize: 3, padding: 1, bias: false }),
    new Sequential(new Linear({ inFeatures: 8, outFeatures: 2 })),
  );
  assertEquals(
    `${model}`,
    `Sequential(
  (0): Conv2d(3, 8, kernelSize=3, padding=1, bias=false)
  (1): Sequential(
    (0): Linear(8, 2)
  )
)`,
  );
  assertEquals(Deno.inspect(model), `${model}`);
  assertStringIncludes(`${resnet18()}`, "(layer4): Sequential(");
});

Deno.test("forward hooks are called once a pass, fused or not, in parts or whole, until they are removed", () => {
  const model = resnet18({ stem: "cifar", numClasses: 4 });
  const seen: string[] = [];
  const note = (name: string) => (_: Module, x: Tensor, y: Tensor) => void seen.push(`${name} ${x.shape} ${y.shape}`);
  const removers = [
    model.conv1.registerForwardHook(note("conv1")),
    model.bn1.registerForwardHook(note("bn1")),
    model.layer2.registerForwardHook(note("layer2")),
    model.registerForwardHook(note("whole")),
  ];
  const expected = (n: number) => [
    `conv1 ${n},4,4,3 ${n},6,6,64`,
    `bn1 ${n},6,6,64 ${n},6,6,64`,
    `layer2 ${n},6,6,64 ${n},3,3,128`,
    `whole ${n},4,4,3 ${n},4`,
  ];
  model.forward(zeros([2, 4, 4, 3]));
  assertEquals(seen.splice(0), expected(2));
  model.forwardParts([zeros([1, 4, 4, 3]), zeros([3, 4, 4, 3])]);
  assertEquals(seen.splice(0).sort(), [...expected(1), ...expected(3)].sort());
  for (const remove of removers) remove();
  removers[0]!();
  model.forward(zeros([2, 4, 4, 3]));
  assertEquals(seen, []);
});

Deno.test("a network of fewer stages has no fourth", () => {
  const model = resnet18();
  assertEquals([model.layer1, model.layer2, model.layer3, model.layer4].map(({ layers }) => layers.length), [
    2,
    2,
    2,
    2,
  ]);
});

const state = (shape: readonly number[], data: readonly number[]) => new Map([["weight", { shape, data }]]);

Deno.test("loadStateDict() tells PyTorch's layout by the shapes", async () => {
  const layer = new Linear({ inFeatures: 3, outFeatures: 2, bias: false });
  layer.loadStateDict(state([2, 3], [1, 2, 3, 4, 5, 6]));
  assertEquals(await layer.weight.data(), new Float32Array([1, 4, 2, 5, 3, 6]));
  layer.loadStateDict(state([3, 2], [1, 2, 3, 4, 5, 6]));
  assertEquals(await layer.weight.data(), new Float32Array([1, 2, 3, 4, 5, 6]));
  const conv = new Conv2d({ inChannels: 2, outChannels: 3, kernelSize: [1, 2], bias: false });
  conv.loadStateDict(state([3, 2, 1, 2], [...Array(12).keys()])); // [out, in, kh, kw]
  const data = await conv.weight.data(); // [kh, kw, in, out]
  for (let o = 0; o < 3; o++) {
    for (let i = 0; i < 2; i++) {
      for (let x = 0; x < 2; x++) assertAlmostEquals(data[(x * 2 + i) * 3 + o]!, (o * 2 + i) * 2 + x);
    }
  }
});

Deno.test("loadStateDict() loads no square weight whose layout is not said", async () => {
  const layer = new Linear({ inFeatures: 2, outFeatures: 2, bias: false });
  const before = await layer.weight.data();
  const square = state([2, 2], [1, 2, 3, 4]);
  const { message } = assertThrows(() => layer.loadStateDict(square), TypeError);
  assertEquals(
    message,
    "Cannot load the state as its layout cannot be told from shapes that are the same transposed: got weight [2,2]; say " +
      'layout: "torch" or "uniformity"',
  );
  assertEquals(await layer.weight.data(), before);
  layer.loadStateDict(square, { layout: "torch" });
  assertEquals(await layer.weight.data(), new Float32Array([1, 3, 2, 4]));
  layer.loadStateDict(square, { layout: "uniformity" });
  assertEquals(await layer.weight.data(), new Float32Array([1, 2, 3, 4]));
  assertThrows(() => layer.loadStateDict(state([4, 1], [1, 2, 3, 4])), TypeError, "weight [2,2] but got [4,1]");
  const both = new Sequential(layer, new Linear({ inFeatures: 2, outFeatures: 1, bias: false }));
  const whole = new Map([
    ["0.weight", { shape: [2, 2], data: [1, 2, 3, 4] }],
    ["1.weight", { shape: [1, 2], data: [5, 6] }],
  ]);
  both.loadStateDict(whole); // the second layer tells
  assertEquals(await layer.weight.data(), new Float32Array([1, 3, 2, 4]));
});

Deno.test("a list of modules or parameters is state by its places, as PyTorch's ModuleList", () => {
  class Tower extends Module {
    blocks = [new Linear({ inFeatures: 2, outFeatures: 2, bias: false }), new BatchNorm2d({ numFeatures: 2 })];
    scales = [new Parameter(zeros([2]))];
    sizes = [2, 2];

    override forward(x: Tensor): Tensor {
      return this.blocks.reduce((y, block) => block.forward(y), x);
    }
  }
  const model = new Tower();
  const names = ["scales.0", "blocks.0.weight", "blocks.1.weight", "blocks.1.bias"]; // its own first
  assertEquals([...model.namedParameters()].map(([name]) => name), names);
  assertEquals([...model.stateDict().keys()].filter((name) => /running/.test(name)).length, 2);
  assertEquals(model.eval().blocks.map(({ training }) => training), [false, false]);
  assertStringIncludes(`${model}`, "(blocks.0): Linear(2, 2, bias=false)");
  model.dispose();
});
