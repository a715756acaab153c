import { assert, assertEquals, assertRejects } from "@std/assert";
import { Device, key } from "../../../mod.ts";
import { uniformNumbers } from "../../../src/tensor/internal.ts";
import { NORMALIZATION, type PixelDataset } from "../../../src/data/mod.ts";
import { type NamedClassifier, weightsDigest } from "../../../src/eval/mod.ts";
import { ResNet } from "../../../src/nn/mod.ts";
import { type LinearEvent, linearJob, type LinearSettings } from "../../../src/jobs/mod.ts";
import { withFolder } from "../../data/_helpers.ts";
import { openLimited } from "../../device/_limited.ts";

const SETTINGS: LinearSettings = {
  ...{ feature: "pooled", epochs: 2, batch_size: 64, lr: 0.1, momentum: 0.9, wd: 0, workers: 1, seed: 0 },
  ...{ resolution: 32, label_share: 1, augmented: false, method: "logistic", maps: false },
  columns: ["first", "second"],
};

/** Pictures with two labels each, of which the colour tells the first. */
function labelled(split: string, length: number): PixelDataset<Float32Array<ArrayBuffer>> {
  const noise = uniformNumbers(length * 3072, key(length));
  const data = Uint8Array.from(noise, (v, i) => 100 * v + 100 * Number(Math.floor(i / 3072) % 2));
  const labels = Float32Array.from({ length: 2 * length }, (_, i) => i % 2 ? Number(i % 3 === 0) : (i / 2) % 2);
  const rest = { classes: ["first", "second"], resolution: 32, notes: [], ...NORMALIZATION.cifar };
  return { name: "made", split, length, labels, pixels: { data, height: 32, width: 32 }, ...rest };
}

/** A small encoder and two sets of pictures. */
function inputOn(device: Device) {
  const layout = { block: "basic", layers: [1], widths: [16], smallStem: true } as const;
  const encoder = new ResNet(layout, { numClasses: 8, device }).eval();
  const loaded = { encoder, network: "small", resolution: null, notes: [] };
  return { device, loaded, train: labelled("train", 40), test: labelled("test", 24), settings: SETTINGS, facts: {} };
}

Deno.test("linearJob() refuses classifiers of another encoder before it encodes or writes", async () => {
  await withFolder(async (saveDir) => {
    const input = inputOn(await Device.open());
    const given = (dim: number, fittedOn: NamedClassifier["fittedOn"]) => {
      const classifier = { weight: new Float64Array(2 * dim), bias: new Float64Array(2), dim, classes: 2 };
      return [{ name: "first", classes: ["absent", "present"], classifier, fittedOn }];
    };
    const refuses = async (classifiers: NamedClassifier[], message: string) => {
      await assertRejects(() => linearJob({ ...input, saveDir, classifiers }).next(), TypeError, message);
      assertEquals([...Deno.readDirSync(saveDir)], []);
    };
    await refuses(given(8, {}), "must be for features 16 wide, as this encoder's: got one for 8");
    await refuses(given(16, { feature: "fc" }), 'must be for "pooled" features: got one for "fc"');
    const weights = await weightsDigest(input.loaded.encoder);
    await refuses(given(16, { weights: "abcd" }), `weights_sha256 ${weights}: got one fitted on "abcd"`);
    input.loaded.encoder.dispose();
  });
});

Deno.test("linearJob() writes each task's results as they come, on an adapter that binds few images at once", async () => {
  await withFolder(async (saveDir) => {
    await using device = await openLimited({ maxStorageBufferBindingSize: 2 ** 17 });
    const input = { ...inputOn(device), saveDir };
    const { loaded } = input;
    const read = async () => JSON.parse(await Deno.readTextFile(`${saveDir}/linear_eval.json`));
    const seen: [string, number, boolean][] = [];
    let end: LinearEvent | undefined;
    for await (const event of linearJob(input)) {
      if (event.type === "result") {
        const { tasks, features } = await read();
        seen.push([event.task, tasks.length, features === null]);
        assert((await Deno.stat(`${saveDir}/classifier.safetensors`)).size > 0);
      }
      end = event;
    }
    assertEquals(seen, [["first", 1, true], ["second", 2, true]]);
    assert(end?.type === "end" && end.statistics.alignment > 0);
    assertEquals((await read()).features.alignment, end.statistics.alignment);
    // Another run has taken the folder's place: nothing is written into its results.
    const other = { ...input, saveDir: `${saveDir}/other` };
    await assertRejects(
      async () => {
        for await (const { type } of linearJob(other)) {
          if (type !== "result") continue;
          await Deno.remove(other.saveDir, { recursive: true });
          await Deno.mkdir(other.saveDir);
        }
      },
      Error,
      `Cannot write to --save_dir "${other.saveDir}": it was removed or replaced while the run went on`,
    );
    assertEquals([...Deno.readDirSync(other.saveDir)], []);
    loaded.encoder.dispose();
  });
});
