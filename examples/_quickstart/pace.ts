import type { Device } from "../../mod.ts";
import type { QuickstartData } from "./data.ts";
import type { Recipe } from "./recipe.ts";
import { makeModel, trainEncoder } from "./train.ts";

/** Progress and speed of the first of some runs. */
export interface Pace {
  /** Epoch under way, counted from 1. */
  readonly epoch: number;
  /** Steps done in this epoch. */
  readonly step: number;
  /** Steps of an epoch. */
  readonly steps: number;
  /** Epochs of a run. */
  readonly epochs: number;
  /** Runs, all of them alike. */
  readonly runs: number;
  /** Samples a second since the last report. */
  readonly images_per_second: number;
  /** Samples of an epoch. */
  readonly samples: number;
}

/** Seconds that evaluation, the map and the page take, seen on two cores. */
const AROUND = 25;

/** Seconds to the end of all runs, the page included. */
export function remainingSeconds({ epoch, step, steps, epochs, runs, images_per_second, samples }: Pace): number {
  const done = epoch - 1 + step / steps;
  return (runs * epochs - done) * samples / images_per_second + AROUND;
}

/** Epochs of each of two runs that fit into some minutes: times a few batches, after the first ones, which compile. */
export async function epochsFor(
  minutes: number,
  { device, data, recipe, seed }: {
    readonly device: Device;
    readonly data: QuickstartData;
    readonly recipe: Recipe;
    readonly seed: number;
  },
): Promise<number> {
  const started = performance.now();
  const model = makeModel({ width: recipe.width, seed });
  let pace = 0;
  for await (
    const { images_per_second, step, epochDone } of trainEncoder(device, data, model, {
      recipe: { ...recipe, epochs: 1 },
      seed,
      prior: recipe.prior,
      printEvery: 3,
    })
  ) {
    pace = images_per_second;
    if (step >= 6 || epochDone) break;
  }
  model.dispose();
  return epochsIn(60 * minutes - (performance.now() - started) / 1000, pace, data.train.length);
}

/** Epochs of each of two runs that fit into seconds, one at least. */
export function epochsIn(seconds: number, images_per_second: number, samples: number): number {
  return Math.max(1, Math.floor((seconds - AROUND) * images_per_second / samples / 2));
}
