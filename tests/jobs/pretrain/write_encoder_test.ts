import { assert, assertEquals } from "@std/assert";
import { Device } from "../../../mod.ts";
import { noGrad } from "../../../src/autograd/mod.ts";
import { loadRuntime } from "../../../src/encoders/onnx_session.ts";
import { loadEncoder } from "../../../src/eval/mod.ts";
import { isNdArray, readSafetensors, readTorch } from "../../../src/formats/mod.ts";
import { pretrainJob } from "../../../src/jobs/mod.ts";
import { Vit } from "../../../src/nn/mod.ts";
import { permute } from "../../../src/ops/mod.ts";
import { key, normal } from "../../../src/tensor/mod.ts";
import { assertClose } from "../../../src/testing/mod.ts";
import { withFolder } from "../../data/_helpers.ts";
import { SETTINGS, smallDataset } from "../../train/_small.ts";

const device = await Device.open();

Deno.test("pretrainJob() trains a vision transformer, and exports it for PyTorch and ONNX Runtime", async () => {
  await withFolder(async (saveDir) => {
    const changes = { network: "vit_tiny", resolution: 16, epochs: 1, eval_every: 0, export: "all" } as const;
    const settings = { ...SETTINGS, ...changes, optimizer: "adamw", lr: 1e-3, batch_size: 4 } as const;
    const losses: number[] = [];
    const input = { device, dataset: smallDataset(8), heldOut: null, settings, saveDir };
    for await (const event of pretrainJob(input)) if (event.type === "step") losses.push(event.loss);
    assert(losses.length === 2 && losses.every(Number.isFinite));

    const { encoder, network } = await loadEncoder(`${saveDir}/encoder.safetensors`);
    assert(encoder instanceof Vit);
    assertEquals(network, "vit_tiny");
    assertEquals(readSafetensors(await Deno.readFile(`${saveDir}/encoder.safetensors`)).metadata.format, "pt");
    const saved = await readTorch(await Deno.readFile(`${saveDir}/encoder.pth`)) as Map<string, unknown>;
    assertEquals([...saved.keys()].toSorted(), [...encoder.stateDict().keys()].toSorted());
    assert([...saved.values()].every(isNdArray));

    const images = normal([2, 16, 16, 3], { key: key(1) });
    const chw = permute(images, [0, 3, 1, 2]);
    const { InferenceSession, Tensor } = await loadRuntime();
    const session = await InferenceSession.create(`${saveDir}/encoder.onnx`);
    const x = new Tensor("float32", await chw.data() as Float32Array, chw.shape);
    const { outputs } = await session.run({ images: x }, ["outputs"]);
    await session.release();
    const expected = await noGrad(() => encoder.forward(images)).data();
    assertClose(outputs!.data as Float32Array, expected, { rtol: 1e-5, atol: 1e-5 });
    for (const each of [encoder, images, chw]) each.dispose();
  });
});
