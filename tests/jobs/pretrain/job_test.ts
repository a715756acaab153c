import { assert, assertEquals, assertRejects } from "@std/assert";
import { Device } from "../../../mod.ts";
import { type JobEvent, type JobSettings, pretrainJob } from "../../../src/jobs/mod.ts";
import { LossNotFiniteError } from "../../../src/train/mod.ts";
import { readCheckpoint } from "../../../src/checkpoints/mod.ts";
import { writeSafetensors, writeTorch } from "../../../src/formats/mod.ts";
import { openLimited } from "../../device/_limited.ts";
import { withFolder } from "../../data/_helpers.ts";
import { SETTINGS, smallDataset } from "../../train/_small.ts";
import { testWith } from "../../device/_features.ts";
import { runner, types, withPrior } from "./_run.ts";

const device = await Device.open();
const run = runner(device);

Deno.test("pretrainJob() tells what it does in order", async () => {
  await withFolder(async (folder) => {
    const events = await run(folder);
    const epoch = (numbered: string) => `step step step saved ${numbered}evaluated`;
    assertEquals(types(events), `start saved ${epoch("")} ${epoch("saved ")} saved end`);
    const evaluated = events.find((event) => event.type === "evaluated");
    assertEquals(evaluated?.type === "evaluated" && evaluated.queries, 9);
    const { profile, complete } = events.at(-1) as JobEvent & { type: "end" };
    assertEquals([profile, complete], [null, true]);
  });
});

Deno.test("pretrainJob() judges training images by each other where none are held out, and none without labels", async () => {
  await withFolder(async (folder) => {
    const alone = await run(`${folder}/a`, {}, { heldOut: null });
    assertEquals(alone.filter((event) => event.type === "evaluated").map((event) => event.queries), [20, 20]);
    const unlabelled = { ...smallDataset(20), labels: null, classes: [] };
    assert(!types(await run(`${folder}/b`, {}, { dataset: unlabelled, heldOut: null })).includes("evaluated"));
    assert(!types(await run(`${folder}/c`, { eval_every: 0 })).includes("evaluated"));
  });
});

testWith(
  device,
  "shader-f16",
  "pretrainJob() in mixed precision goes on after a stop to the same file, byte for byte",
  async () => {
    await withFolder(async (folder) => {
      const mixed = { precision: "mixed", momentum: 0.9 } as const;
      await run(`${folder}/whole`, mixed);
      const stop = new AbortController();
      const settings = { ...SETTINGS, ...mixed };
      const input = {
        device,
        dataset: smallDataset(20),
        heldOut: smallDataset(9),
        settings,
        saveDir: `${folder}/parts`,
      };
      for await (const event of pretrainJob({ ...input, signal: stop.signal })) if (event.type === "step") stop.abort();
      await assertRejects(() => run(`${folder}/parts`, { momentum: 0.9 }), TypeError, "--precision mixed (now full)");
      await run(`${folder}/parts`, mixed);
      const read = (part: string) => Deno.readFile(`${folder}/${part}/last.safetensors`);
      assertEquals(await read("parts"), await read("whole"));
      const { optimizer } = await readCheckpoint(`${folder}/whole/last.safetensors`);
      assertEquals(optimizer?.scaler, { scale: 65536, growthTracker: 6, skipped: 0 });
    });
  },
);

Deno.test("pretrainJob() with asymmetric views goes on after a stop to the same file, byte for byte", async () => {
  await withFolder(async (folder) => {
    const byol = { augment: "byol", eval_every: 0 } as const;
    await run(`${folder}/whole`, byol);
    const stop = new AbortController();
    const input = { device, dataset: smallDataset(20), heldOut: null, settings: { ...SETTINGS, ...byol } };
    const job = pretrainJob({ ...input, saveDir: `${folder}/parts`, signal: stop.signal });
    for await (const event of job) if (event.type === "step") stop.abort();
    await assertRejects(() => run(`${folder}/parts`, { eval_every: 0 }), TypeError, "--augment byol (now original)");
    await run(`${folder}/parts`, byol);
    const read = (part: string) => Deno.readFile(`${folder}/${part}/last.safetensors`);
    assertEquals(await read("parts"), await read("whole"));
    assertEquals(JSON.parse(await Deno.readTextFile(`${folder}/parts/config.json`)).augment, "byol");
  });
});

Deno.test("pretrainJob() divides batches that the adapter does not take, says so, and goes on as it was", async () => {
  await withFolder(async (folder) => {
    await using limited = await openLimited({ maxStorageBufferBindingSize: 2 ** 15 });
    const changes = { momentum: 0.9, eval_every: 0 };
    const whole = await run(`${folder}/whole`, changes, { device: limited });
    const [note] = whole.filter((event) => event.type === "note");
    assert(note?.type === "note" && /^Batches of 8 are encoded in [2-8] parts/.test(note.message), types(whole));
    const { config } = await readCheckpoint(`${folder}/whole/last.safetensors`);
    assert(Number(config.micro_batch) >= 1 && Number(config.micro_batch) < 8, `${config.micro_batch}`);
    const stop = new AbortController();
    const input = {
      ...{ device: limited, dataset: smallDataset(20), heldOut: null, saveDir: `${folder}/parts` },
      settings: { ...SETTINGS, ...changes },
    };
    for await (const event of pretrainJob({ ...input, signal: stop.signal })) if (event.type === "step") stop.abort();
    // On an adapter that takes whole batches, the run still divides them as it began.
    const rest = await run(`${folder}/parts`, changes, { heldOut: null });
    assert(rest.some((event) => event.type === "note" && event.message.startsWith("Batches of 8 are encoded in")));
    const read = (part: string) => Deno.readFile(`${folder}/${part}/last.safetensors`);
    assertEquals(await read("parts"), await read("whole"));
    await assertRejects(
      () => run(`${folder}/parts`, { ...changes, micro_batch: 8 }, { heldOut: null }),
      TypeError,
      `--micro_batch ${config.micro_batch} (now 8)`,
    );
  });
});

Deno.test("pretrainJob() shows the kernel, and advises when it says nothing", async () => {
  await withFolder(async (folder) => {
    const dataset = withPrior(smallDataset(20), 4);
    const wide = await run(`${folder}/a`, { kernel: "rbf", sigma: 1000 }, { dataset });
    const note = wide.find((event) => event.type === "note");
    assert(note?.type === "note" && note.message.startsWith("The kernel is nearly constant"), JSON.stringify(note));
    const page = await Deno.readTextFile(`${folder}/a/report.html`);
    assert(page.includes("<h2>Kernel (rbf, σ = 1000)</h2>") && page.includes("retained variance"));
    const fair = await run(`${folder}/b`, { kernel: "rbf", sigma: 0.9 }, { dataset });
    assert(!types(fair).includes("note"), JSON.stringify(fair[0]));
  });
});

Deno.test("pretrainJob() stops at a loss that is not finite, with the last good state saved and what to try", async () => {
  await withFolder(async (folder) => {
    const error = await assertRejects(() => run(folder, { lr: 1e35 }), LossNotFiniteError);
    assert(error.message.includes("not finite"), error.message);
    const advice = `the last good state is "${folder}/last.safetensors": go on from it with --resume ` +
      `"${folder}/last.safetensors" --lr 1e+34`;
    assert(error.message.endsWith(advice), error.message);
    const { weights, position } = await readCheckpoint(`${folder}/last.safetensors`);
    assertEquals(position, { epoch: 0, step: 0 });
    assert([...weights.values()].every(({ data }) => data.every((v) => Number.isFinite(Number(v)))));
  });
});

Deno.test("pretrainJob() refuses a checkpoint of another network, of weights only, and other settings", async () => {
  await withFolder(async (folder) => {
    await run(`${folder}/a`, { epochs: 1 });
    const resume = `${folder}/a/last.safetensors`;
    await assertRejects(
      () => run(`${folder}/b`, { network: "resnet18" }, { resume }),
      TypeError,
      `Cannot resume from "${resume}" as it is of --network tiny: got --network resnet18`,
    );
    const encoder = `${folder}/encoder.safetensors`;
    await Deno.writeFile(encoder, writeSafetensors({ w: { shape: [1], dtype: "f32", data: new Float32Array(1) } }));
    await assertRejects(
      () => run(`${folder}/b`, {}, { resume: encoder }),
      TypeError,
      `Cannot resume from "${encoder}" as it holds weights only: it does not say which epoch is next`,
    );
    await assertRejects(
      () => run(`${folder}/a`, { epochs: 1, seed: 3, kernel: "cosine" }, { dataset: withPrior(smallDataset(20), 2) }),
      TypeError,
      `Cannot go on with the run in "${folder}/a" as its settings were others: --kernel none (now cosine), --seed 0 (now 3); ` +
        `give another --save_dir for a new run, or --resume "${folder}/a/last.safetensors" to go on with new settings`,
    );
    const changed = await run(`${folder}/c`, { epochs: 2 }, { resume });
    assert(changed[0]?.type === "note" && changed[0].message === "Settings changed: --epochs 1 (now 2)");
    assert(changed.some((event) => event.type === "step" && event.epoch === 2));
    assert(!changed.some((event) => event.type === "step" && event.epoch === 1));
  });
});

Deno.test("pretrainJob() goes on from the original's .pth.tar at its epoch, with the learning rate of that epoch", async () => {
  await withFolder(async (folder) => {
    const rates = (events: JobEvent[]) => events.flatMap((event) => event.type === "step" ? [event.lr] : []);
    const whole = rates(await run(`${folder}/a`, { epochs: 3, save_freq: 1 }));
    const { weights } = await readCheckpoint(`${folder}/a/checkpoint_0001.safetensors`);
    const state_dict = Object.fromEntries([...weights].map(([name, array]) => [`module.${name}`, array]));
    const optimizer = { state: {}, param_groups: [{ lr: 0.01 }] }; // the original saved a rate, and no schedule
    const resume = `${folder}/checkpoint_0001.pth.tar`;
    await Deno.writeFile(resume, await writeTorch({ epoch: 1, arch: "tiny", state_dict, optimizer }));
    const events = await run(`${folder}/b`, { epochs: 3 }, { resume });
    assertEquals(rates(events), whole.slice(3));
    const end = (name: string) => Deno.readFile(`${folder}/${name}/encoder.safetensors`);
    assertEquals(await end("b"), await end("a"));
  });
});

Deno.test("pretrainJob() begins with the epoch asked for, and at its learning rate", async () => {
  await withFolder(async (folder) => {
    const rates = async (dir: string, start_epoch: number) =>
      (await run(`${folder}/${dir}`, { epochs: 3, start_epoch })).flatMap((event) =>
        event.type === "step" ? [event.lr] : []
      );
    assertEquals((await rates("a", 2)).slice(0, 1), (await rates("b", 0)).slice(-1));
  });
});

Deno.test("pretrainJob() tells of images that cannot be read, and goes on without them", async () => {
  await withFolder(async (folder) => {
    const { default: sharp } = await import("sharp");
    const paths = Array.from({ length: 20 }, (_, i) => `${folder}/${i}.png`);
    for (const path of paths) {
      const image = sharp({ create: { width: 16, height: 16, channels: 3, background: "red" } });
      await Deno.writeFile(
        path,
        path.endsWith("/7.png") ? new Uint8Array(3) : new Uint8Array(await image.png().toBuffer()),
      );
    }
    const { pixels: _, ...rest } = smallDataset(20);
    const dataset = { ...rest, files: { paths, decode: {}, evaluation: { resize: { height: 16, width: 16 } } } };
    const events = await run(`${folder}/run`, { epochs: 1, profile: true }, { dataset, heldOut: null });
    const notes = events.flatMap((event) => event.type === "note" ? [event.message] : []);
    assertEquals(notes.length, 1);
    assert(notes[0]!.startsWith(`"${folder}/7.png" cannot be read and is left out: `), notes[0]);
    const { profile } = events.at(-1) as JobEvent & { type: "end" };
    assertEquals(Object.keys(profile!), ["decode", "wait", "upload", "augment", "forward", "backward", "optimiser"]);
    assert(profile!.decode! > 0 && profile!.upload! > 0);
  });
});

Deno.test("pretrainJob() refuses a folder that another run writes to, and says when its own was removed", async () => {
  await withFolder(async (root) => {
    const folder = `${root}/run`;
    const input = { device, dataset: smallDataset(20), heldOut: null, settings: SETTINGS, saveDir: folder };
    await assertRejects(
      async () => {
        for await (const { type } of pretrainJob(input)) {
          if (type !== "start") continue;
          await assertRejects(
            () => run(folder),
            Error,
            `Cannot write to --save_dir "${folder}": another run writes to it`,
          );
          await Deno.remove(folder, { recursive: true });
        }
      },
      Error,
      `Cannot write to --save_dir "${folder}": it was removed or replaced while the run went on`,
    );
    assertEquals([...Deno.readDirSync(root)], []);
  });
});

Deno.test("pretrainJob() finishes the last save of a complete run that was killed in it", async () => {
  await withFolder(async (folder) => {
    await run(folder);
    await Deno.rename(`${folder}/last.safetensors`, `${folder}/next.safetensors`);
    await Deno.copyFile(`${folder}/previous.safetensors`, `${folder}/last.safetensors`);
    const events = await run(folder);
    assertEquals(types(events), "start saved end");
    assertEquals((await readCheckpoint(`${folder}/last.safetensors`)).position, { epoch: 2, step: 0 });
    assertEquals((await readCheckpoint(`${folder}/previous.safetensors`)).position, { epoch: 1, step: 0 });
    assert(![...Deno.readDirSync(folder)].some(({ name }) => name === "next.safetensors" || name === ".lock"));
  });
});

Deno.test("pretrainJob() begins anew with other settings where nothing was learnt, and refuses them after a step", async () => {
  await withFolder(async (folder) => {
    const stopAt = async (type: string, changes: Partial<JobSettings>): Promise<JobEvent[]> => {
      const stop = new AbortController();
      const events: JobEvent[] = [];
      const settings = { ...SETTINGS, ...changes };
      const input = { device, dataset: smallDataset(20), heldOut: null, settings, saveDir: folder };
      for await (const event of pretrainJob({ ...input, signal: stop.signal })) {
        if (event.type === type) stop.abort();
        events.push(event);
        if (event.type === "saved" && type === "saved") break; // as an error in the first step would
      }
      return events;
    };
    await stopAt("saved", { batch_size: 16 });
    assertEquals((await readCheckpoint(`${folder}/last.safetensors`)).config.batch_size, 16);
    const events = await stopAt("step", { batch_size: 8, network: "tiny", seed: 3 });
    assertEquals(types(events).slice(0, 16), "start saved step");
    const { config } = await readCheckpoint(`${folder}/last.safetensors`);
    assertEquals([config.batch_size, config.seed], [8, 3]);
    await assertRejects(() => run(folder, { batch_size: 4, seed: 3 }), TypeError, "--batch_size 8 (now 4)");
  });
});

Deno.test("pretrainJob() that goes on from elsewhere has a checkpoint of its own, if the run is complete too", async () => {
  await withFolder(async (folder) => {
    await run(`${folder}/a`);
    const events = await run(`${folder}/b`, {}, { resume: `${folder}/a/last.safetensors` });
    const end = events.at(-1);
    assert(end?.type === "end" && end.complete && end.path === `${folder}/b/last.safetensors`);
    assertEquals((await readCheckpoint(end.path)).position, { epoch: 2, step: 0 });
  });
});
