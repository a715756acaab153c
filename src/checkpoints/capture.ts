import { toF32 } from "../formats/mod.ts";
import type { Module } from "../nn/mod.ts";
import type { GradScaler, Optimizer } from "../optim/mod.ts";
import { ownValue, savedValue } from "../weights/internal.ts";
import { loadState, readState, type StateDict } from "../weights/mod.ts";
import type { Checkpoint } from "./types.ts";

export { readCheckpoint, writeCheckpoint } from "./file.ts";

/** A weight became NaN or infinite. */
export class WeightsNotFiniteError extends RangeError {
  /** Name of the class, which errors are printed with. */
  override name = "WeightsNotFiniteError";
}

/** Facts that {@linkcode captureCheckpoint} cannot see in the model. */
export interface CheckpointNotes extends Pick<Checkpoint, "network" | "position" | "config" | "beside"> {
  /** Name of the optimizer: `"sgd"`, `"lars"`, `"adam"` or `"adamw"`. */
  readonly optimizerKind: string;
  /** Gradient scaler; none in full precision. */
  readonly scaler?: GradScaler | null;
}

/**
 * Reads a model and its optimizer back into a checkpoint.
 *
 * @throws {WeightsNotFiniteError} If a weight is not finite: such a state is not worth keeping.
 */
export async function captureCheckpoint(
  model: Module,
  optimizer: Optimizer,
  { optimizerKind, scaler, ...notes }: CheckpointNotes,
): Promise<Checkpoint> {
  const [weights, kept, scale] = await Promise.all([readState(model), optimizer.state(), scaler?.state()]);
  checkFinite(weights);
  const parameters = [...model.namedParameters()];
  const states: Record<string, StateDict> = {};
  for (const [state, arrays] of Object.entries(kept.states)) {
    states[state] = new Map(
      parameters.map(([name, parameter], i) => [name, savedValue(parameter, arrays[i]!)]),
    );
  }
  const own = { kind: optimizerKind, steps: kept.steps, states };
  return { ...notes, weights, optimizer: scale ? { ...own, scaler: scale } : own };
}

/**
 * Puts a checkpoint into a model and, where it has them, the states of its optimizer and scale of the loss into those.
 * Nothing is changed when the weights are of another architecture.
 *
 * @throws {TypeError} If the checkpoint is of another architecture or another optimizer.
 */
export function restoreCheckpoint(
  checkpoint: Checkpoint,
  model: Module,
  optimizer?: Optimizer,
  scaler?: GradScaler | null,
): void {
  const { oldTables } = checkpoint;
  loadState(model, checkpoint.weights, { oldTables });
  if (!optimizer || !checkpoint.optimizer) return;
  const { steps, states } = checkpoint.optimizer;
  const parameters = [...model.namedParameters()];
  const own = Object.entries(states).map(([state, arrays]) => {
    const missing = parameters.map(([name]) => name).filter((name) => !arrays.has(name));
    if (missing.length === 0) {
      return [state, parameters.map(([name, own]) => toF32(ownValue(own, arrays.get(name)!, oldTables)))] as const;
    }
    throw new TypeError(`Cannot load the optimizer's state as it has no ${state} of ${missing.slice(0, 5).join(", ")}`);
  });
  optimizer.loadState({ lr: optimizer.lr, steps, states: Object.fromEntries(own) });
  if (checkpoint.optimizer.scaler) scaler?.loadState(checkpoint.optimizer.scaler);
}

function checkFinite(weights: StateDict): void {
  for (const [name, { dtype, data }] of weights) {
    if (dtype !== "f32") continue;
    for (let i = 0; i < data.length; i++) {
      if (!Number.isFinite(data[i])) {
        throw new WeightsNotFiniteError(`Cannot save the model as ${name} is not finite: got ${data[i]}`);
      }
    }
  }
}
