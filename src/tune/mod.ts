/**
 * Chooses the forms of matrix products and convolutions by timing them on the adapter at hand.
 *
 * @module
 */
export { tune, type TunedChoice, type TuneOptions, type TuneRefusal, type TuneReport } from "./tune.ts";
export type { TuneStore } from "./store.ts";
