import type { Device } from "../../device/mod.ts";
import type { Features, ImageDataset } from "../../data/mod.ts";
import {
  centredUnit,
  type DatasetFeatures,
  effectiveRank,
  meanOf,
  nearest,
  principalComponents,
  umap,
  uniformity,
} from "../../eval/mod.ts";
import { html, imageMap, type Section } from "../../report/mod.ts";
import { someFeatures } from "../../eval/internal.ts";
import { thumbnails } from "./thumbnails.ts";

/** Statistics of how the features of the test images are spread. */
export interface FeatureStatistics {
  /** Samples they are taken over. */
  readonly samples: number;
  /** Effective rank of the centred features. */
  readonly effective_rank: number;
  /** Uniformity of Wang and Isola, t = 2. */
  readonly uniformity: number;
  /** Share of the variance in the first two principal components. */
  readonly explained_by_two: number;
}

/** Samples of the statistics. */
const MOST = 512;
/** Pictures of a map. */
const ON_MAP = 300;
const QUERIES = 8;
const NEIGHBOURS = 6;

/** Statistics of at most 512 rows, the same ones in every run. */
export async function featureStatistics(device: Device, all: Features): Promise<FeatureStatistics> {
  const { features, kept } = someFeatures(all, MOST);
  const mean = meanOf(features);
  const centred = { dim: features.dim, data: features.data.map((v, i) => v - mean[i % features.dim]!) };
  const explained = kept.length > 2
    ? (await principalComponents(features, { device })).explained.reduce((a, b) => a + b, 0)
    : 1;
  return {
    samples: kept.length,
    effective_rank: effectiveRank(centred),
    uniformity: kept.length > 1 ? uniformity(features) : 0,
    explained_by_two: explained,
  };
}

interface EncodedSet {
  readonly dataset: ImageDataset;
  readonly encoded: DatasetFeatures;
}

/** Maps of the test images and a sheet of neighbours, as sections of a page. */
export async function featurePictures(
  device: Device,
  { train, test }: { train: EncodedSet; test: EncodedSet },
  statistics: FeatureStatistics & { readonly alignment: number },
  { resolution }: { resolution: number },
): Promise<Section[]> {
  const { features, kept } = someFeatures(test.encoded.features, ON_MAP);
  if (kept.length < 4) return [];
  const rows = kept.map((i) => test.encoded.rows[i]!);
  const pictures = await thumbnails(device, test.dataset, rows, resolution);
  const { places, explained } = await principalComponents(features, { device });
  const name = (row: number) => titleOf(test.dataset, row);
  const placed = (points: number[][]) =>
    points.map(([x, y], i) => ({ x: x!, y: y!, src: pictures.get(rows[i]!) ?? "", title: name(rows[i]!) }));
  const shares = explained.map((share) => `${(100 * share).toFixed(0)} %`).join(" and ");
  const rank = statistics.effective_rank.toFixed(1);
  const map = await imageMap(placed(places), { title: "Map of test images by principal components" });
  const neighboursMap = await imageMap(placed(await umap(centredUnit(features))), {
    title: "Map of test images by neighbours (UMAP)",
  });
  return [
    {
      heading: "Map by principal components",
      body:
        html`${map}<p class="faint">n = ${kept.length} test images; the two directions of largest variance hold ${shares} of it.
        Effective rank of the features ${rank} of ${features.dim}, uniformity ${
          statistics.uniformity.toFixed(2).replace("-", "−")
        } (0 is collapse), alignment of two views ${
          statistics.alignment.toFixed(3)
        } (0 is best), over ${statistics.samples} images.</p>`,
    },
    {
      heading: "Map by neighbours (UMAP)",
      body:
        html`${neighboursMap}<p class="faint">The same ${kept.length} images: those with similar features are near each other;
        distances between groups mean little.</p>`,
    },
    await neighbourSheet(device, { train, test }, resolution),
  ];
}

async function neighbourSheet(
  device: Device,
  { train, test }: { train: EncodedSet; test: EncodedSet },
  resolution: number,
): Promise<Section> {
  const queries = someFeatures(test.encoded.features, QUERIES);
  const gallery = someFeatures(train.encoded.features, 4000);
  const mean = meanOf(gallery.features);
  const k = Math.min(NEIGHBOURS, gallery.kept.length);
  const found = nearest(centredUnit(queries.features, mean), centredUnit(gallery.features, mean), { k });
  const queryRows = queries.kept.map((i) => test.encoded.rows[i]!);
  const galleryRows = Array.from(found.rows, (i) => train.encoded.rows[gallery.kept[i]!]!);
  const [own, others] = [
    await thumbnails(device, test.dataset, queryRows, resolution),
    await thumbnails(device, train.dataset, galleryRows, resolution),
  ];
  const lines = queryRows.map((row, q) =>
    html`<tr>${tile(test.dataset, own, row, false)}${
      galleryRows.slice(q * k, (q + 1) * k).map((other) =>
        tile(train.dataset, others, other, sameClass(test.dataset, row, train.dataset, other))
      )
    }</tr>`
  );
  const outlined = test.dataset.labels instanceof Int32Array ? " Outlined: of the same class." : "";
  const note = `By cosine of the centred features, the nearest first, of ${gallery.kept.length} training images.`;
  return { heading: "Nearest neighbours", body: neighbourTable(lines, k, note + outlined) };
}

/** Cell of a picture, outlined where it is a hit. */
function tile(dataset: ImageDataset, pictures: Map<number, string>, row: number, hit: boolean) {
  const title = titleOf(dataset, row);
  return html`
    <td class="${hit ? "hit" : ""}"><img class="tile" width="64" height="64" style="object-fit:contain" alt="${title}"
        title="${title}" src="${pictures.get(row) ?? ""}"></td>
  `;
}

function neighbourTable(lines: ReturnType<typeof html>[], k: number, note: string) {
  return html`
    <figure>
      <table class="pictures">
        <thead>
          <tr>
            <th>test image</th>
            <th colspan="${k}">nearest training images</th>
          </tr>
        </thead>
        <tbody>${lines}</tbody>
      </table>
    </figure>
    <p class="faint">${note}</p>
  `;
}

function sameClass(a: ImageDataset, row: number, b: ImageDataset, other: number): boolean {
  if (!(a.labels instanceof Int32Array && b.labels instanceof Int32Array)) return false;
  return a.classes[a.labels[row]!] === b.classes[b.labels[other]!];
}

function titleOf({ labels, classes, paths }: ImageDataset, row: number): string {
  if (labels instanceof Int32Array) return classes[labels[row]!] ?? `${labels[row]}`;
  return paths?.[row] ?? `image ${row}`;
}
