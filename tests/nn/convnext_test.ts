import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { backward, noGrad } from "../../src/autograd/mod.ts";
import { compile } from "../../src/compile/mod.ts";
import { Device } from "../../src/device/mod.ts";
import { contrastive, ConvNext, convnext, DropPath, summary } from "../../src/nn/mod.ts";
import { autocast } from "../../mod.ts";
import { crossEntropy } from "../../src/ops/mod.ts";
import { SGD } from "../../src/optim/mod.ts";
import { scope, type Tensor, tensor, zeros } from "../../src/tensor/mod.ts";
import { assertClose, TOLERANCE } from "../../src/testing/mod.ts";
import { convnextState, loadState, readState, type StateDict } from "../../src/weights/mod.ts";
import { makeModel } from "../../src/methods/mod.ts";
import { toTorchLayout } from "../../src/weights/model_state.ts";
import { loadEncoder } from "../../src/eval/mod.ts";
import { ndarray, toF32, writeSafetensors } from "../../src/formats/mod.ts";
import { testWith } from "../device/_features.ts";
import { tensorOf } from "../fixtures/golden.ts";
import { floatsOf, readFixture } from "../fixtures/read.ts";
import { stateOf, underNamesOf } from "./_convnext_names.ts";
import { assertGradients } from "./_gradients.ts";

const device = await Device.open();
const golden = readFixture("convnexts");

function build(state: StateDict, options: { checkpoint?: boolean } = {}): ConvNext {
  const found = convnextState(state)!;
  const model = new ConvNext(found.layout, { numClasses: found.numClasses, ...options });
  loadState(model, found.state);
  return model;
}

for (const format of ["timm", "torchvision"] as const) {
  Deno.test(`ConvNext features equal PyTorch's, from a state dict as ${format} has it`, async () => {
    const model = build(stateOf(format)).eval();
    using _ = scope();
    const out = noGrad(() => model.pooled(tensorOf(golden, "images")));
    assertClose(await out.data(), floatsOf(golden, `${format}/out`), { rtol: TOLERANCE.sum });
  });
}

for (const kind of ["plain", "compiled", "checkpointed"] as const) {
  Deno.test(`ConvNext follows PyTorch: gradients of every parameter, and ten steps, ${kind}`, async () => {
    const model = build(stateOf("timm"), { checkpoint: kind === "checkpointed" });
    const optimizer = new SGD(model.parameters(), { lr: 0.1 });
    const labels = tensor(Uint32Array.of(0, 3, 1));
    const lossOf = (images: Tensor) => {
      const loss = crossEntropy(model.forward(images), labels);
      backward(loss);
      return loss;
    };
    {
      using _ = scope();
      lossOf(tensorOf(golden, "images"));
      await assertGradients(model, golden);
      optimizer.zeroGrad();
    }
    const plain = (images: Tensor) => {
      const loss = lossOf(images);
      optimizer.step();
      return loss;
    };
    using compiled = compile(plain, { check: "never" });
    const losses: number[] = [];
    for (let i = 0; i < 10; i++) {
      using _ = scope();
      losses.push(await (kind === "compiled" ? compiled : plain)(tensorOf(golden, "images")).item());
    }
    assertClose(losses, floatsOf(golden, "train/losses"), { rtol: TOLERANCE.trainingLoss });
    assertEquals(compiled.replays > 0, kind === "compiled");
  });
}

testWith(device, "shader-f16", "ConvNext in mixed precision follows PyTorch within f16", async () => {
  const model = build(stateOf("timm"));
  using _ = scope();
  const loss = crossEntropy(autocast(() => model.forward(tensorOf(golden, "images"))), [0, 3, 1]);
  backward(loss);
  assertClose([await loss.item()], [floatsOf(golden, "train/losses")[0]!], { rtol: 5e-3 });
  for (const [name, parameter] of model.namedParameters()) {
    const own = ndarray([...parameter.shape], "f32", Float32Array.from(await parameter.grad!.data()));
    const expected = floatsOf(golden, `train/grad/${name}`);
    const largest = Math.max(...expected.map(Math.abs));
    assertClose(toF32(toTorchLayout(own)), expected, { rtol: 0, atol: 0.02 * largest }); // 11 bits, through 4 layers
  }
});

Deno.test("convnextState() tells the names of all families, under a prefix, and ConvNext's own survive a round trip", async () => {
  const own = stateOf("timm");
  for (const format of ["timm", "torchvision", "facebook", "huggingface"] as const) {
    const found = convnextState(underNamesOf(format, own))!;
    const { origin, layout, hasHead } = found;
    assertEquals([origin, layout.depths, layout.dims, layout.patchSize], [format, [1, 2], [8, 12], 4]);
    assertEquals(hasHead, format !== "huggingface"); // its classifier lies beside the network
    for (const [name, value] of own) {
      if (!name.startsWith("head.fc") || hasHead) assertEquals(found.state.get(name), value, `${format} ${name}`);
    }
  }
  const model = new ConvNext({ depths: [1, 1], dims: [5, 8], layerScale: null }, { numClasses: 3, seed: 5 });
  const found = convnextState(await readState(contrastive(model, { projection: 4 })))!;
  assertEquals(found.layout.layerScale, null);
  const again = new ConvNext(found.layout, { numClasses: found.numClasses });
  loadState(again, found.state);
  using _ = scope();
  const x = tensorOf(golden, "images");
  assertEquals(await again.forward(x).data(), await model.forward(x).data());
  assertEquals(convnextState(new Map([["conv1.weight", ndarray([1], "f32", new Float32Array(1))]])), null);
});

Deno.test("convnext() has timm's sizes, which summary() counts", () => {
  const model = convnext("convnext_tiny", { layout: { depths: [1, 1, 1, 1] }, numClasses: 1000 });
  const { rows, parameters } = summary(model, [1, 64, 64, 3]);
  const window = rows.find(({ name }) => name === "stages.1.blocks.0.conv_dw")!;
  assertEquals([window.output, window.flop], [[1, 8, 8, 192], 2 * 64 * 49 * 192]);
  // torchvision's convnext_tiny has 28,589,128; blocks of c channels have 8 c² + 58 c.
  const block = (c: number) => 8 * c * c + 58 * c;
  assertEquals(parameters, 28_589_128 - 2 * block(96) - 2 * block(192) - 8 * block(384) - 2 * block(768));
  model.dispose();
});

Deno.test("ConvNext passes samples by in training only, and draws anew each time", async () => {
  const model = new ConvNext({ depths: [1, 2], dims: [8, 12], layerScale: 1 }, { numClasses: 3, dropPath: 0.9 });
  assertEquals([...model.namedDraws()].map(([name]) => name), [
    "stages.1.blocks.0.drop_path.draws",
    "stages.1.blocks.1.drop_path.draws",
  ]);
  using _ = scope();
  const x = tensorOf(golden, "images");
  const [a, b] = await Promise.all([model.forward(x).data(), model.forward(x).data()]);
  const [c, d] = await Promise.all([model.eval().forward(x).data(), model.forward(x).data()]);
  assertEquals([`${a}` === `${b}`, `${c}` === `${d}`], [false, true]);
  assertEquals([...model.namedDraws()].map(([, { count }]) => count), [2, 2]);
  assertEquals([...model.stateDict().keys()].filter((name) => name.includes("draws")), []);
  assertThrows(
    () => new DropPath({ p: 1, stream: [0, 0, 0] }),
    RangeError,
    "Cannot make a DropPath as p must be in [0, 1): current value is 1",
  );
  assertThrows(() => new DropPath({ p: 1 - 1e-9, stream: [0, 0, 0] }), RangeError, "current value is 0.999999999");
});

Deno.test("loadEncoder() reads a ConvNeXt, and says where another network was asked for", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/convnext.safetensors`;
  await Deno.writeFile(path, writeSafetensors(stateOf("torchvision")));
  const { encoder, network, notes } = await loadEncoder(path);
  using _ = scope();
  const out = noGrad(() => encoder.pooled(tensorOf(golden, "images")));
  assertEquals([network, notes.length], ["convnext", 0]);
  assertClose(await out.data(), floatsOf(golden, "torchvision/out"), { rtol: TOLERANCE.sum });
  await assertRejects(
    () => loadEncoder(path, { network: "resnet18" }),
    TypeError,
    "as a resnet18: its weights are those of a ConvNeXt",
  );
  await Deno.remove(folder, { recursive: true });
});

Deno.test("ConvNext, convnext() and makeModel() throw on what they cannot use", () => {
  assertThrows(
    () => convnext("convnext"),
    RangeError,
    "Cannot build a ConvNext as the name must be one of convnext_tiny",
  );
  assertThrows(
    () => new ConvNext({ depths: [1], dims: [8, 8] }),
    RangeError,
    "Cannot build a ConvNext as each stage must have a depth and a width: got [1] and [8,8]",
  );
  assertThrows(
    () => new ConvNext({ depths: [1, 0], dims: [8, 8] }),
    RangeError,
    "Cannot build a ConvNext as depths must be positive integers: got [1,0]",
  );
  assertThrows(
    () => new ConvNext({ depths: [1, 1], dims: [8, 8] }).forward(zeros([1, 9, 7, 3])),
    TypeError,
    "x must be [n, h, w, c] with sides of at least 8: got [1,9,7,3]",
  );
  assertThrows(
    () => makeModel("convnext_tiny", { stem: "imagenet", resolution: 28 }),
    RangeError,
    "Cannot make a convnext_tiny as the side of images must be at least 32 px: got 28",
  );
  assertThrows(
    () => makeModel("resnet18", { stem: "imagenet", dropPath: 0.1 }),
    TypeError,
    "Cannot make a model as ResNets have no stochastic depth: got --drop_path 0.1 for resnet18",
  );
});
