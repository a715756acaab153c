import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { concat, Device, DeviceError, key, scope, zeros } from "../../../mod.ts";
import { uniformNumbers } from "../../../src/tensor/internal.ts";
import {
  evaluationBatches,
  naturalRecipe,
  NORMALIZATION,
  type PixelDataset,
  ResidentImages,
} from "../../../src/data/mod.ts";
import { rbf } from "../../../src/kernels/mod.ts";
import { ResNet } from "../../../src/nn/mod.ts";
import { encode, encodeImages, knn, principalComponents, viewAlignment } from "../../../src/eval/mod.ts";
import { HostPrior, pretrain, type PretrainReport } from "../../../src/train/mod.ts";
import { makeModel } from "../../../src/methods/mod.ts";
import { uploadPrior } from "../../../src/jobs/mod.ts";
import { AugmentedFeatures } from "../../../src/eval/augmented_features.ts";
import { SingleProcess } from "../../../src/distributed/mod.ts";
import { largestFitting, partSizes, rowsAtOnce } from "../../../src/data/views/fitting.ts";
import { partsOfBatches } from "../../../src/train/batch_parts.ts";
import { openLimited } from "../../device/_limited.ts";
import { smallDataset, stateOf } from "../../train/_small.ts";

const device = await Device.open();
const limited = await openLimited({ maxStorageBufferBindingSize: 2 ** 17 });
const layout = { block: "basic", layers: [1], widths: [16], smallStem: true } as const;

Deno.test("largestFitting() finds the largest batch that stays within a binding, and refuses where one does not", () => {
  const images = (n: number) => zeros([n, 10, 10, 4], { device: limited });
  assertEquals(largestFitting(limited, 256, images), 81); // of 1,600 bytes each
  assertEquals(largestFitting(limited, 50, images), 50);
  const one = () => zeros([2 ** 16], { device: limited });
  assertThrows(() => largestFitting(limited, 8, one), DeviceError, "binds at most 131072 bytes at once");
  assertThrows(() => largestFitting(limited, 8, () => zeros([-1])), RangeError, "got [-1]");
});

Deno.test("partSizes() divides into as few parts as allowed, alike to one", () => {
  assertEquals(partSizes(256, 256), [256]);
  assertEquals(partSizes(256, 100), [85, 85, 86]);
  assertEquals(partSizes(3, 1), [1, 1, 1]);
  assertEquals(partSizes(0, 7), []);
  for (let size = 1; size < 60; size++) {
    const parts = partSizes(size, 7);
    assertEquals(parts.reduce((a, b) => a + b), size);
    assert(Math.max(...parts) <= 7 && Math.max(...parts) - Math.min(...parts) <= 1);
  }
});

Deno.test("partsOfBatches() makes every batch of the same samples in parts, without those that cannot be read", async () => {
  using source = new ResidentImages(device, smallDataset(20).pixels, naturalRecipe({ size: 16 }));
  const plan = {
    order: Uint32Array.from({ length: 20 }, (_, i) => 19 - i),
    sizes: [8, 8, 4],
    epoch: 0,
    seed: 1,
    views: 2,
  };
  const found = [];
  for await (
    const parts of partsOfBatches(
      source,
      plan,
      plan.sizes.map((size) => partSizes(size, 3)),
      ({ shape }) => shape[0],
    )
  ) {
    found.push(parts.map(({ rows, made }) => [...rows, made]));
  }
  assertEquals(found, [
    [[19, 18, 2], [17, 16, 15, 3], [14, 13, 12, 3]],
    [[11, 10, 2], [9, 8, 7, 3], [6, 5, 4, 3]],
    [[3, 2, 2], [1, 0, 2]],
  ]);
});

Deno.test("knn() gives the same whatever an adapter binds at once, also one sample against the others", async () => {
  const [n, dim] = [900, 64];
  const data = uniformNumbers(n * dim, key(1)).map((v) => v - 0.5);
  const labels = Int32Array.from({ length: n }, (_, i) => i % 7);
  const set = { features: { data, dim }, labels };
  const few = { features: { data: data.slice(0, 300 * dim), dim }, labels: labels.slice(0, 300) };
  assert(rowsAtOnce(limited, dim) < n && rowsAtOnce(device, dim) > n);
  for (const leaveOneOut of [false, true]) {
    const queries = leaveOneOut ? set : few;
    const options = { classes: 7, k: 9, leaveOneOut };
    assertEquals(
      await knn(set, queries, { ...options, device: limited }),
      await knn(set, queries, { ...options, device }),
    );
  }
});

Deno.test("principalComponents() gives the same whatever an adapter binds at once", async () => {
  const [n, dim] = [900, 64];
  const data = uniformNumbers(n * dim, key(2)).map((v, i) => (v - 0.5) * (1 + 9 * Number(i % dim < 2)) + 3);
  const [a, b] = [
    await principalComponents({ data, dim }, { device }),
    await principalComponents({ data, dim }, { device: limited }),
  ];
  a.explained.forEach((share, i) => assertAlmostEquals(b.explained[i]!, share, 1e-5));
  a.places.forEach(([x, y], i) => {
    assertAlmostEquals(b.places[i]![0]!, x!, 1e-3);
    assertAlmostEquals(b.places[i]![1]!, y!, 1e-3);
  });
});

/** Random pictures of 32 px. */
function pictures(length: number): PixelDataset<Int32Array<ArrayBuffer>> {
  const data = Uint8Array.from(uniformNumbers(length * 32 * 32 * 3, key(5)), (v) => 256 * v);
  const labels = Int32Array.from({ length }, (_, i) => i % 2);
  const rest = { classes: ["a", "b"], resolution: 32, notes: [], ...NORMALIZATION.cifar };
  return { name: "made", split: "test", length, labels, pixels: { data, height: 32, width: 32 }, ...rest };
}

Deno.test("every evaluation takes as many images at once as the adapter binds", async () => {
  const encoder = new ResNet(layout, { numClasses: 8, device: limited }).eval();
  const dataset = pictures(30);
  const forward = (x: Parameters<ResNet["forward"]>[0]) => encoder.forward(x);
  const sizes: number[] = [];
  const onBatch = ({ rows }: { rows: ArrayLike<number> }) => sizes.push(rows.length);
  const all = await encodeImages(limited, dataset, forward, { onBatch });
  assert(sizes.length > 2 && Math.max(...sizes) * 32 * 32 * 3 * 4 <= 2 ** 17, `${sizes}`);
  assertEquals(all!.features.data.length, 30 * 8);
  const one = await encodeImages(limited, dataset, forward, { batchSize: 1 });
  all!.features.data.forEach((v, i) => assertAlmostEquals(one!.features.data[i]!, v, 1e-5));
  const public_ = await encode(encoder, 30, async (from, to) => {
    const parts = [];
    const rows = Array.from({ length: to - from }, (_, i) => from + i);
    for await (const { images } of evaluationBatches(limited, dataset, { rows })) parts.push(images.alias());
    return concat(parts, 0);
  });
  public_.data.forEach((v, i) => assertAlmostEquals(one!.features.data[i]!, v, 1e-5));
  const options = { feature: "fc", resolution: 32, workers: 1 } as const;
  const [many, few] = [
    await viewAlignment(limited, encoder, dataset, options),
    await viewAlignment(limited, encoder, dataset, { ...options, batchSize: 2 }),
  ];
  assertAlmostEquals(many!, few!, 1e-5);
  encoder.dispose();
});

Deno.test("AugmentedFeatures encodes a batch that is larger than a binding in parts", async () => {
  const features = async (device: Device) => {
    const encoder = new ResNet(layout, { numClasses: 8, device }).eval();
    const options = { feature: "fc", batchSize: 24, resolution: 32, seed: 3, group: new SingleProcess() } as const;
    using augmented = new AugmentedFeatures(device, encoder, pictures(30), options);
    const found = [];
    for await (const { rows, features } of augmented.epoch(0)) {
      found.push({ rows: [...Array.from(rows)], values: await features.data() });
    }
    encoder.dispose();
    return found;
  };
  const [whole, parts] = [await features(device), await features(limited)];
  assertEquals(parts.map(({ rows }) => rows), whole.map(({ rows }) => rows));
  assertEquals(parts.map(({ rows }) => rows.length), [24, 6]);
  parts.forEach(({ values }, b) => values.forEach((v, i) => assertAlmostEquals(v, whole[b]!.values[i]!, 1e-4)));
});

Deno.test("pretrain() takes a prior that is larger than a binding from host memory, with the same bits", async () => {
  const dataset = smallDataset(20);
  const prior = { data: uniformNumbers(20 * 2000, key(7)), dim: 2000 };
  const [onHost, onDevice] = [uploadPrior(limited, prior), uploadPrior(device, prior)];
  assert(onHost instanceof HostPrior && !(onDevice instanceof HostPrior));
  assertEquals(onHost.shape, [20, 2000]);
  onHost.dispose();
  const train = async (given: HostPrior | typeof onDevice) => {
    using source = new ResidentImages(device, dataset.pixels, naturalRecipe({ size: 16 }));
    const model = makeModel("tiny", { stem: "cifar", device });
    const config = { epochs: 3, batchSize: 8, lr: 0.05, kernel: rbf({ sigma: 10 }), printEvery: 2 };
    const losses: PretrainReport["loss"][] = [];
    for await (const { loss } of pretrain(model, { source, prior: given }, config)) losses.push(loss);
    const state = await stateOf(model);
    model.dispose();
    return { losses, state };
  };
  const host = new HostPrior(device, prior);
  assertEquals(await train(host), await train(onDevice));
  for (const each of [host, onDevice]) each.dispose();
});

Deno.test("HostPrior gives the rows that are asked for", async () => {
  const prior = new HostPrior(device, { data: Float32Array.from({ length: 12 }, (_, i) => i), dim: 3 });
  using _ = scope();
  assertEquals([...await prior.rows(Uint32Array.of(3, 0)).data()], [9, 10, 11, 0, 1, 2]);
  assertEquals([...await prior.rows([1, 1]).data()], [3, 4, 5, 3, 4, 5]);
  prior.dispose();
});
