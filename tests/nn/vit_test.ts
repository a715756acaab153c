import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { backward, noGrad } from "../../src/autograd/mod.ts";
import { Device } from "../../src/device/mod.ts";
import { contrastive, Vit, vit } from "../../src/nn/mod.ts";
import { crossEntropy } from "../../src/ops/mod.ts";
import { SGD } from "../../src/optim/mod.ts";
import { scope, zeros } from "../../src/tensor/mod.ts";
import { assertClose, TOLERANCE } from "../../src/testing/mod.ts";
import { loadState, readState, vitState } from "../../src/weights/mod.ts";
import { makeModel } from "../../src/methods/mod.ts";
import { loadEncoder } from "../../src/eval/mod.ts";
import { writeSafetensors } from "../../src/formats/mod.ts";
import { tensorOf } from "../fixtures/golden.ts";
import { floatsOf, readFixture } from "../fixtures/read.ts";
import { assertGradients } from "./_gradients.ts";

await Device.open();
const golden = readFixture("vits");

/** A state dict of the fixture. */
function stateOf(format: string) {
  const prefix = `${format}/state/`;
  return new Map(
    Object.entries(golden.tensors).flatMap(([name, array]) =>
      name.startsWith(prefix) ? [[name.slice(prefix.length), array]] : []
    ),
  );
}

function build(format: string): Vit {
  const { state, layout, numClasses } = vitState(stateOf(format), { heads: 2 })!;
  const model = new Vit(layout, { numClasses });
  loadState(model, state);
  return model;
}

for (const format of ["timm", "mean", "dinov2", "dinov2_hf", "torchvision", "clip", "clip_hf"]) {
  Deno.test(`Vit features equal PyTorch's, from a state dict as ${format} has it`, async () => {
    const model = build(format).eval();
    using _ = scope();
    const images = tensorOf(golden, "images");
    const out = noGrad(() => format.startsWith("clip") ? model.forward(images) : model.pooled(images));
    const like = format.replace("_hf", "");
    assertClose(await out.data(), floatsOf(golden, `${like}/out`), { rtol: TOLERANCE.sum });
  });
}

Deno.test("Vit follows PyTorch: gradients of every parameter, and ten steps", async () => {
  const model = build("timm");
  const optimizer = new SGD(model.parameters(), { lr: 0.5 });
  const labels = [0, 3, 1];
  const losses: number[] = [];
  for (let step = 0; step < 10; step++) {
    using _ = scope();
    const loss = crossEntropy(model.forward(tensorOf(golden, "images")), labels);
    backward(loss);
    if (step === 0) {
      await assertGradients(model, golden);
    }
    optimizer.step();
    optimizer.zeroGrad();
    losses.push(await loss.item());
  }
  assertClose(losses, floatsOf(golden, "train/losses"), { rtol: TOLERANCE.trainingLoss });
});

Deno.test("Vit state survives a round trip under timm's names", async () => {
  const layout = { dim: 8, depth: 1, heads: 1, patchSize: 4, imageSize: 12, registers: 1, layerScale: 0.5 };
  const model = new Vit({ ...layout, classPosition: false }, { numClasses: 3, seed: 5 });
  const state = await readState(contrastive(model, { projection: 4 }));
  const found = vitState(state, { heads: 1 })!;
  assertEquals([found.layout.classPosition, found.layout.registers, found.layout.imageSize], [false, 1, 12]);
  const again = new Vit(found.layout, { numClasses: found.numClasses });
  loadState(again, found.state);
  using _ = scope();
  const x = zeros([1, 12, 12, 3]);
  assertEquals(await again.forward(x).data(), await model.forward(x).data());
  assertEquals(model.forward(zeros([1, 8, 16, 3])).shape, [1, 3]); // positions are interpolated
});

Deno.test("vit() knows timm's sizes, and dropPath changes training only", async () => {
  const model = vit("vit_tiny", { layout: { depth: 2, imageSize: 32 }, numClasses: 7, dropPath: 0.9 });
  assertEquals([...model.namedParameters()].slice(0, 3).map(([name, { shape }]) => [name, shape]), [
    ["cls_token", [1, 1, 192]],
    ["pos_embed", [1, 5, 192]],
    ["patch_embed.proj.weight", [16, 16, 3, 192]],
  ]);
  using _ = scope();
  const x = zeros([2, 32, 32, 3]);
  const [a, b] = await Promise.all([model.forward(x).data(), model.forward(x).data()]);
  const [c, d] = await Promise.all([model.eval().forward(x).data(), model.forward(x).data()]);
  assertEquals([`${a}` === `${b}`, `${c}` === `${d}`], [false, true]);
});

Deno.test(
  "makeModel() makes a vision transformer for images of a side, and loadEncoder() reads it back",
  async () => {
    const model = makeModel("vit_tiny_32", { stem: "imagenet", resolution: 32 });
    assertEquals(model.encoder.fc.weight.shape, [192, 2048]);
    const small = contrastive(new Vit({ dim: 64, depth: 1, patchSize: 4, imageSize: 8 }, { numClasses: 5 }));
    const folder = await Deno.makeTempDir();
    const path = `${folder}/vit.safetensors`;
    await Deno.writeFile(path, writeSafetensors(await readState(small)));
    const { encoder, notes } = await loadEncoder(path);
    using _ = scope();
    const x = tensorOf(golden, "images");
    assertEquals([encoder.pooledFeatures, notes.length], [64, 0]);
    assertEquals(await encoder.forward(x).data(), await small.encoder.forward(x).data());
    await assertRejects(
      () => loadEncoder(path, { network: "resnet18" }),
      TypeError,
      "as a resnet18: its weights are those of a vision transformer",
    );
    await Deno.remove(folder, { recursive: true });
    assertThrows(
      () => makeModel("vit_small", { stem: "imagenet", resolution: 100 }),
      RangeError,
      "Cannot make a vit_small as the side of images must be a multiple of its patches' 16 px: got 100",
    );
  },
);

Deno.test("Vit and vit() throw on what they cannot use", () => {
  const layout = { dim: 16, depth: 1, heads: 2, patchSize: 4, imageSize: 8 };
  assertThrows(() => vit("vit_huge"), RangeError, "Cannot build a Vit as the name must be one of vit_tiny, vit_small");
  assertThrows(
    () => new Vit({ ...layout, depth: 0 }),
    RangeError,
    "depth must be a positive integer: current value is 0",
  );
  assertThrows(
    () => new Vit({ ...layout, heads: 3 }),
    RangeError,
    "heads must divide dim into multiples of 4: got 16 and 3",
  );
  assertThrows(
    () => new Vit({ ...layout, imageSize: 10 }),
    RangeError,
    "imageSize must be a multiple of patchSize: got 10",
  );
  assertThrows(
    () => new Vit({ ...layout, classToken: false }),
    RangeError,
    'pool must be "mean", or "token" with a class token: got "token" without one',
  );
  assertThrows(
    () => new Vit(layout).forward(zeros([1, 3, 8, 8])),
    TypeError,
    "x must be [n, h, w, c] with sides that are multiples of 4: got [1,3,8,8]",
  );
});
