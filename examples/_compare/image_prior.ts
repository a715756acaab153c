import type { Device } from "../../mod.ts";
import { loadEmoji, type PriorRows } from "../../src/data/mod.ts";
import { centredUnit } from "../../src/eval/mod.ts";
import { type QuickstartData, trainingSet } from "../_quickstart/data.ts";
import { encodePixels } from "../_quickstart/evaluate.ts";
import type { Recipe } from "../_quickstart/recipe.ts";
import { makeModel, trainEncoder } from "../_quickstart/train.ts";

/** Vendors whose drawings the image encoder learns from: others than those that are compared. */
const VENDORS = ["apple", "facebook"] as const;

/** Settings of {@linkcode imagePrior}. */
export interface ImagePriorSettings {
  readonly recipe: Recipe;
  readonly seed: number;
  readonly signal: AbortSignal;
}

/**
 * Makes a prior from an image encoder: centred unit features of the training drawings, `[n, 256]`.
 *
 * The encoder learns without a prior and without labels from the same emoji as two other vendors draw them, so it knows
 * neither the words nor any held-out emoji. It stands for the pre-trained image encoder of the paper (section 4), which
 * npm does not carry.
 */
export async function imagePrior(
  device: Device,
  data: QuickstartData,
  { recipe, seed, signal }: ImagePriorSettings,
): Promise<PriorRows> {
  const emoji = await loadEmoji({ vendors: VENDORS });
  const learnt = new Set(data.trainNames);
  const rows = Uint32Array.from(emoji.names.keys().filter((row) => learnt.has(emoji.names[row]!)));
  const model = makeModel({ width: recipe.width, seed });
  try {
    const train = trainingSet(emoji, VENDORS, rows);
    const reports = trainEncoder(device, { ...data, train }, model, { recipe, seed, signal });
    for await (const { epoch, loss } of reports) {
      console.log(`Image encoder, seed ${seed}: epoch ${epoch}, loss ${loss}`);
    }
    return centredUnit(await encodePixels(device, model, data.train.pixels.data));
  } finally {
    model.dispose();
  }
}
