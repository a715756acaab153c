import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import {
  type FileDataset,
  type ImageDataset,
  type PixelDataset,
  subset,
  takeFirst,
  takeStratified,
} from "../../src/data/dataset.ts";

const BASE = { name: "dots", split: "train", mean: [0, 0, 0], std: [1, 1, 1], resolution: 2, notes: [] } as const;

function pixelDataset(): PixelDataset {
  return {
    ...BASE,
    notes: [],
    length: 3,
    classes: ["dark", "light"],
    labels: Int32Array.of(0, 1, 1),
    pixels: { data: Uint8Array.from({ length: 18 }, (_, i) => i), height: 2, width: 1 },
    paths: ["a", "b", "c"],
    prior: { data: Float32Array.of(1, 2, 3, 4, 5, 6), dim: 2, columns: ["x", "y"] },
  };
}

Deno.test("subset() picks pixels, labels, paths and prior together", () => {
  const dataset = pixelDataset();
  const picked = subset(dataset, [2, 0, 2]);
  assertEquals(picked.length, 3);
  assertEquals(picked.labels, Int32Array.of(1, 0, 1));
  assertEquals(picked.paths, ["c", "a", "c"]);
  assertEquals([...picked.pixels.data], [12, 13, 14, 15, 16, 17, 0, 1, 2, 3, 4, 5, 12, 13, 14, 15, 16, 17]);
  assertEquals(picked.prior, { data: Float32Array.of(5, 6, 1, 2, 5, 6), dim: 2, columns: ["x", "y"] });
  assertEquals(dataset, pixelDataset(), "the data set is left as it is");
});

Deno.test("subset() picks files and rows of several labels", () => {
  const dataset: FileDataset = {
    ...BASE,
    notes: [],
    length: 2,
    classes: ["a", "b"],
    labels: Float32Array.of(0, 1, NaN, 0),
    files: { paths: ["/x/1.jpg", "/x/2.jpg"], decode: { grayscale: true }, evaluation: {} },
  };
  const picked = subset(dataset, [1]);
  assertEquals(picked.labels, Float32Array.of(NaN, 0));
  assertEquals(picked.files, { paths: ["/x/2.jpg"], decode: { grayscale: true }, evaluation: {} });
  assertEquals(subset({ ...dataset, labels: null }, [1]).labels, null);
});

Deno.test("subset() throws on what is no index", () => {
  for (const index of [-1, 3, 0.5, NaN]) {
    assertThrows(
      () => subset(pixelDataset(), [0, index]),
      RangeError,
      `Cannot pick images of "dots" as an index must be an integer from 0 to 2: got ${index}`,
    );
  }
});

Deno.test("takeFirst() takes the first images, or all", () => {
  const dataset = pixelDataset();
  assertEquals(takeFirst(dataset, 2).paths, ["a", "b"]);
  assertStrictEquals(takeFirst(dataset, 3), dataset);
  assertStrictEquals(takeFirst(dataset, 100), dataset);
  for (const count of [0, -1, 1.5, NaN]) {
    assertThrows(
      () => takeFirst(dataset, count),
      RangeError,
      `Cannot take the first images as count must be a positive integer: current value is ${count}`,
    );
  }
});

function labelled(counts: number[]): ImageDataset {
  const labels = Int32Array.from(counts.flatMap((count, label) => new Array<number>(count).fill(label)));
  return {
    ...{ name: "dots", split: "train", length: labels.length, classes: counts.map(String), labels, resolution: 1 },
    pixels: { data: new Uint8Array(3 * labels.length), height: 1, width: 1 },
    ...{ mean: [0, 0, 0], std: [1, 1, 1], notes: [] },
  };
}

Deno.test("takeStratified() gives each class its share and at least one image", () => {
  const countsOf = (counts: number[], count: number) => {
    const { labels } = takeStratified(labelled(counts), count);
    return counts.map((_, label) => [...labels as Int32Array].filter((each) => each === label).length);
  };
  assertEquals(countsOf([50, 30, 20], 10), [5, 3, 2]);
  assertEquals(countsOf([97, 1, 1, 1], 10), [7, 1, 1, 1]);
  assertEquals(countsOf([3, 3, 3], 7).reduce((a, b) => a + b), 7);
  assertEquals(countsOf([5, 5], 2), [1, 1]);
  assertEquals(countsOf([4, 4], 99), [4, 4]);
});

Deno.test("takeStratified() spreads over the images, keeps their order and repeats itself", () => {
  const rows = { ...labelled([6, 4]), paths: [..."abcdefghij"] };
  assertEquals(takeStratified(rows, 5).paths, ["a", "c", "e", "g", "i"]);
  assertEquals(takeStratified({ ...rows, labels: null }, 2).paths, ["a", "f"]);
  assertThrows(() => takeStratified(rows, 0), RangeError, "as count must be a positive integer: current value is 0");
  assertThrows(
    () => takeStratified(labelled([4, 4, 4]), 2),
    RangeError,
    'Cannot take 2 images of "dots" (train) as each class must keep one: got 3 classes',
  );
});
