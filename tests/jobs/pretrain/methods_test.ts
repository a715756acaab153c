import { assert, assertEquals } from "@std/assert";
import { Device } from "../../../mod.ts";
import { pretrainJob } from "../../../src/jobs/mod.ts";
import { readCheckpoint } from "../../../src/checkpoints/mod.ts";
import { withFolder } from "../../data/_helpers.ts";
import { SETTINGS, smallDataset } from "../../train/_small.ts";
import { testWith } from "../../device/_features.ts";
import { runner, types, withPrior } from "./_run.ts";

const device = await Device.open();
const run = runner(device);

for (
  const [method, changes] of [
    ["moco", {
      queue: 16,
      ema: 0.9,
      optimizer: "adamw",
      lr: 0.01,
      clip_grad_norm: 1,
      temperature: 0.2,
      target_momentum: 0.9,
    }],
    ["byol", { momentum: 0.9, target_momentum: 0.9, precision: "mixed" }],
  ] as const
) {
  testWith(
    device,
    "precision" in changes ? "shader-f16" : null,
    `pretrainJob() by ${method} goes on after a stop to the same file, byte for byte`,
    async () => {
      await withFolder(async (folder) => {
        const settings = { ...SETTINGS, method, ...changes, eval_every: 2 };
        await run(`${folder}/whole`, settings);
        const stop = new AbortController();
        const input = { device, dataset: smallDataset(20), heldOut: null, settings, saveDir: `${folder}/parts` };
        for await (const event of pretrainJob({ ...input, signal: stop.signal })) {
          if (event.type === "step") stop.abort();
        }
        await run(`${folder}/parts`, settings);
        for (const file of ["last", "encoder"]) {
          const read = (part: string) => Deno.readFile(`${folder}/${part}/${file}.safetensors`);
          assertEquals(await read("parts"), await read("whole"));
        }
        const { beside, weights } = await readCheckpoint(`${folder}/whole/last.safetensors`);
        const kinds = new Set([...beside!.keys()].map((name) => name.replace(/\..*/, "")));
        assertEquals(
          [...kinds].toSorted(),
          method === "moco" ? ["average", "queue", "queue_next", "target"] : ["target"],
        );
        assertEquals(weights.has("predictor.0.weight"), method === "byol");
      });
    },
  );
}

Deno.test("pretrainJob() learns from classes of a prior, by equal rows or by clusters", async () => {
  await withFolder(async (folder) => {
    const dataset = withPrior(smallDataset(20), 3);
    const changes = { eval_every: 0, epochs: 1, temperature: 0.1 } as const;
    for (const [method, clusters] of [["supcon", null], ["cl_infonce", 4]] as const) {
      const events = await run(`${folder}/${method}`, { ...changes, method, clusters }, { dataset });
      assert(types(events).endsWith("end"));
    }
  });
});
