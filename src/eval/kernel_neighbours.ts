import { type FileDataset, type ImageDataset, ImageDecoder, resizeBilinear } from "../data/mod.ts";

/** An image and its nearest neighbours by the kernel, the nearest first. */
export interface KernelNeighbourList {
  /** Row of the data set. */
  readonly query: number;
  /** Rows of the data set, with their similarity `k(x, y) / √(k(x, x) k(y, y))`. */
  readonly found: readonly { readonly row: number; readonly similarity: number }[];
}

/** Nearest neighbours under the prior, with small pictures. */
export interface KernelNeighbours {
  /** Lists of images and their neighbours. */
  readonly lists: readonly KernelNeighbourList[];
  /** Pictures of the rows named above, bytes `[32, 32, 3]`; images that cannot be read have none. */
  readonly pictures: ReadonlyMap<number, Uint8Array<ArrayBuffer>>;
}

/** Side of the pictures, px. */
export const PICTURE = 32;

const [QUERIES, FOUND] = [8, 5];

/**
 * The nearest neighbours under a prior, among some images.
 *
 * @param dataset The images.
 * @param rows Those that are looked at, at least two.
 * @param gram Their kernel values, `[rows, rows]`.
 */
export async function kernelNeighbours(
  dataset: ImageDataset,
  rows: readonly number[],
  gram: ArrayLike<number>,
): Promise<KernelNeighbours> {
  const n = rows.length;
  const count = Math.min(QUERIES, n);
  const lists = Array.from({ length: count }, (_, q) => {
    const i = Math.floor((q + 0.5) * n / count);
    const others = rows.flatMap((row, j) => i === j ? [] : [{ row, similarity: similarity(gram, n, i, j) }]);
    const found = others.sort((a, b) => b.similarity - a.similarity || a.row - b.row).slice(0, FOUND);
    return { query: rows[i]!, found };
  });
  const wanted = [...new Set(lists.flatMap(({ query, found }) => [query, ...found.map(({ row }) => row)]))];
  return { lists, pictures: await picturesOf(dataset, wanted) };
}

function similarity(gram: ArrayLike<number>, n: number, i: number, j: number): number {
  const scale = Math.sqrt(gram[i * n + i]! * gram[j * n + j]!);
  return scale > 0 ? gram[i * n + j]! / scale : 0;
}

/** Small pictures of some rows, bytes `[32, 32, 3]` by row; images that cannot be read have none. */
export async function picturesOf(
  dataset: ImageDataset,
  rows: readonly number[],
): Promise<Map<number, Uint8Array<ArrayBuffer>>> {
  if (!dataset.pixels) return await decodedPictures(dataset, rows);
  const { data, height, width } = dataset.pixels;
  const size = height * width * 3;
  return new Map(rows.map((row) => {
    const image = { data: data.slice(row * size, (row + 1) * size), height, width };
    return [row, resizeBilinear(image, { height: PICTURE, width: PICTURE }).data];
  }));
}

async function decodedPictures(
  dataset: FileDataset,
  rows: readonly number[],
): Promise<Map<number, Uint8Array<ArrayBuffer>>> {
  const pictures = new Map<number, Uint8Array<ArrayBuffer>>();
  const spec = { ...dataset.files.decode, resize: { height: PICTURE, width: PICTURE }, centerCrop: undefined };
  using decoder = new ImageDecoder(dataset, { workers: 1, spec, maxUnreadable: 1 });
  for await (const { index, data } of decoder.decode(rows)) pictures.set(index, data);
  return pictures;
}
