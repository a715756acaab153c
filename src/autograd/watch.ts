import type { Shape, Tensor } from "../tensor/mod.ts";

/** A result of an op, as it is made. */
export interface OpResult {
  /** Name of the op. */
  readonly op: string;
  /** Pass of the op: `forward` for its output, `backward` for the gradient of an input. */
  readonly pass: "forward" | "backward";
  /** Shapes of its inputs. */
  readonly shapes: readonly Shape[];
  /** The output or gradient. */
  readonly tensor: Tensor;
}

type Watcher = (result: OpResult) => void;

let watcher: Watcher | null = null;

/** Tells whether the caller is inside {@linkcode watchOps}. */
export function isWatched(): boolean {
  return watcher !== null;
}

/** Runs `body`, which must not be asynchronous, and shows each result of an op to `watch`, whose own ops are not shown. */
export function watchOps<T>(watch: Watcher, body: () => T): T {
  const before = watcher;
  watcher = watch;
  try {
    return body();
  } finally {
    watcher = before;
  }
}

/** Shows a result to who watches. */
export function showResult(result: OpResult): void {
  const watch = watcher;
  if (!watch) return;
  watcher = null;
  try {
    watch(result);
  } finally {
    watcher = watch;
  }
}
