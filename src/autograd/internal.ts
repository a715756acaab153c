// What other folders use beside mod.ts; not part of the package's interface.
export { isWatched, type OpResult, watchOps } from "./watch.ts";
export { askOnce, FirstPass, isRecomputing, runPass } from "./recompute.ts";
