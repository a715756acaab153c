import { assertEquals, assertRejects } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { Device } from "../../mod.ts";
import { ndarray, readSafetensors, writeSafetensors, writeTorch } from "../../src/formats/mod.ts";
import {
  type Checkpoint,
  type OptimizerCheckpoint,
  readCheckpoint,
  writeCheckpoint,
} from "../../src/checkpoints/mod.ts";
import { makeModel, NETWORKS } from "../../src/methods/mod.ts";
import type { StateDict } from "../../src/weights/mod.ts";
import { RunFolder } from "../../src/jobs/mod.ts";
import { withFolder } from "../data/_helpers.ts";

const device = await Device.open();
const one = () => ndarray([2], "f32", new Float32Array([1, 2]));

function checkpointOf(notes: Partial<Checkpoint> = {}): Checkpoint {
  const weights: StateDict = new Map([["w", one()]]);
  return { weights, network: "tiny", position: { epoch: 1, step: 0 }, optimizer: null, config: {}, ...notes };
}

Deno.test("readCheckpoint() reads every length of header that writeCheckpoint() can write", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/last.safetensors`;
    for (let length = 0; length < 264; length++) {
      const config = { note: "x".repeat(length) };
      await writeCheckpoint(path, checkpointOf({ config }));
      assertEquals((await readCheckpoint(path)).config, config);
    }
  });
});

Deno.test("readCheckpoint() reads headers that begin like a pickle or a zip, which earlier versions wrote", async () => {
  await withFolder(async (folder) => {
    await writeCheckpoint(`${folder}/a`, checkpointOf());
    const bytes = await Deno.readFile(`${folder}/a`);
    const length = new DataView(bytes.buffer).getUint32(0, true);
    for (const low of [0x80, 0x28, 0x50, 0x4b50, 0x78]) {
      const padded = low + Math.ceil((length - low) / 0x10000) * 0x10000;
      const spaced = new Uint8Array(bytes.length + padded - length).fill(0x20);
      spaced.set(bytes.subarray(0, 8 + length));
      new DataView(spaced.buffer).setUint32(0, padded, true);
      spaced.set(bytes.subarray(8 + length), 8 + padded);
      for (const name of ["last.safetensors", "renamed.pth.tar"]) {
        await Deno.writeFile(`${folder}/${name}`, spaced);
        assertEquals((await readCheckpoint(`${folder}/${name}`)).weights, new Map([["w", one()]]));
      }
    }
  });
});

Deno.test("a checkpoint of every network, optimizer and position reads back", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/last.safetensors`;
    // The others have the names of one of these.
    for (const network of NETWORKS.filter((name) => !/^vit_(?!tiny$)|^convnext_base|^wide|^resnext/.test(name))) {
      const model = makeModel(network, { stem: "imagenet", device });
      const parameters = [...model.namedParameters()].map(([name]) => name);
      const names = [...parameters, ...[...model.namedBuffers()].map(([name]) => name)];
      model.dispose();
      const weights: StateDict = new Map(names.map((name) => [name, one()]));
      const velocity: StateDict = new Map(parameters.map((name) => [name, one()]));
      const optimizers: (OptimizerCheckpoint | null)[] = [
        null,
        { kind: "sgd", steps: 12, states: {} },
        { kind: "sgd", steps: 1234, states: { velocity } },
        { kind: "adamw", steps: 7, states: { expAvg: velocity, expAvgSq: velocity } },
        { kind: "lars", steps: 7, states: { velocity }, scaler: { scale: 65536, growthTracker: 3, skipped: 1 } },
      ];
      for (const optimizer of optimizers) {
        for (const [epoch, step] of [[0, 0], [399, 195]] as const) {
          const written = checkpointOf({ network, weights, optimizer, position: { epoch, step } });
          await writeCheckpoint(path, written);
          assertEquals(await readCheckpoint(path), written);
        }
      }
    }
  });
});

Deno.test("readCheckpoint() reads a file of before Adam, which does not name the states of its optimizer", async () => {
  const path = fromFileUrl(new URL("../fixtures/checkpoint_before_adam.safetensors", import.meta.url));
  const array = (...values: number[]) => ndarray([2, 2], "f32", Float32Array.from(values));
  assertEquals(await readCheckpoint(path), {
    weights: new Map([["w", array(1, 2, 3, 4)]]),
    network: "tiny",
    position: { epoch: 1, step: 2 },
    config: { seed: 3 },
    optimizer: {
      kind: "sgd",
      steps: 7,
      states: { velocity: new Map([["w", array(5, 6, 7, 8)]]) },
      scaler: { scale: 1024, growthTracker: 3, skipped: 1 },
    },
    oldTables: true,
  });
});

Deno.test("a checkpoint keeps what is beside the weights apart from them", async () => {
  await withFolder(async (folder) => {
    const beside: StateDict = new Map([["average.w", one()], ["queue", one()]]);
    await writeCheckpoint(`${folder}/last.safetensors`, checkpointOf({ beside }));
    const read = await readCheckpoint(`${folder}/last.safetensors`);
    assertEquals(read.beside, beside);
    assertEquals([...read.weights.keys()], [...checkpointOf().weights.keys()]);
  });
});

Deno.test("writeCheckpoint() refuses weights that would be read back as something else", async () => {
  for (const name of ["optimizer.velocity.w", "beside.w"]) {
    await assertRejects(
      () => writeCheckpoint("none", checkpointOf({ weights: new Map([[name, one()]]) })),
      TypeError,
      `Cannot write a checkpoint as no weight may be called optimizer.* or beside.*: got "${name}"`,
    );
  }
});

Deno.test("RunFolder lets the last checkpoint go only when the next one reads back", async () => {
  await withFolder(async (folder) => {
    using run = await RunFolder.open(folder);
    await run.saveLast(checkpointOf());
    const changing = checkpointOf({ position: { epoch: 2, step: 0 } });
    // A value whose bytes change between the checksum and the writing, as bad memory would change them.
    const { data } = changing.weights.get("w")!;
    let reads = 0;
    const bad = {
      ...one(),
      get data() {
        return ++reads > 3 ? new Float32Array([9, 9]) : data;
      },
    };
    await assertRejects(
      () => run.saveLast({ ...changing, weights: new Map([["w", bad as never]]) }),
      Error,
      `Cannot save "${folder}/next.safetensors" as what was written reads back otherwise: Cannot read`,
    );
    assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) => name !== ".lock"), [
      "last.safetensors",
    ]);
    assertEquals((await run.latest())?.checkpoint.position, { epoch: 1, step: 0 });
  });
});

Deno.test("RunFolder has a last checkpoint at every moment of a save", async () => {
  await withFolder(async (folder) => {
    using run = await RunFolder.open(folder);
    await run.saveLast(checkpointOf());
    const { rename } = Deno;
    const seen: boolean[] = [];
    Deno.rename = async (from, to) => {
      seen.push(await run.has(run.file("last.safetensors")));
      await rename(from, to);
      seen.push(await run.has(run.file("last.safetensors")));
    };
    try {
      for (const epoch of [2, 3]) await run.saveLast(checkpointOf({ position: { epoch, step: 0 } }));
    } finally {
      Deno.rename = rename;
    }
    assertEquals(seen, Array(12).fill(true), "three renames a save");
    assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) => name !== ".lock").sort(), [
      "last.safetensors",
      "previous.safetensors",
    ]);
  });
});

Deno.test("RunFolder finishes a save that ended before its last rename, twice too", async () => {
  await withFolder(async (folder) => {
    using run = await RunFolder.open(folder);
    await run.saveLast(checkpointOf());
    for (const epoch of [2, 3]) {
      await writeCheckpoint(run.file("next.safetensors"), checkpointOf({ position: { epoch, step: 0 } }));
      await Deno.remove(run.file("previous.safetensors")).catch(() => {});
      await Deno.link(run.file("last.safetensors"), run.file("previous.safetensors"));
      await run.promote();
      assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) => name !== ".lock").sort(), [
        "last.safetensors",
        "previous.safetensors",
      ]);
      assertEquals((await run.latest())?.checkpoint.position, { epoch, step: 0 });
    }
  });
});

/** A safetensors file with other metadata. */
function withMetadata(bytes: Uint8Array<ArrayBuffer>, change: Record<string, string | undefined>) {
  const { tensors, metadata } = readSafetensors(bytes);
  const all = Object.entries({ ...metadata, ...change }).flatMap(([name, text]) =>
    text === undefined ? [] : [[name, text]]
  );
  return writeSafetensors(tensors, Object.fromEntries(all));
}

Deno.test("readCheckpoint() holds its own files to their checksum, whatever their format says", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/last.safetensors`;
    await writeCheckpoint(path, checkpointOf({ config: { seed: 3 } }));
    const bytes = await Deno.readFile(path);
    for (const foreign of [false, true]) {
      for (const format of [undefined, "pt", "uniformity-checkpoint-0", "uniformity-checkpoint-2"]) {
        await Deno.writeFile(path, withMetadata(bytes, { checkpoint: format }));
        await assertRejects(
          () => readCheckpoint(path, { foreign }),
          SyntaxError,
          `its format must be "uniformity-checkpoint-1": got "${format ?? "pt"}"`,
        );
      }
      await Deno.writeFile(path, withMetadata(bytes, { sha256: undefined }));
      await assertRejects(() => readCheckpoint(path, { foreign }), SyntaxError, "its checksum does not match");
    }
  });
});

Deno.test("readCheckpoint() takes safetensors of other programs only when they are asked for", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/model.safetensors`;
    const all: Record<string, string>[] = [{}, { format: "pt" }, { config: "{}" }];
    for (const metadata of all) {
      await Deno.writeFile(path, writeSafetensors({ w: one() }, metadata));
      await assertRejects(() => readCheckpoint(path), SyntaxError, 'its format must be "uniformity-checkpoint-1": got');
      assertEquals(await readCheckpoint(path, { foreign: true }), {
        weights: new Map([["w", one()]]),
        network: null,
        position: null,
        optimizer: null,
        config: {},
      });
    }
  });
});

Deno.test("readCheckpoint() refuses a file with any one bit turned over", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/last.safetensors`;
    await writeCheckpoint(path, checkpointOf({ config: { seed: 3 } }));
    const bytes = await Deno.readFile(path);
    const accepted: number[] = [];
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      const changed = bytes.slice();
      changed[bit >> 3]! ^= 1 << (bit & 7);
      await Deno.writeFile(path, changed);
      for (const foreign of [false, true]) {
        const read = await readCheckpoint(path, { foreign }).catch((error) => error);
        if (!(read instanceof SyntaxError)) accepted.push(bit);
      }
    }
    assertEquals(accepted, []);
  });
});

Deno.test("readCheckpoint() refuses a file that is cut anywhere, whatever it is called", async () => {
  await withFolder(async (folder) => {
    await writeCheckpoint(`${folder}/whole`, checkpointOf());
    const bytes = await Deno.readFile(`${folder}/whole`);
    for (const name of ["a.safetensors", "a.pth.tar", "a.npz", "a.png", "a"]) {
      for (let end = 0; end < bytes.length; end += name === "a" ? 1 : 29) {
        await Deno.writeFile(`${folder}/${name}`, bytes.subarray(0, end));
        await assertRejects(() => readCheckpoint(`${folder}/${name}`, { foreign: end % 2 > 0 }), SyntaxError);
      }
    }
  });
});

Deno.test("readCheckpoint() refuses notes that are not what their names say", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/last.safetensors`;
    const optimizer = { kind: "sgd", steps: 1, states: {} };
    for (const position of [true, {}, [], 3, "1", { epoch: 1 }, { epoch: -1, step: 0 }, { epoch: 0.5, step: 0 }]) {
      await writeCheckpoint(path, checkpointOf({ position: position as never }));
      await assertRejects(
        () => readCheckpoint(path),
        SyntaxError,
        `its position must be an epoch and a step, integers >= 0: got ${JSON.stringify(position)}`,
      );
    }
    for (const wrong of [{ ...optimizer, steps: -1 }, { ...optimizer, kind: 3 }]) {
      await writeCheckpoint(path, checkpointOf({ optimizer: wrong as never }));
      await assertRejects(() => readCheckpoint(path), SyntaxError, "its optimizer must have a kind and steps");
    }
    const states = { "a.b": new Map() };
    await writeCheckpoint(path, checkpointOf({ optimizer: { ...optimizer, states } }));
    await assertRejects(() => readCheckpoint(path), SyntaxError, `its optimizer's states must be names: got ["a.b"]`);
    for (const scaler of [true, {}, { scale: 0, growthTracker: 1, skipped: 1 }, { scale: 1, growthTracker: 1 }]) {
      await writeCheckpoint(path, checkpointOf({ optimizer: { ...optimizer, scaler: scaler as never } }));
      await assertRejects(() => readCheckpoint(path), SyntaxError, "its scaler must have a scale > 0 and two counts");
    }
    await writeCheckpoint(path, checkpointOf({ config: [] as never }));
    await assertRejects(() => readCheckpoint(path), SyntaxError, "its config must be settings by name: got []");
    for (const epoch of ["three", -1, true, 0.5]) {
      await Deno.writeFile(`${folder}/a.pth`, await writeTorch({ epoch, state_dict: { w: one() } }));
      assertEquals((await readCheckpoint(`${folder}/a.pth`)).position, null, "weights only");
    }
  });
});
