import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { Device } from "../../mod.ts";
import { ndarray, type TorchValue, writeSafetensors, writeTorch } from "../../src/formats/mod.ts";
import { loadEncoder } from "../../src/eval/mod.ts";
import { resnet, type Stem } from "../../src/nn/mod.ts";
import { makeModel, readState, type StateDict, writeCheckpoint } from "../../src/train/mod.ts";
import { withFolder } from "../data/_helpers.ts";

const device = await Device.open();
const model = makeModel("tiny", { stem: "cifar", device });
const state = await readState(model.encoder);
const one = ndarray([1], "f32", new Float32Array(1));

function prefixed(prefix: string, { fc = true } = {}): Record<string, TorchValue> {
  return Object.fromEntries(
    [...state].filter(([name]) => fc || !name.startsWith("fc.")).map(([name, array]) => [prefix + name, array]),
  );
}

async function loaded(path: string): Promise<{ own: StateDict; notes: readonly string[] }> {
  const { encoder, notes } = await loadEncoder(path, { device, network: "tiny" });
  const own = await readState(encoder);
  encoder.dispose();
  return { own, notes };
}

Deno.test("loadEncoder() finds the encoder in what other programs save", async () => {
  await withFolder(async (folder) => {
    const files: Record<string, Record<string, TorchValue>> = {
      "torchvision.pth": prefixed(""),
      "model_key.pth": { model: prefixed(""), epoch: 1 },
      "net_key.pth": { net: prefixed("module."), acc: 95.1 },
      "compiled.pth": { state_dict: prefixed("_orig_mod.encoder.") },
      "average.pth": { n_averaged: one, ...prefixed("module.") },
      "supcontrast.pth": { model: prefixed("encoder.module."), epoch: 5 },
      "moco.pth": { state_dict: { ...prefixed("module.encoder_q."), ...prefixed("module.encoder_k.") } },
      "dino.pth": { student: { "module.backbone.conv1.weight": one }, teacher: prefixed("backbone."), epoch: 3 },
      "lightly.ckpt": { "pytorch-lightning_version": "2.0", state_dict: prefixed("backbone.") },
      "head.pth": { state_dict: { ...prefixed("backbone."), "projector.0.weight": one } },
    };
    for (const [name, value] of Object.entries(files)) {
      await Deno.writeFile(`${folder}/${name}`, await writeTorch(value));
      const { own, notes } = await loaded(`${folder}/${name}`);
      assertEquals(own, state, name);
      assertEquals(notes, [], name);
    }
    await Deno.writeFile(`${folder}/a.safetensors`, writeSafetensors(state, { format: "pt" }));
    assertEquals((await loaded(`${folder}/a.safetensors`)).own, state);
  });
});

Deno.test("loadEncoder() lets pooled features stand for what fc gives where there is none, and says so", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/a.pth`;
    const heads: Record<string, TorchValue>[] = [{}, { "fc.0.weight": one, "fc.2.bias": one }];
    for (const more of heads) {
      await Deno.writeFile(path, await writeTorch({ state_dict: { ...prefixed("", { fc: false }), ...more } }));
      const { own, notes } = await loaded(path);
      assertEquals(notes, ["It has no fc: its pooled features stand for what fc gives"]);
      const identity = Float32Array.from({ length: 256 }, (_, i) => i % 17 === 0 ? 1 : 0);
      assertEquals(own.get("fc.weight"), ndarray([16, 16], "f32", identity));
      assertEquals(own.get("fc.bias"), ndarray([16], "f32", new Float32Array(16)));
    }
  });
});

Deno.test("loadEncoder() says that another program's stem of 3 x 3 is taken with a padding of 2, and only then", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/a.safetensors`;
    const notesOf = async (stem: Stem, save: (weights: StateDict) => Promise<void>) => {
      const encoder = resnet("resnet18", { stem, numClasses: 8, device });
      await save(await readState(encoder));
      const found = await loadEncoder(path, { device, network: "resnet18" });
      for (const each of [encoder, found.encoder]) each.dispose();
      return found.notes;
    };
    const foreign = (weights: StateDict) => Deno.writeFile(path, writeSafetensors(weights, { format: "pt" }));
    const own = (weights: StateDict) =>
      writeCheckpoint(path, { weights, network: "resnet18", position: null, optimizer: null, config: {} });
    assertEquals(await notesOf("cifar", foreign), [
      "Its first convolution, 3 x 3, is taken with a padding of 2, as the original's: where the program that trained it " +
      "had 1, as most do, features are others",
    ]);
    assertEquals(await notesOf("imagenet", foreign), []);
    assertEquals(await notesOf("cifar", own), []);
  });
});

Deno.test("loadEncoder() says what it cannot use, and what to do", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/a.pth`;
    const refuses = async (value: TorchValue, message: string) => {
      await Deno.writeFile(path, await writeTorch(value));
      const error = await assertRejects(() => loadEncoder(path, { device }), Error);
      assertStringIncludes(error.message, message);
    };
    await refuses(
      { "conv.weight": one },
      `Cannot use "${path}" as it must hold the weights of a ResNet, conv1.weight and layer1.0.conv1.weight among them: got "conv.weight"`,
    );
    await refuses(
      { ...prefixed("left."), ...prefixed("right.") },
      `Cannot use "${path}" as it must hold one encoder: got several, "left.", "right."`,
    );
    await refuses(
      [1, 2],
      "Cannot read weights as they must be a dict of tensors: got a list of 2; save them in Python by",
    );
  });
});
