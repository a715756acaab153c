import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { Device, key, noGrad, normal } from "../../mod.ts";
import { ndarray, type TorchValue, writeSafetensors, writeTorch } from "../../src/formats/mod.ts";
import { loadEncoder } from "../../src/eval/mod.ts";
import { resnet, RESNET_LAYOUTS, type Stem } from "../../src/nn/mod.ts";
import { resnetLayout, resnetName } from "../../src/eval/resnet_layout.ts";
import { makeModel } from "../../src/methods/mod.ts";
import { readState, type StateDict } from "../../src/weights/mod.ts";
import { writeCheckpoint } from "../../src/checkpoints/mod.ts";
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
      "had 1, as most do, features are others (--stem_padding, stemPadding)",
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
      `Cannot use "${path}" as it must hold one encoder, or --prefix (prefix) say which: got "left.", "right."`,
    );
    await refuses(
      [1, 2],
      "Cannot read weights as they must be a dict of tensors: got a list of 2; save them in Python by",
    );
  });
});

Deno.test("loadEncoder() takes the encoder under a prefix, one of several", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/a.pth`;
    await Deno.writeFile(
      path,
      await writeTorch({ state_dict: { ...prefixed("net.left."), ...prefixed("net.right.") } }),
    );
    for (const prefix of ["net.left", "net.left."]) {
      const { encoder, notes } = await loadEncoder(path, { device, network: "tiny", prefix });
      assertEquals([await readState(encoder), notes], [state, []]);
      encoder.dispose();
    }
    await assertRejects(
      () => loadEncoder(path, { device, prefix: "left" }),
      RangeError,
      `Cannot use "${path}" as a name must begin with the prefix "left.": got "net.left", "net.right"`,
    );
  });
});

Deno.test("loadEncoder() finds the layers of a Sequential of a ResNet's children, with a max-pool among them or not", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/a.ckpt`;
    for (const numbers of [["0", "1", "4", "5"], ["0", "1", "3", "4"]]) {
      const to = new Map(["conv1", "bn1", "layer1", "layer2"].map((name, i) => [name, numbers[i]!]));
      const named = [...state].flatMap(([name, array]): [string, TorchValue][] => {
        const [first = "", ...rest] = name.split(".");
        return to.has(first) ? [[["backbone", to.get(first), ...rest].join("."), array]] : [];
      });
      await Deno.writeFile(
        path,
        await writeTorch({ state_dict: { ...Object.fromEntries(named), "head.0.weight": one } }),
      );
      const { own } = await loaded(path);
      const trunk = (all: StateDict) => new Map([...all].filter(([name]) => !name.startsWith("fc.")));
      assertEquals(trunk(own), trunk(state));
    }
  });
});

Deno.test("loadEncoder() takes the padding of a stem of 3 x 3 that it is told, and asks where a small network's stride is not known", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/a.safetensors`;
    const padded = resnet("resnet18", { stem: "cifar", stemPadding: 1, numClasses: 8, device }).eval();
    await Deno.writeFile(path, writeSafetensors(await readState(padded), { format: "pt" }));
    const { encoder, notes, network } = await loadEncoder(path, { device, stemPadding: 1 });
    const images = normal([2, 9, 9, 3], { key: key(1), device });
    const [own, expected] = await Promise.all(
      [encoder, padded].map((each) => noGrad(() => each.forward(images)).data()),
    );
    assertEquals([own, notes, network], [expected, [], "resnet18"]);
    for (const each of [padded, encoder, images]) each.dispose();
    await Deno.writeFile(path, writeSafetensors(state, { format: "pt" }));
    const small = await loadEncoder(path, { device });
    assertEquals([small.network, small.notes.length], ["small", 1]);
    assertStringIncludes(small.notes[0]!, "3 x 3, is taken with a stride of 2, as this library's small networks");
    small.encoder.dispose();
  });
});

Deno.test("resnetName() tells each network of the family by its shapes", () => {
  for (const [name, { block, layers, groups = 1, widthPerGroup = 64 }] of Object.entries(RESNET_LAYOUTS)) {
    const shapes = layers.flatMap((count, stage) => {
      const width = 64 * 2 ** stage;
      const inner = width * widthPerGroup / 64 * groups;
      return Array.from({ length: count }, (_, i) => `layer${stage + 1}.${i}`).flatMap((at) =>
        [
          [`${at}.conv1.weight`, block === "basic" ? [width, 1, 3, 3] : [inner, 1, 1, 1]],
          [`${at}.conv2.weight`, block === "basic" ? [width, width, 3, 3] : [inner, inner / groups, 3, 3]],
          ...block === "basic" ? [] : [[`${at}.conv3.weight`, [4 * width, inner, 1, 1]] as const],
        ] as const
      );
    });
    const weights = new Map(
      shapes.map(([at, shape]) => [at, { shape: [...shape], dtype: "f32" as const, data: new Float32Array() }]),
    );
    assertEquals(resnetName(resnetLayout(weights)), name);
  }
  assertEquals(resnetName({ block: "basic", layers: [1, 1], widths: [64, 128] }), null);
});
