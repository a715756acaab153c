// What other folders use beside mod.ts; not part of the package's interface.
export { isWatched, type OpResult, watchOps } from "./watch.ts";
export { askOnce, isRecomputing } from "./recompute.ts";
