import { assert, assertEquals, assertThrows } from "@std/assert";
import { autocast, backward, requireGrad } from "../../src/autograd/mod.ts";
import { compile } from "../../src/compile/mod.ts";
import { Device } from "../../src/device/mod.ts";
import { checkpoint, Linear, type Module, ResNet, Vit } from "../../src/nn/mod.ts";
import { add, cast, dropout, mean, mul, relu, square, sum } from "../../src/ops/mod.ts";
import { SGD } from "../../src/optim/mod.ts";
import { key, normal, ones, scope, type Tensor, tensor } from "../../src/tensor/mod.ts";
import { testWith } from "../device/_features.ts";

const device = await Device.open();

/** What the steps of a model leave: losses, gradients of the first, weights and statistics; and their peak of memory. */
async function steps(model: Module, replays = false) {
  const images = normal([4, 16, 16, 3], { key: key(1) });
  const optimizer = new SGD(model.parameters(), { lr: 0.1 });
  const values: ArrayLike<number>[] = [];
  const differentiate = () => {
    const loss = mean(square(model.forward(images)));
    backward(loss);
    return loss;
  };
  const step = compile(() => {
    const loss = differentiate();
    optimizer.step();
    return loss;
  });
  device.resetPeakMemory();
  const before = device.memory.live;
  for (let i = 0; i < (replays ? 4 : 1); i++) {
    using _ = scope();
    if (replays) values.push(await step().data());
    else {
      values.push(await differentiate().data());
      for (const { grad } of model.parameters()) values.push(await grad!.data());
      optimizer.step();
    }
  }
  const peak = device.memory.peak - before;
  if (replays) assert(step.replays > 0);
  for (const each of model.stateDict().values()) values.push(await each.data());
  values.push([...model.namedCounters()].map(([, { value }]) => value));
  for (const each of [step, optimizer, images, model]) each.dispose();
  return { values, peak };
}

const resnet = (checkpoint: boolean) =>
  new ResNet({ block: "basic", layers: [3], widths: [8] }, { stem: "cifar", checkpoint, numClasses: 3 });
const vit = (checkpoint: boolean, dropPath: number) =>
  new Vit({ dim: 16, depth: 5, heads: 2, patchSize: 4, imageSize: 16 }, { dropPath, checkpoint, numClasses: 3 });

async function check(make: (checkpoint: boolean) => Module, replays = false) {
  const [plain, saving] = [await steps(make(false), replays), await steps(make(true), replays)];
  const different = saving.values.flatMap((value, i) => `${value}` === `${plain.values[i]}` ? [] : [i]);
  assertEquals([different, saving.values.length], [[], plain.values.length]);
  if (!replays) assert(saving.peak < 0.8 * plain.peak, `${saving.peak} of ${plain.peak}`);
}

Deno.test("checkpoint() of a ResNet's blocks gives the same bits and statistics in less memory", async () => {
  await check(resnet);
  await check(resnet, true);
});

Deno.test("checkpoint() of a ViT's blocks gives the same bits and stochastic depth in less memory", async () => {
  await check((checkpoint) => vit(checkpoint, 0.5));
  await check((checkpoint) => vit(checkpoint, 0), true);
});

testWith(device, "f16 that is not read", "checkpoint() computes again in the precision of its first pass", async () => {
  const layer = new Linear({ inFeatures: 8, outFeatures: 8 });
  const gradients: ArrayLike<number>[] = [];
  for (const saves of [false, true]) {
    using _ = scope();
    const x = normal([4, 8], { key: key(4) });
    const body = (x: Tensor) => relu(layer.forward(x));
    const y = autocast(() => saves ? checkpoint((x) => body(x!), x) : body(x));
    assertEquals(y.dtype, "f16");
    backward(mean(square(cast(y, "f32"))));
    gradients.push(await layer.weight.grad!.data());
    for (const parameter of layer.parameters()) {
      parameter.grad!.dispose();
      parameter.grad = null;
    }
  }
  assertEquals(gradients[1], gradients[0]);
});

Deno.test("checkpoint() inside checkpoint() draws once, and gives gradients of inputs and parameters", async () => {
  const layer = new Linear({ inFeatures: 4, outFeatures: 4 });
  const x = requireGrad(normal([6, 4], { key: key(2) }));
  const results: ArrayLike<number>[][] = [];
  for (const times of [0, 1, 2]) {
    using _ = scope();
    let draws = 0;
    const inner = (x: Tensor) => dropout(relu(layer.forward(x)), { p: 0.5, key: () => key(3, draws++) });
    const middle = (x: Tensor) => times > 1 ? checkpoint((x) => inner(x!), x) : inner(x);
    const outer = (a: Tensor, b: Tensor) => add(middle(a), mul(middle(b), 2));
    const y = times > 0 ? checkpoint((a, b) => outer(a!, b!), x, x) : outer(x, x);
    backward(sum(square(y)));
    assertEquals(draws, 2);
    results.push([await y.data(), await x.grad!.data(), await layer.weight.grad!.data()]);
    for (const leaf of [x, layer.weight, layer.bias!]) {
      leaf.grad!.dispose();
      leaf.grad = null;
    }
  }
  assertEquals(results[1], results[0]);
  assertEquals(results[2], results[0]);
});

Deno.test("checkpoint() adds to the gradient that a parameter has, and leaves what it does not use at 0", async () => {
  const w = requireGrad(tensor([2, 3]));
  backward(sum(add(mul(w, 5), checkpoint((x) => mul(x!, w), tensor([1, 10])))));
  assertEquals(await w.grad!.data(), new Float32Array([6, 15]));
  const [a, b] = [requireGrad(ones([2])), requireGrad(ones([2]))];
  backward(sum(checkpoint((a) => mul(a!, 3), a, b)));
  assertEquals([...await a.grad!.data(), ...await b.grad!.data()], [3, 3, 0, 0]);
  assertEquals(checkpoint((x) => mul(x!, 2), ones([2])).link, null);
});

Deno.test("checkpoint() throws where its body differentiates what it was not given", () => {
  const made = mul(requireGrad(ones([2])), 2);
  assertThrows(
    () => checkpoint((x) => add(x!, made), ones([2])),
    TypeError,
    "Cannot checkpoint() as all that its body differentiates must be parameters or its inputs: got add() of a tensor [2] " +
      "that an op outside made",
  );
});
