import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { Device } from "../../mod.ts";
import type { PixelDataset } from "../../src/data/mod.ts";
import { type NdArray, ndarray, writeTorch } from "../../src/formats/mod.ts";
import { datasetFeatures, loadEncoder, randomEncoder, weightsDigest } from "../../src/eval/mod.ts";
import { readState } from "../../src/weights/model_state.ts";
import { withFolder } from "../data/_helpers.ts";

const device = await Device.open();

function images(length: number): PixelDataset {
  return {
    ...{ name: "dots", split: "test", length, classes: [], labels: null, resolution: 8, notes: [] },
    pixels: { data: new Uint8Array(length * 192).map((_, i) => i * 31), height: 8, width: 8 },
    mean: [0.5, 0.5, 0.5],
    std: [0.5, 0.5, 0.5],
  };
}

Deno.test("loadEncoder() reads the original's checkpoints, their prefixes and head taken off", async () => {
  await withFolder(async (folder) => {
    const { encoder } = randomEncoder("tiny", { stem: "cifar", seed: 3, device });
    const state = new Map<string, NdArray>();
    for (const [name, value] of await readState(encoder)) state.set(`module.encoder.${name}`, value);
    state.set("module.head.1.weight", ndarray([2, 64], "f32", new Float32Array(128)));
    const path = `${folder}/checkpoint_0399.pth.tar`;
    await Deno.writeFile(path, await writeTorch({ epoch: 400, state_dict: Object.fromEntries(state) }));
    const loaded = await loadEncoder(path, { device });
    assertEquals(loaded.network, "small");
    assertEquals(await weightsDigest(loaded.encoder), await weightsDigest(encoder));
    const error = await assertRejects(() => loadEncoder(path, { network: "resnet18", device }), TypeError);
    assertStringIncludes(error.message, "as a resnet18: Cannot load the state as it is of another architecture");
    await Deno.writeFile(path, await writeTorch({ weight: ndarray([1], "f32", new Float32Array(1)) }));
    await assertRejects(() => loadEncoder(path, { device }), TypeError, "must hold the weights of a ResNet");
  });
});

/** Returns what rank 0 gets: this process is alone. */
async function encoded(...args: Parameters<typeof datasetFeatures>) {
  const features = await datasetFeatures(...args);
  assert(features);
  return features;
}

Deno.test("datasetFeatures() reads its cache for the same weights and images, and only then", async () => {
  await withFolder(async (cache) => {
    const { encoder } = randomEncoder("tiny", { stem: "cifar", device });
    const options = { feature: "fc", resolution: 8, cache, digest: await weightsDigest(encoder) } as const;
    const first = await encoded(device, encoder, images(5), options);
    assertEquals([first.features.dim, first.rows.length, first.cached], [64, 5, false]);
    const second = await encoded(device, encoder, images(5), options);
    assert(second.cached);
    assertEquals(second.features, first.features);
    assertEquals(second.rows, first.rows);
    const [{ name }] = await Array.fromAsync(Deno.readDir(cache)) as [Deno.DirEntry];
    const bytes = await Deno.readFile(`${cache}/${name}`);
    bytes[bytes.length - 30]! ^= 1; // in a feature or a row
    await Deno.writeFile(`${cache}/${name}`, bytes);
    const third = await encoded(device, encoder, images(5), options);
    assert(!third.cached);
    assertEquals(third.features, first.features);
    const other = images(5);
    other.pixels.data[7]!++;
    assert(!(await encoded(device, encoder, other, options)).cached);
    assert(!(await encoded(device, encoder, images(5), { ...options, digest: "x" })).cached);
    assert(!(await encoded(device, encoder, images(5), { ...options, feature: "pooled" })).cached);
  });
});

Deno.test("datasetFeatures() refuses an empty set and features that are not finite", async () => {
  const { encoder } = randomEncoder("tiny", { stem: "cifar", device });
  const options = { feature: "fc", resolution: 8, digest: "x" } as const;
  await assertRejects(
    () => datasetFeatures(device, encoder, images(0), options),
    RangeError,
    'Cannot evaluate as the test set of "dots" is empty: got 0 images',
  );
  encoder.fc.bias!.write(new Float32Array(64).fill(NaN));
  await assertRejects(
    () => datasetFeatures(device, encoder, images(3), options),
    RangeError,
    "Cannot evaluate as every feature must be finite: got NaN for image 0 of the test set",
  );
});
