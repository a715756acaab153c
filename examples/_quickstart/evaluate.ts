import type { Tensor } from "../../mod.ts";
import type { Contrastive } from "../../src/nn/mod.ts";
import {
  centredUnit,
  encode,
  labelChance,
  labelRate,
  matchRate,
  nearest,
  type Neighbours,
} from "../../src/eval/mod.ts";
import type { Features } from "../../src/data/mod.ts";
import type { QuickstartData, VENDORS } from "./data.ts";

/** What the held-out emoji say of an encoder; every number is a share in [0, 1]. */
export interface Scores {
  /** The same emoji is the nearest one in the other vendor's drawing. */
  readonly top1: number;
  /** It is among the nearest five. */
  readonly top5: number;
  /** The nearest of all training drawings has the same category. */
  readonly category: number;
  /** The same subcategory. */
  readonly subcategory: number;
}

/** Scores and what the report draws. */
export interface Evaluation {
  readonly scores: Scores;
  /** Centred unit features of each vendor's held-out drawings. */
  readonly features: Readonly<Record<(typeof VENDORS)[number], Features>>;
  /** For each drawing of the first vendor, the nearest ones of the second. */
  readonly across: Neighbours;
}

/** Makes the normalised images of rows `[from, to)` of some pixels. */
export type ToImages = (pixels: Uint8Array<ArrayBuffer>) => (from: number, to: number) => Tensor;

/** Features of the training drawings and of each vendor's held-out ones, as the encoder gives them. */
export interface Encoded extends Readonly<Record<(typeof VENDORS)[number], Features>> {
  readonly trained: Features;
}

/** Encodes all emoji, batch norm in eval mode. */
export async function encodeAll(model: Contrastive, data: QuickstartData, toImages: ToImages): Promise<Encoded> {
  model.eval();
  const n = data.names.length;
  const trained = await encode(model.encoder, data.train.length, toImages(data.train.pixels.data));
  const twitter = await encode(model.encoder, n, toImages(data.test.twitter));
  const google = await encode(model.encoder, n, toImages(data.test.google));
  model.train();
  return { trained, twitter, google };
}

/** Encodes the held-out emoji and compares the two drawings of each, in both directions. */
export async function evaluate(model: Contrastive, data: QuickstartData, toImages: ToImages): Promise<Evaluation> {
  return score(await encodeAll(model, data, toImages), data);
}

/** Compares the two drawings of each held-out emoji, in both directions. */
export function score(encoded: Encoded, data: QuickstartData): Evaluation {
  const [twitter, google] = [centredUnit(encoded.twitter), centredUnit(encoded.google)];
  const across = nearest(twitter, google, { k: 5 });
  const back = nearest(google, twitter, { k: 5 });
  const gallery = centredUnit(encoded.trained);
  const classified = [twitter, google].map((features) => nearest(features, gallery, { k: 1 }));
  const label = (labels: Int32Array, of: Int32Array) =>
    classified.reduce((sum, found) => sum + labelRate(found, labels, of) / 2, 0);
  const both = (rate: (neighbours: Neighbours) => number) => (rate(across) + rate(back)) / 2;
  const scores = {
    top1: both((found) => matchRate(found, 1)),
    top5: both((found) => matchRate(found, 5)),
    category: label(data.category, data.train.labels),
    subcategory: label(data.subcategory, data.trainSubcategory),
  };
  return { scores, features: { twitter, google }, across };
}

/** What a blind guess scores. */
export function chance(data: QuickstartData): Scores {
  const n = data.names.length;
  return {
    top1: 1 / n,
    top5: 5 / n,
    category: labelChance(data.category, data.train.labels),
    subcategory: labelChance(data.subcategory, data.trainSubcategory),
  };
}
