import { type ByteSource, isNdArray, type NdArray, readTorch, stateDict } from "../formats/mod.ts";
import type { PickleValue } from "../formats/mod.ts";
import type { Checkpoint, OptimizerCheckpoint } from "./checkpoint_types.ts";
import { checkPosition } from "./checkpoint_notes.ts";
import type { StateDict } from "./model_state.ts";

/**
 * A checkpoint of the original (`{ epoch, arch, state_dict, optimizer }`) or a bare state dict such as torchvision's.
 * `epoch` in the original's files counts the epochs that are done.
 */
export async function torchCheckpoint(source: ByteSource): Promise<Checkpoint> {
  const value = await readTorch(source);
  const weights = stateDict(value, { prefixes: ["module."] });
  const top = value instanceof Map ? value : new Map<PickleValue, PickleValue>();
  const isTraining = top.get("state_dict") instanceof Map;
  const epoch = isTraining ? top.get("epoch") : undefined;
  const arch = isTraining ? top.get("arch") : undefined;
  return {
    weights,
    network: typeof arch === "string" ? arch : null,
    position: epoch === undefined
      ? null
      : checkPosition({ epoch: typeof epoch === "bigint" ? Number(epoch) : epoch, step: 0 }),
    optimizer: isTraining ? optimizerOf(top.get("optimizer"), weights) : null,
    config: {},
  };
}

/** Momentum buffers are numbered in the order of the parameters. */
function optimizerOf(value: PickleValue | undefined, weights: StateDict): OptimizerCheckpoint | null {
  const state = value instanceof Map ? value.get("state") : undefined;
  if (!(state instanceof Map)) return null;
  const names = [...weights.keys()].filter((name) => !/\.(running_mean|running_var|num_batches_tracked)$/.test(name));
  const velocities = new Map<string, NdArray>();
  for (const [index, each] of state) {
    const buffer = each instanceof Map ? each.get("momentum_buffer") : undefined;
    const name = names[Number(index)];
    if (name !== undefined && isNdArray(buffer)) velocities.set(name, buffer);
  }
  return { kind: "", steps: 0, velocities };
}
