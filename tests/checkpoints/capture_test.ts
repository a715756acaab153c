import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { backward, Device, keep, key, normal, scope } from "../../mod.ts";
import { decoupledUniformity } from "../../src/losses/mod.ts";
import { type Contrastive, contrastive, Embedding, ResNet } from "../../src/nn/mod.ts";
import { Adam, AdamW, GradScaler, LARS, type Optimizer, SGD } from "../../src/optim/mod.ts";
import {
  captureCheckpoint,
  type Checkpoint,
  readCheckpoint,
  restoreCheckpoint,
  writeCheckpoint,
  writeTorchCheckpoint,
} from "../../src/checkpoints/mod.ts";
import { makeModel } from "../../src/methods/mod.ts";
import { readState, type StateDict } from "../../src/weights/mod.ts";
import { ndarray, readSafetensors, readTorch, writeSafetensors, writeTorch } from "../../src/formats/mod.ts";
import { sealed } from "../../src/formats/internal.ts";
import { withFolder } from "../data/_helpers.ts";

const device = await Device.open();
const images = keep(normal([4, 2, 8, 8, 3], { key: key(5) }));

function steps(model: Contrastive, optimizer: Optimizer, count: number): void {
  for (let i = 0; i < count; i++) {
    using _ = scope();
    backward(decoupledUniformity(model.forward(images)));
    optimizer.step();
  }
}

async function bytesOf(model: Contrastive): Promise<Record<string, unknown>> {
  return Object.fromEntries([...await readState(model)].map(([name, { data }]) => [name, [...data]]));
}

const notes = { network: "tiny", position: { epoch: 3, step: 7 }, config: { seed: 4, lr: 0.3 } };

for (
  const [kind, make] of [
    ["sgd", (model: Contrastive): Optimizer => new SGD(model.parameters(), { lr: 0.1, momentum: 0.9 })],
    ["adamw", (model: Contrastive): Optimizer => new AdamW(model.parameters(), { lr: 0.1 })],
    ["lars", (model: Contrastive): Optimizer => new LARS(model.parameters(), { lr: 0.1 })],
  ] as const
) {
  Deno.test(`a checkpoint with ${kind} brings weights, statistics, counters and the optimizer's states back bit for bit`, async () => {
    await withFolder(async (folder) => {
      const first = makeModel("tiny", { stem: "cifar" });
      const optimizer = make(first);
      steps(first, optimizer, 3);
      const path = `${folder}/last.safetensors`;
      await writeCheckpoint(path, await captureCheckpoint(first, optimizer, { ...notes, optimizerKind: kind }));
      const checkpoint = await readCheckpoint(path);
      assertEquals([checkpoint.network, checkpoint.position, checkpoint.config], [
        notes.network,
        notes.position,
        notes.config,
      ]);
      assertEquals([checkpoint.optimizer?.kind, checkpoint.optimizer?.steps], [kind, 3]);
      const second = makeModel("tiny", { stem: "cifar", seed: 9 });
      const resumed = make(second);
      restoreCheckpoint(checkpoint, second, resumed);
      assertEquals(await bytesOf(second), await bytesOf(first));
      steps(first, optimizer, 2);
      steps(second, resumed, 2);
      assertEquals(await bytesOf(second), await bytesOf(first));
      assertEquals(checkpoint.weights.get("encoder.bn1.num_batches_tracked")?.data, BigInt64Array.of(3n));
      assertEquals(checkpoint.weights.get("encoder.conv1.weight")?.shape, [8, 3, 3, 3]);
      for (const each of [first, second, optimizer, resumed]) each.dispose();
    });
  });
}

Deno.test("a checkpoint keeps the scale of the loss in mixed precision, and only then", async () => {
  await withFolder(async (folder) => {
    const { model, optimizer, checkpoint } = await small();
    assertEquals(checkpoint.optimizer?.scaler, undefined);
    const scaler = new GradScaler();
    const state = { scale: 2 ** -20 / 3, growthTracker: 1234, skipped: 5 };
    scaler.loadState({ ...state, scale: Math.fround(state.scale) });
    const path = `${folder}/last.safetensors`;
    const kept = { ...notes, optimizerKind: "sgd", scaler };
    await writeCheckpoint(path, await captureCheckpoint(model, optimizer, kept));
    const other = new GradScaler();
    restoreCheckpoint(await readCheckpoint(path), model, optimizer, other);
    assertEquals(await other.state(), await scaler.state());
    restoreCheckpoint(checkpoint, model, optimizer, other); // of a run in full precision: nothing to restore
    assertEquals(await other.state(), await scaler.state());
    for (const each of [scaler, other, model, optimizer]) each.dispose();
  });
});

async function small(): Promise<{ model: Contrastive; optimizer: Optimizer; checkpoint: Checkpoint }> {
  const model = makeModel("tiny", { stem: "cifar" });
  const optimizer = new SGD(model.parameters(), { lr: 0.1 });
  return {
    model,
    optimizer,
    checkpoint: await captureCheckpoint(model, optimizer, { ...notes, optimizerKind: "sgd" }),
  };
}

Deno.test("readCheckpoint() names a file that is cut short or changed anywhere", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/last.safetensors`;
    const { checkpoint } = await small();
    await writeCheckpoint(path, checkpoint);
    const bytes = await Deno.readFile(path);
    for (const length of [0, 5, 100, 5000, bytes.length - 1]) {
      await Deno.writeFile(path, bytes.subarray(0, length));
      await assertRejects(() => readCheckpoint(path), SyntaxError, `Cannot read "${path}"`);
    }
    for (const at of [bytes.length - 3, Math.floor(bytes.length / 2)]) {
      const changed = bytes.slice();
      changed[at]! ^= 4;
      await Deno.writeFile(path, changed);
      await assertRejects(() => readCheckpoint(path), SyntaxError, "its checksum does not match: the file is damaged");
    }
    const text = new TextDecoder("latin1").decode(bytes);
    const changed = bytes.slice();
    changed[text.indexOf('\\"epoch\\":3') + 10] = "4".charCodeAt(0);
    await Deno.writeFile(path, changed);
    await assertRejects(() => readCheckpoint(path), SyntaxError, "checksum");
  });
});

Deno.test("restoreCheckpoint() refuses another architecture and changes nothing", async () => {
  const { checkpoint } = await small();
  const layout = { block: "basic", layers: [1], widths: [8], smallStem: true } as const;
  const other = contrastive(new ResNet(layout, { numClasses: 64 }), { projection: 32 });
  const before = await bytesOf(other);
  assertThrows(
    () => restoreCheckpoint(checkpoint, other),
    TypeError,
    "Cannot load the state as it is of another architecture: unexpected encoder.layer2.0.conv1.weight",
  );
  assertEquals(await bytesOf(other), before);
});

Deno.test("restoreCheckpoint() refuses the state of another optimizer", async () => {
  const { model, optimizer, checkpoint } = await small();
  const momentum = new SGD(model.parameters(), { lr: 0.1, momentum: 0.9 });
  assertThrows(() => restoreCheckpoint(checkpoint, model, momentum), TypeError, "Cannot load the optimizer's state");
  const velocity: StateDict = new Map([["encoder.conv1.weight", ndarray([8, 3, 3, 3], "f32", new Float32Array(216))]]);
  const partial = { ...checkpoint, optimizer: { kind: "sgd", steps: 1, states: { velocity } } };
  assertThrows(
    () => restoreCheckpoint(partial, model, momentum),
    TypeError,
    "Cannot load the optimizer's state as it has no velocity of encoder.bn1.weight",
  );
  for (const each of [model, optimizer, momentum]) each.dispose();
});

Deno.test("captureCheckpoint() refuses weights that are not finite", async () => {
  const { model, optimizer } = await small();
  model.parameters()[0]!.write(new Float32Array(216).fill(NaN));
  await assertRejects(
    () => captureCheckpoint(model, optimizer, { ...notes, optimizerKind: "sgd" }),
    RangeError,
    "Cannot save the model as encoder.conv1.weight is not finite: got NaN",
  );
});

Deno.test("writeCheckpoint() says which file could not be saved", async () => {
  const { checkpoint } = await small();
  await assertRejects(
    () => writeCheckpoint("/nowhere/at/all/last.safetensors", checkpoint),
    Error,
    'Cannot save "/nowhere/at/all/last.safetensors": ',
  );
});

Deno.test("readCheckpoint() takes the original's .pth.tar with its module. prefix, epoch and momentum", async () => {
  await withFolder(async (folder) => {
    const model = makeModel("tiny", { stem: "cifar" });
    const optimizer = new SGD(model.parameters(), { lr: 0.1, momentum: 0.9 });
    steps(model, optimizer, 2);
    const own = await captureCheckpoint(model, optimizer, { ...notes, optimizerKind: "sgd" });
    const buffers = [...own.optimizer!.states.velocity!.values()];
    const path = `${folder}/checkpoint_0002.pth.tar`;
    const file = await writeTorch({
      epoch: 3,
      arch: "resnet18",
      state_dict: Object.fromEntries([...own.weights].map(([name, array]) => [`module.${name}`, array])),
      optimizer: {
        state: Object.fromEntries(buffers.map((buffer, i) => [i, { momentum_buffer: buffer }])),
        param_groups: [{ lr: 0.1, momentum: 0.9 }],
      },
    });
    await Deno.writeFile(path, file);
    const read = await readCheckpoint(path);
    assertEquals([read.network, read.position, read.optimizer?.states.velocity?.size], [
      "resnet18",
      { epoch: 3, step: 0 },
      buffers.length,
    ]);
    const second = makeModel("tiny", { stem: "cifar", seed: 2 });
    const resumed = new SGD(second.parameters(), { lr: 0.1, momentum: 0.9 });
    restoreCheckpoint(read, second, resumed);
    steps(model, optimizer, 1);
    steps(second, resumed, 1);
    assertEquals(await bytesOf(second), await bytesOf(model));
    for (const each of [model, second, optimizer, resumed]) each.dispose();
  });
});

for (
  const [kind, make, group] of [
    ["sgd", (model: Contrastive): Optimizer => new SGD(model.parameters(), { lr: 0.1, momentum: 0.9 }), {
      momentum: 0.9,
    }],
    ["adam", (model: Contrastive): Optimizer => new Adam(model.parameters(), { lr: 0.1 }), {}],
  ] as const
) {
  Deno.test(`writeTorchCheckpoint() writes the state of ${kind} as PyTorch's, and it reads back`, async () => {
    await withFolder(async (folder) => {
      const model = makeModel("tiny", { stem: "cifar" });
      const optimizer = make(model);
      steps(model, optimizer, 2);
      const own = await captureCheckpoint(model, optimizer, { ...notes, optimizerKind: kind });
      const path = `${folder}/last.pth`;
      await writeTorchCheckpoint(path, own, { lr: 0.1, ...group });
      const { weights, position, network, optimizer: state } = await readCheckpoint(path);
      assertEquals({ weights, position, network }, {
        weights: own.weights,
        position: { epoch: 3, step: 0 },
        network: "tiny",
      });
      assertEquals(state, { kind: "", steps: kind === "adam" ? 2 : 0, states: own.optimizer!.states });
      const raw = await readTorch(await Deno.readFile(path)) as Map<string, Map<string, Map<string, unknown>[]>>;
      const [groupOf] = raw.get("optimizer")!.get("param_groups")!;
      assertEquals(groupOf!.get("lr"), 0.1);
      assertEquals(groupOf!.get("params"), model.parameters().map((_, i) => i));
      assertEquals(groupOf!.get("betas"), kind === "adam" ? [0.9, 0.999] : undefined);
      for (const each of [model, optimizer]) each.dispose();
    });
  });
}

Deno.test("readCheckpoint() takes a bare state dict, as torchvision saves it, and plain safetensors", async () => {
  await withFolder(async (folder) => {
    const array = ndarray([2, 2], "f32", Float32Array.of(1, 2, 3, 4));
    await Deno.writeFile(`${folder}/a.pth`, await writeTorch({ "fc.weight": array }));
    await Deno.writeFile(`${folder}/a.safetensors`, writeSafetensors({ "fc.weight": array }));
    for (const name of ["a.pth", "a.safetensors"]) {
      const { weights, network, position, optimizer, config } = await readCheckpoint(`${folder}/${name}`, {
        foreign: true,
      });
      assertEquals(weights.get("fc.weight")?.data, array.data);
      assertEquals([network, position, optimizer, config], [null, null, null, {}]);
    }
    await Deno.writeTextFile(`${folder}/text.pth`, "hello, this is no checkpoint");
    await assertRejects(
      () => readCheckpoint(`${folder}/text.pth`),
      SyntaxError,
      "they must be safetensors or what torch.save() wrote: got bytes 68 65 6c 6c 6f",
    );
  });
});

Deno.test("makeModel() names the networks there are", () => {
  assertThrows(() => makeModel("resnet19", { stem: "cifar" }), RangeError, "one of resnet18, resnet34");
  assert(device.memory.live > 0);
});

Deno.test("a checkpoint holds the table of an Embedding as PyTorch does, and older ones are read as they were written", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/a.safetensors`;
    for (const rows of [3, 2]) { // a square one too, whose axes no shape tells
      const table = new Embedding({ numEmbeddings: rows, embeddingDim: 2, device });
      const optimizer = new Adam(table.parameters(), { lr: 0.1 });
      const values = await table.weight.data();
      await writeCheckpoint(path, await captureCheckpoint(table, optimizer, { ...notes, optimizerKind: "adam" }));
      const written = readSafetensors(await Deno.readFile(path));
      assertEquals(written.tensors.get("weight"), ndarray([rows, 2], "f32", values));
      const checkpoint = await readCheckpoint(path);
      assertEquals(checkpoint.oldTables, undefined);
      const turned = Float32Array.from(values, (_, i) => values[i % rows * 2 + Math.floor(i / rows)]!);
      const old = { ...checkpoint, oldTables: true, weights: new Map([["weight", ndarray([2, rows], "f32", turned)]]) };
      for (const each of [checkpoint, old]) {
        const other = new Embedding({ numEmbeddings: rows, embeddingDim: 2, key: key(7), device });
        restoreCheckpoint(each, other);
        assertEquals(await other.weight.data(), values);
        other.dispose();
      }
      table.dispose();
    }
    const { tensors, metadata } = readSafetensors(await Deno.readFile(path));
    const { tables: _, sha256: __, ...before } = metadata;
    await Deno.writeFile(path, writeSafetensors(tensors, await sealed(tensors, before)));
    assertEquals((await readCheckpoint(path)).oldTables, true);
  });
});
