import { type Communicator, gatherBytes } from "../distributed/mod.ts";
import { sha256 } from "../formats/internal.ts";
import type { Module } from "../nn/mod.ts";
import type { GradScaler, Optimizer } from "../optim/mod.ts";

/** Gives all ranks the weights, buffers, counters, optimizer's states and scale of the loss of rank 0. */
export async function broadcastState(
  group: Communicator,
  model: Module,
  optimizer?: Optimizer,
  scaler?: GradScaler | null,
): Promise<void> {
  const tensors = [...model.stateDict().values()];
  const values = await Promise.all(tensors.map((tensor) => tensor.data()));
  tensors.forEach((tensor, i) => {
    group.broadcast(values[i]!);
    if (group.rank !== 0) tensor.write(values[i]!);
  });
  broadcastCounts(group, model);
  if (scaler) {
    const { scale, growthTracker, skipped } = await scaler.state();
    const state = Float64Array.of(scale, growthTracker, skipped);
    group.broadcast(state);
    scaler.loadState({ scale: state[0]!, growthTracker: state[1]!, skipped: state[2]! });
  }
  if (!optimizer) return;
  const { lr, steps, states } = await optimizer.state();
  const scalars = Float64Array.of(lr, steps);
  for (const each of [scalars, ...Object.values(states).flat()]) group.broadcast(each);
  optimizer.loadState({ lr: scalars[0]!, steps: scalars[1]!, states });
}

/** Gives all ranks the counters of rank 0, and its counts of random draws. */
function broadcastCounts(group: Communicator, model: Module): void {
  const counters = [...model.namedCounters()].map(([, counter]) => counter);
  const draws = [...model.namedDraws()].map(([, each]) => each);
  const counts = Float64Array.from([...counters.map(({ value }) => value), ...draws.map(({ count }) => count)]);
  group.broadcast(counts);
  counters.forEach((counter, i) => counter.value = counts[i]!);
  draws.forEach((each, i) => each.goTo(counts[counters.length + i]!));
}

/**
 * Checks that weights and buffers are the same, bit for bit, on all ranks.
 *
 * @returns SHA-256 of them, in hexadecimal.
 * @throws {Error} On every rank, naming those that differ from rank 0.
 */
export async function verifyState(group: Communicator, model: Module): Promise<string> {
  const tensors = [...model.stateDict().values()];
  const own = await sha256(await Promise.all(tensors.map((tensor) => tensor.data())));
  const all = gatherBytes(group, new TextEncoder().encode(own)).map((bytes) => new TextDecoder().decode(bytes));
  const different = all.flatMap((other, rank) => other === all[0] ? [] : [rank]);
  if (different.length === 0) return own;
  throw new Error(
    `Cannot go on as the weights of ranks ${different.join(", ")} differ from those of rank 0: do all ranks have the ` +
      "same kind of GPU and driver?",
  );
}
