import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { Device } from "../../../mod.ts";
import { type FileDataset, loadFolder, NORMALIZATION, type PixelDataset } from "../../../src/data/mod.ts";
import { medianSigmaOf } from "../../../src/jobs/mod.ts";
import { kernelNeighbours, PICTURE } from "../../../src/eval/kernel_neighbours.ts";
import { kernelSection } from "../../../src/jobs/pretrain/kernel_section.ts";
import { namedNeighbours } from "../../../src/jobs/pretrain/kernel_view.ts";

const device = await Device.open();

/** Makes 4 images of one colour each, 2 × 2 px. */
function colours(): PixelDataset {
  return {
    name: "colours",
    split: "train",
    length: 4,
    classes: ["dark", "light"],
    labels: Int32Array.of(0, 0, 1, 1),
    pixels: { data: Uint8Array.from({ length: 48 }, (_, i) => 60 * Math.floor(i / 12)), height: 2, width: 2 },
    ...NORMALIZATION.cifar,
    resolution: 2,
    notes: [],
  };
}

/** Rows 0 and 3 are alike, 1 and 2 are; the diagonal is not 1. */
const GRAM = [4, 0.2, 0.4, 3, 0.2, 1, 0.5, 0, 0.4, 0.5, 1, 0.1, 3, 0, 0.1, 4];

Deno.test("kernelNeighbours() sorts the others by similarity, with their pictures", async () => {
  const { lists, pictures } = await kernelNeighbours(colours(), [0, 1, 2, 3], GRAM);
  assertEquals(lists.map(({ query }) => query), [0, 1, 2, 3]);
  assertEquals(lists[0]!.found, [
    { row: 3, similarity: 0.75 },
    { row: 2, similarity: 0.2 },
    { row: 1, similarity: 0.1 },
  ]);
  assertEquals(lists[1]!.found.map(({ row }) => row), [2, 0, 3]);
  assertEquals(pictures.size, 4);
  assertEquals(pictures.get(2), new Uint8Array(PICTURE * PICTURE * 3).fill(120));
});

Deno.test("kernelNeighbours() speaks of rows of the data set, not of the batch", async () => {
  const { lists, pictures } = await kernelNeighbours(colours(), [1, 3], [1, 0.5, 0.5, 1]);
  assertEquals(lists, [
    { query: 1, found: [{ row: 3, similarity: 0.5 }] },
    { query: 3, found: [{ row: 1, similarity: 0.5 }] },
  ]);
  assertEquals([...pictures.keys()], [1, 3]);
});

Deno.test("kernelNeighbours() decodes files, and does without those that cannot be read", async () => {
  const folder = await loadFolder(fromFileUrl(new URL("../../data/fixtures/images", import.meta.url)), {
    labels: false,
  });
  const at = (name: string) => folder.paths!.indexOf(name);
  const rows = [at("rgb.jpg"), at("truncated.jpg")];
  const { pictures } = await kernelNeighbours(folder as FileDataset, rows, [1, 1, 1, 1]);
  assertEquals([...pictures.keys()], [rows[0]]);
});

Deno.test("kernelSection() shows numbers, histogram, matrix and neighbours", async () => {
  const neighbours = namedNeighbours(colours(), await kernelNeighbours(colours(), [0, 1, 2, 3], GRAM));
  const description = {
    similarity: { min: 0.1, mean: 0.4, max: 0.75 },
    histogram: [1, 0, 5],
    effectiveRank: 2.5,
    retainedVariance: 0.4,
    mixing: 0.3,
    verdict: "graded",
    advice: null,
  } as const;
  const { heading, body } = await kernelSection("rbf, σ = 2", {
    gram: Float32Array.from(GRAM),
    size: 4,
    description,
    neighbours,
  });
  assertEquals(heading, "Kernel (rbf, σ = 2)");
  for (const part of ["0.400", "0.300", "2.5", "0.100", "0.750", "similarity of two images by their prior"]) {
    assertStringIncludes(body.markup, part);
  }
  const bars = [...body.markup.matchAll(/<rect [^>]*height="([\d.]+)"/g)].map(([, height]) => Number(height));
  assert(Math.abs(bars[2]! - 5 * bars[0]!) < 0.01 && bars[1] === 0, `${bars.slice(0, 3)}`);
  assertEquals([...body.markup.matchAll(/<img class="tile"/g)].length, 16);
  assertStringIncludes(body.markup, 'title="light"');
});

Deno.test("medianSigmaOf() is the median distance of rows all over the prior", async () => {
  assertEquals(await medianSigmaOf(device, { data: Float32Array.of(0, 0, 0, 3, 4, 0), dim: 2 }), 4);
  const many = { data: Float32Array.from({ length: 5000 }, (_, i) => i % 2 ? Math.PI : 0), dim: 1 };
  assertEquals(await medianSigmaOf(device, many), 3.14);
});
