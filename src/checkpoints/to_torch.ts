import { ndarray, type TorchValue, writeTorch, writeWhole } from "../formats/mod.ts";
import type { Checkpoint, OptimizerCheckpoint } from "./types.ts";
import { isBuffer, TORCH_STATES } from "./torch.ts";

/** Settings of an optimizer by PyTorch's names, such as `{ lr: 0.1, momentum: 0.9 }`: what a checkpoint does not hold. */
export type TorchGroup = Readonly<Record<string, TorchValue>>;

/** Entries that PyTorch's optimizers want in `param_groups`; those not given have PyTorch's defaults. */
const GROUPS: Readonly<Record<string, TorchGroup>> = {
  sgd: { lr: 0.001, momentum: 0, dampening: 0, weight_decay: 0, nesterov: false },
  adam: { lr: 0.001, betas: [0.9, 0.999], eps: 1e-8, weight_decay: 0, amsgrad: false },
  adamw: { lr: 0.001, betas: [0.9, 0.999], eps: 1e-8, weight_decay: 0.01, amsgrad: false },
};

/**
 * Writes a checkpoint as PyTorch programs save theirs, `{ epoch, arch, state_dict, optimizer }`, whole or not at all:
 * `model.load_state_dict(file["state_dict"])` and `optimizer.load_state_dict(file["optimizer"])` go on from there, and
 * {@linkcode readCheckpoint} reads it back. The parameters are numbered in the order of the weights.
 *
 * @param path The file, `.pth` or `.pth.tar`.
 * @param checkpoint What to write; `beside` and the scale of the loss are left out.
 * @param group Settings of the optimizer, which PyTorch takes over with its state.
 */
export async function writeTorchCheckpoint(
  path: string,
  checkpoint: Checkpoint,
  group: TorchGroup = {},
): Promise<void> {
  const { weights, network, position, optimizer } = checkpoint;
  const value = {
    epoch: position?.epoch ?? 0,
    arch: network,
    state_dict: weights,
    ...optimizer ? { optimizer: torchOptimizer(optimizer, [...weights.keys()], group) } : {},
  };
  await writeWhole(path, [await writeTorch(value)]);
}

function torchOptimizer(
  { kind, steps, states }: OptimizerCheckpoint,
  weights: string[],
  group: TorchGroup,
): TorchValue {
  const names = weights.filter((name) => !isBuffer(name));
  const counted: TorchGroup = kind.startsWith("adam") ? { step: ndarray([], "f32", Float32Array.of(steps)) } : {};
  const state = new Map<number, TorchValue>();
  names.forEach((name, i) => {
    const kept = Object.entries(states).flatMap(([own, arrays]) => {
      const array = arrays.get(name);
      return array ? [[TORCH_STATES[own] ?? own, array] as const] : [];
    });
    if (kept.length > 0) state.set(i, { ...counted, ...Object.fromEntries(kept) });
  });
  return { state, param_groups: [{ ...GROUPS[kind] ?? {}, ...group, params: names.map((_, i) => i) }] };
}
