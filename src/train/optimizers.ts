import { Adam, AdamW, CosineAnnealingLR, LARS, type Optimizer, SGD } from "../optim/mod.ts";
import type { Tensor } from "../tensor/mod.ts";
import type { ResolvedConfig } from "./resolve.ts";

/** Constructors of the optimizers that a configuration can name. */
const OPTIMIZERS: Record<
  ResolvedConfig["optimizer"],
  (parameters: readonly Tensor[], config: ResolvedConfig) => Optimizer
> = {
  sgd: (parameters, { lr, momentum, weightDecay }) => new SGD(parameters, { lr, momentum, weightDecay }),
  lars: (parameters, { lr, momentum, weightDecay, faithfulLars: faithful }) =>
    new LARS(parameters, { lr, momentum, weightDecay, faithful }),
  adam: (parameters, { lr, weightDecay }) => new Adam(parameters, { lr, weightDecay }),
  adamw: (parameters, { lr, weightDecay }) => new AdamW(parameters, { lr, weightDecay }),
};

/** Makes the optimizer and the schedule that a configuration asks for. */
export function makeOptimizer(
  parameters: readonly Tensor[],
  config: ResolvedConfig,
): { optimizer: Optimizer; schedule: CosineAnnealingLR } {
  const optimizer = OPTIMIZERS[config.optimizer](parameters, config);
  return {
    optimizer,
    schedule: new CosineAnnealingLR(optimizer, {
      tMax: config.epochs - config.warmUp,
      etaMin: config.etaMin,
      warmUp: config.warmUp,
    }),
  };
}
