import { assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { noGrad } from "../../src/autograd/mod.ts";
import { Device } from "../../src/device/mod.ts";
import { writeOnnx } from "../../src/encoders/mod.ts";
import { loadRuntime } from "../../src/encoders/onnx_session.ts";
import { Backbone, ConvNext, Linear, ResNet, type ResNetLayout, Vit, type VitLayout } from "../../src/nn/mod.ts";
import { permute } from "../../src/ops/mod.ts";
import { key, normal, scope, type Tensor } from "../../src/tensor/mod.ts";
import { assign } from "../../src/tensor/internal.ts";
import { assertClose } from "../../src/testing/mod.ts";
import { folderOfTests } from "../data/_helpers.ts";

await Device.open();
const runtime = await loadRuntime();
const folder = await folderOfTests();

/** Puts parameters and running statistics off what they are at first. */
function stir(model: Backbone, images: Tensor): void {
  using _ = scope();
  for (const [i, parameter] of model.parameters().entries()) {
    if (parameter.rank === 1) assign(parameter, normal(parameter.shape, { key: key(7, i), std: 0.2, mean: 0.5 }));
  }
  noGrad(() => model.train().forward(images));
  model.eval();
}

async function run(bytes: Uint8Array, images: Tensor): Promise<{ data: Float32Array; dims: readonly number[] }> {
  const path = join(folder, "encoder.onnx");
  await Deno.writeFile(path, bytes);
  const session = await runtime.InferenceSession.create(path);
  const chw = permute(images, [0, 3, 1, 2]);
  const input = new runtime.Tensor("float32", await chw.data() as Float32Array, chw.shape);
  const [name] = session.outputNames;
  const { data, dims } = (await session.run({ images: input }, [name!]))[name!]!;
  await session.release();
  return { data: data as Float32Array, dims };
}

async function check(model: Backbone, size: number): Promise<void> {
  using _ = scope();
  const images = normal([3, size, size, 3], { key: key(1) });
  stir(model, images);
  for (const output of ["outputs", "features"] as const) {
    const expected = noGrad(() => output === "outputs" ? model.forward(images) : model.pooled(images));
    const { data, dims } = await run(await writeOnnx(model, { output }), images);
    assertEquals(dims, expected.shape);
    assertClose(data, await expected.data(), { rtol: 1e-5, atol: 1e-5 });
  }
}

const RESNETS: Readonly<Record<string, readonly [ResNetLayout, "imagenet" | "cifar"]>> = {
  "basic blocks behind the stem of CIFAR": [{ block: "basic", layers: [1, 1], widths: [8, 12] }, "cifar"],
  "grouped bottlenecks behind the stem of ImageNet": [
    { block: "bottleneck", layers: [2, 1], widths: [8, 16], groups: 2, widthPerGroup: 32 },
    "imagenet",
  ],
};
for (const [name, [layout, stem]] of Object.entries(RESNETS)) {
  Deno.test(`writeOnnx() of ${name} gives in ONNX Runtime what the network does`, () =>
    check(new ResNet(layout, { stem, numClasses: 5 }), 17));
}

const SMALL: VitLayout = { dim: 16, depth: 2, heads: 2, patchSize: 4, imageSize: 8, mlpDim: 24 };
const VITS: Readonly<Record<string, VitLayout>> = {
  "ViT": SMALL,
  "DINOv2 with registers": { ...SMALL, registers: 3, layerScale: 0.1, activation: "tanh" },
  "CLIP": { ...SMALL, preNorm: true, bias: false, activation: "sigmoid", eps: 1e-5 },
  "a ViT of means without class token": { ...SMALL, pool: "mean", classToken: false },
  "a ViT of means whose class token has no position": { ...SMALL, pool: "mean", classPosition: false },
};
for (const [name, layout] of Object.entries(VITS)) {
  Deno.test(`writeOnnx() of ${name} gives in ONNX Runtime what the network does`, () =>
    check(new Vit(layout, { numClasses: 5 }), 8));
}

for (const layerScale of [1, null]) {
  Deno.test(`writeOnnx() of a ConvNeXt gives in ONNX Runtime what the network does, layer scale ${layerScale}`, () =>
    check(new ConvNext({ depths: [1, 2], dims: [8, 12], layerScale }, { numClasses: 5 }), 17));
}

class Other extends Backbone {
  readonly fc = new Linear({ inFeatures: 2, outFeatures: 1 });
  pooled = (x: Tensor) => x as Tensor<"f32">;
  forward = this.pooled;
}

Deno.test("writeOnnx() throws for other networks and outputs", async () => {
  await assertRejects(
    () => writeOnnx(new Other()),
    TypeError,
    "Cannot write ONNX as the network must be a ResNet, Vit or ConvNext: got Other",
  );
  await assertRejects(
    () => writeOnnx(new Vit(SMALL), { output: "all" as "outputs" }),
    RangeError,
    'Cannot write ONNX as output must be "outputs" or "features": got "all"',
  );
});
