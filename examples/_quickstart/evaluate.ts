import { arange, type Device, squeeze, type Tensor, tensor, tidy } from "../../mod.ts";
import { augment, evalTransform, type Features } from "../../src/data/mod.ts";
import { centredUnit, encode, labelChance, nearest, type Neighbours } from "../../src/eval/mod.ts";
import type { Contrastive } from "../../src/nn/mod.ts";
import type { QuickstartData, VENDORS } from "./data.ts";

/** Measures of an encoder, with names for a table: first what words are about, then the drawings. */
export const MEASURES = [
  ["category", "category, 1-NN"],
  ["subcategory", "subcategory, 1-NN"],
  ["keyword", "keyword in common, 10-NN"],
  ["top1", "same emoji, top-1"],
  ["top5", "same emoji, top-5"],
] as const;

/** One of {@linkcode MEASURES}. */
export type Measure = (typeof MEASURES)[number][0];

/**
 * A share in [0, 1] for each query: the held-out drawings of the first vendor, then those of the second.
 *
 * `category`, `subcategory`: whether the nearest of all training drawings has the query's. `keyword`: the share of the ten
 * nearest training drawings that have a keyword in common with it. `top1`, `top5`: whether the same emoji is the nearest
 * one, or among the nearest five, of the other vendor's held-out drawings.
 */
export type QueryScores<M extends string = Measure> = Readonly<Record<M, Float64Array>>;

/** Scores and what the report draws. */
export interface Evaluation {
  readonly scores: QueryScores;
  /** Centred unit features of each vendor's held-out drawings. */
  readonly features: Readonly<Record<(typeof VENDORS)[number], Features>>;
  /** Nearest drawings of the second vendor for each of the first. */
  readonly across: Neighbours;
}

/** Features of the training drawings and of each vendor's held-out ones, as the encoder gives them. */
export interface Encoded extends Readonly<Record<(typeof VENDORS)[number], Features>> {
  readonly trained: Features;
}

/** Encodes all emoji, batch norm in eval mode. */
export async function encodeAll(device: Device, model: Contrastive, data: QuickstartData): Promise<Encoded> {
  const trained = await encodePixels(device, model, data.train.pixels.data);
  const twitter = await encodePixels(device, model, data.test.twitter);
  const google = await encodePixels(device, model, data.test.google);
  return { trained, twitter, google };
}

/** Encodes images given as bytes `[n, 32, 32, 3]`, batch norm in eval mode. */
export async function encodePixels(
  device: Device,
  model: Contrastive,
  pixels: Uint8Array<ArrayBuffer>,
): Promise<Features> {
  model.eval();
  const features = await encode(model.encoder, pixels.length / BYTES, toImages(device)(pixels));
  model.train();
  return features;
}

/** Bytes of an image. */
const BYTES = 32 * 32 * 3;

/** Makes the normalised images of rows `[from, to)` of bytes `[n, 32, 32, 3]`. */
function toImages(device: Device): (pixels: Uint8Array<ArrayBuffer>) => (from: number, to: number) => Tensor {
  const recipe = evalTransform({ size: 32, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] });
  return (pixels) => (from, to) =>
    tidy(() => {
      const bytes = tensor(pixels.slice(from * BYTES, to * BYTES), { shape: [to - from, 32, 32, 3], device });
      const indices = arange(0, to - from, { dtype: "u32", device });
      return squeeze(augment(bytes, { indices, recipe, views: 1 }), 1);
    });
}

/** Scores every held-out drawing. */
export function score(encoded: Encoded, data: QuickstartData): Evaluation {
  const [twitter, google] = [centredUnit(encoded.twitter), centredUnit(encoded.google)];
  const gallery = centredUnit(encoded.trained);
  const [across, back] = [nearest(twitter, google, { k: 5 }), nearest(google, twitter, { k: 5 })];
  const trained = [twitter, google].map((queries) => nearest(queries, gallery, { k: 10 }));
  const common = commonWords(data);
  const both = (found: readonly Neighbours[], score: (rows: Uint32Array, query: number) => number) =>
    Float64Array.from(
      found.flatMap(({ rows, k }) =>
        data.names.map((_, query) => score(rows.subarray(query * k, (query + 1) * k), query))
      ),
    );
  const scores = {
    category: both(trained, (rows, query) => Number(data.train.labels[rows[0]!] === data.category[query])),
    subcategory: both(trained, (rows, query) => Number(data.trainSubcategory[rows[0]!] === data.subcategory[query])),
    keyword: both(trained, (rows, query) => rows.reduce((sum, row) => sum + Number(common(query, row)), 0) / 10),
    top1: both([across, back], (rows, query) => Number(rows[0] === query)),
    top5: both([across, back], (rows, query) => Number(rows.includes(query))),
  };
  return { scores, features: { twitter, google }, across };
}

/** The emoji of each query: its two drawings are no two observations. */
export function queryGroups({ names }: QuickstartData): Uint32Array {
  return Uint32Array.from({ length: 2 * names.length }, (_, i) => i % names.length);
}

/** Computes the scores of a blind guess. */
export function chance(data: QuickstartData): Record<Measure, number> {
  const n = data.names.length;
  const common = commonWords(data);
  let pairs = 0;
  for (let query = 0; query < n; query++) {
    for (let row = 0; row < data.train.length; row++) pairs += Number(common(query, row));
  }
  return {
    category: labelChance(data.category, data.train.labels),
    subcategory: labelChance(data.subcategory, data.trainSubcategory),
    keyword: pairs / n / data.train.length,
    top1: 1 / n,
    top5: 5 / n,
  };
}

/** Whether a held-out emoji and a training drawing have a keyword in common. */
function commonWords({ words, train }: QuickstartData): (query: number, row: number) => boolean {
  const listed = ({ data, dim }: { data: Float32Array; dim: number }) =>
    Array.from({ length: data.length / dim }, (_, i) => {
      const row = data.subarray(i * dim, (i + 1) * dim);
      return new Set(Array.from(row.keys()).filter((word) => row[word]! > 0));
    });
  const [queries, gallery] = [listed(words), listed(train.prior)];
  return (query, row) => !queries[query]!.isDisjointFrom(gallery[row]!);
}

/** Mean of each measure. */
export function means<M extends string>(scores: QueryScores<M>): Record<M, number> {
  const mean = (values: Float64Array) => values.reduce((sum, v) => sum + v, 0) / values.length;
  return Object.fromEntries(Object.entries<Float64Array>(scores).map(([key, values]) => [key, mean(values)])) as Record<
    M,
    number
  >;
}
