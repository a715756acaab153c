import { backward } from "../autograd/mod.ts";
import type { Contrastive } from "../nn/mod.ts";
import type { Optimizer } from "../optim/mod.ts";
import { scope, type Tensor } from "../tensor/mod.ts";
import { tune, type TuneOptions } from "../tune/mod.ts";

/**
 * Tunes for a loss and its gradients. In evaluation mode nothing else changes, and they are dropped: training goes on as
 * if it had begun with what was found.
 */
export async function tuneFor(
  loss: () => Tensor,
  model: Contrastive,
  optimizer: Optimizer,
  options: TuneOptions,
): Promise<void> {
  const step = () => {
    using _ = scope();
    backward(loss());
    optimizer.zeroGrad();
  };
  const shapes = model.parameters().map(({ shape }) => shape.join("x")).join(" ");
  model.eval();
  try {
    await tune(step, { ...options, name: `${options.name} ${await digest(shapes)}` });
  } finally {
    model.train();
  }
}

/** A few letters that stand for a text. */
async function digest(text: string): Promise<string> {
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  return bytes.subarray(0, 6).toHex();
}
