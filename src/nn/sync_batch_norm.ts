import type { Exchange } from "../distributed/mod.ts";
import { BatchNorm2d } from "./batch_norm2d.ts";
import type { Module } from "./module.ts";

/**
 * Makes every batch normalisation of a module take its statistics over the batches of all ranks while it trains, as
 * PyTorch's `SyncBatchNorm`: forward, backward and running statistics are those of one process with the joint batch, also
 * when the ranks' batches differ in size. The gradients of scale and shift are this rank's part of the sum.
 *
 * Each layer waits once in forward and once in backward for the device and for the other ranks.
 *
 * @param model Changed in place.
 * @param exchange How ranks exchange tensors; null: every rank for itself again.
 * @returns Layers that were changed.
 */
export function syncBatchNorm(model: Module, exchange: Exchange | null): number {
  let changed = 0;
  for (const [, module] of model.namedModules()) {
    if (!(module instanceof BatchNorm2d)) continue;
    module.synchronize(exchange);
    changed++;
  }
  return changed;
}
