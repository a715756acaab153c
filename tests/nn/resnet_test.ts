import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { Device, noGrad, scope, zeros } from "../../mod.ts";
import {
  contrastive,
  defaultInit,
  fanIn,
  type Module,
  ResNet,
  resnet,
  resnet18,
  resnet50,
  RESNET_NAMES,
} from "../../src/nn/mod.ts";
import golden from "./fixtures/state_names.json" with { type: "json" };

await Device.open();

/** Lists "name shape" lines in PyTorch's layout. */
function stateLines(model: Module): string[] {
  const lines = [...model.stateDict()].map(([name, { shape }]) => {
    const torch = shape.length === 4 ? [shape[3], shape[2], shape[0], shape[1]] : [...shape].reverse();
    return `${name} [${torch}]`;
  });
  return [...lines, ...[...model.namedCounters()].map(([name]) => `${name} []`)].sort();
}

async function sha256(text: string): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Array.from(new Uint8Array(hash), (b) => b.toString(16).padStart(2, "0")).join("");
}

for (const name of RESNET_NAMES) {
  Deno.test(`${name} has torchvision's tensors, names and shapes`, async () => {
    const { tensors, parameters, sha256: hash, lines } = golden.networks[name] as {
      tensors: number;
      parameters: number;
      sha256: string;
      lines?: string[];
    };
    const model = resnet(name);
    const own = stateLines(model);
    if (lines) assertEquals(own, lines.toSorted());
    assertEquals(own.length, tensors);
    assertEquals(model.parameters().reduce((n, p) => n + p.size, 0), parameters);
    assertEquals(await sha256(own.join("\n")), hash);
    model.dispose();
  });
}

Deno.test("resnet18 is initialised as torchvision does", async () => {
  using _ = scope();
  const model = resnet18({ seed: 1 });
  const state = model.stateDict();
  const conv = await state.get("layer4.1.conv2.weight")!.data(); // std √(2 / (512 · 9))
  const [mean, std] = moments(conv as Float32Array);
  assertAlmostEquals(mean, 0, 1e-4);
  assertAlmostEquals(std, Math.sqrt(2 / (512 * 9)), 1e-4);
  const fc = await state.get("fc.weight")!.data() as Float32Array; // U(±1/√512)
  assertAlmostEquals(Math.max(...fc.subarray(0, 50000)), 1 / Math.sqrt(512), 1e-4);
  assertEquals(new Set(await state.get("bn1.weight")!.data()), new Set([1]));
  assertEquals(new Set(await state.get("bn1.bias")!.data()), new Set([0]));
  model.dispose();
});

Deno.test("a ResNet draws its convolutions as init says, from the same keys", async () => {
  const layout = { block: "basic", layers: [1, 1], widths: [8, 16], smallStem: true } as const;
  const model = new ResNet(layout, { numClasses: 4, init: defaultInit });
  for (const name of ["conv1", "layer1.0.conv2", "layer2.0.downsample.0"]) {
    const weight = model.stateDict().get(`${name}.weight`)!;
    const bound = 1 / Math.sqrt(fanIn(weight.shape)); // U(±bound)
    const most = (await weight.data() as Float32Array).reduce((most, v) => Math.max(most, Math.abs(v)), 0);
    assert(most <= bound && most > 0.85 * bound, `${name}: ${most} of ${bound}`);
  }
  model.dispose();
});

Deno.test("resnet18's CIFAR stem is initialised as the original's, which PyTorch's Conv2d does", async () => {
  using _ = scope();
  const model = resnet18({ seed: 1, stem: "cifar", numClasses: 4 });
  const stem = await model.conv1.weight.data() as Float32Array; // U(±1/√27), 1,728 values
  assert(Math.max(...stem) <= 1 / Math.sqrt(27) && Math.max(...stem) > 0.19, `${Math.max(...stem)}`);
  assertAlmostEquals(moments(stem)[1], 1 / Math.sqrt(81), 4e-3);
  const large = resnet18({ seed: 1, numClasses: 4 });
  const [, std] = moments(await large.conv1.weight.data() as Float32Array); // torchvision's √(2 / (49 · 64))
  assertAlmostEquals(std, Math.sqrt(2 / (49 * 64)), 1e-3);
  for (const each of [model, large]) each.dispose();
});

Deno.test("resnet18 of one seed is one network, and of another seed another", async () => {
  const first = async (seed: number) => {
    const model = resnet18({ seed, stem: "cifar", numClasses: 8 });
    const data = await model.conv1.weight.data();
    model.dispose();
    return data;
  };
  assertEquals(await first(3), await first(3));
  assert((await first(3))[0] !== (await first(4))[0]);
});

Deno.test("resnet18 with the CIFAR stem keeps 32 px as 34, 17, 9, 5", () => {
  using _ = scope();
  const model = resnet18({ stem: "cifar", numClasses: 4 }).eval();
  const y = noGrad(() => model.conv1.forward(zeros([1, 32, 32, 3])));
  assertEquals(y.shape, [1, 34, 34, 64]);
  model.dispose();
});

Deno.test("contrastive() has the original's names", () => {
  const model = contrastive(resnet18({ stem: "cifar", numClasses: 32 }), { projection: 8 });
  const names = [...model.namedParameters()].map(([name]) => name);
  assertEquals(names[0], "encoder.conv1.weight");
  assertEquals(names.slice(-4), ["head.1.weight", "head.1.bias", "head.3.weight", "head.3.bias"]);
  model.dispose();
});

Deno.test("contrastive() refuses images of another rank", () => {
  using _ = scope();
  const model = contrastive(resnet18({ stem: "cifar", numClasses: 8 }), { projection: 4 });
  assertThrows(() => model.forward(zeros([8, 8, 3])), TypeError, "got [8,8,3]");
  model.dispose();
});

Deno.test("resnet() names what it knows", () => {
  assertThrows(() => resnet("resnet20"), RangeError, "must be one of resnet18, resnet34");
  assertThrows(() => resnet18({ stem: "small" as "cifar" }), RangeError, 'got "small"');
});

Deno.test("Module.loadStateDict() names what is missing, unexpected and different, and changes nothing", async () => {
  const model = resnet18({ stem: "cifar", numClasses: 4 });
  const before = await model.conv1.weight.data();
  const state = new Map([["conv1.weight", { shape: [1], data: new Float32Array(1) }], ["x", {
    shape: [1],
    data: new Float32Array(1),
  }]]);
  assertThrows(() => model.loadStateDict(state), TypeError, "conv1.weight [3,3,3,64] but got [1]");
  assertThrows(() => model.loadStateDict(state), TypeError, "unexpected x;");
  assertThrows(() => model.loadStateDict(state), TypeError, "in all)");
  assertEquals(await model.conv1.weight.data(), before);
  model.dispose();
});

Deno.test("Module.requiresGrad(false) freezes, and eval() reaches every layer", () => {
  const model = resnet50({ numClasses: 4 }).requiresGrad(false).eval();
  assert(model.parameters().every((p) => !p.requiresGrad));
  assert([...model.namedModules()].every(([, m]) => !m.training));
  model.dispose();
});

function moments(x: Float32Array): [number, number] {
  let [sum, square] = [0, 0];
  for (const v of x) {
    sum += v;
    square += v * v;
  }
  return [sum / x.length, Math.sqrt(square / x.length)];
}
