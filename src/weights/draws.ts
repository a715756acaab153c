import { ndarray } from "../formats/mod.ts";
import type { Module } from "../nn/mod.ts";
import type { StateDict } from "./model_state.ts";

const PREFIX = "draws.";

/** Counts of a module's random draws, such as stochastic depth's, for a checkpoint. */
export function readDraws(module: Module): StateDict {
  return new Map(
    [...module.namedDraws()].map(([name, { count }]) =>
      [PREFIX + name, ndarray([], "i64", BigInt64Array.of(BigInt(count)))] as const
    ),
  );
}

/** Goes on from the counts of a checkpoint; one of before they were kept has none, and draws begin anew. */
export function loadDraws(module: Module, state: StateDict): void {
  for (const [name, draws] of module.namedDraws()) draws.goTo(Number(state.get(PREFIX + name)?.data[0] ?? 0));
}

/** Runs something whose draws do not count, such as a rehearsal. */
export async function withoutDraws<T>(module: Module, run: () => Promise<T>): Promise<T> {
  const before = [...module.namedDraws()].map(([, draws]) => [draws, draws.count] as const);
  try {
    return await run();
  } finally {
    for (const [draws, count] of before) draws.goTo(count);
  }
}
