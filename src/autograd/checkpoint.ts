import { type DType, type FloatDType, type Tensor, tidy, zeros } from "../tensor/mod.ts";
import { autocast, autocastSums, isAutocast } from "./autocast.ts";
import { backward } from "./backward.ts";
import { defineOp, wantsGrad } from "./define_op.ts";
import { enableGrad, isGradEnabled, noGrad } from "./mode.ts";
import { FirstPass, runPass } from "./recompute.ts";

interface Attrs {
  readonly body: (...inputs: Tensor[]) => Tensor;
  /** Number of the op's inputs that are the body's; leaves follow. */
  readonly count: number;
  readonly leaves: readonly Tensor[];
  readonly first: FirstPass;
  readonly mixed: boolean;
  readonly sums: FloatDType;
  readonly output: Tensor;
}

const checkpointOp = defineOp<readonly Tensor[], Attrs, DType>({
  name: "checkpoint",
  half: true,
  forward(context, inputs, { output }) {
    context.save(...inputs);
    return output.alias();
  },
  backward({ saved, needsGrad }, grad, attrs) {
    const { body, count, leaves, first, mixed, sums } = attrs;
    const inputs = saved.slice(0, count).map((x, i) => {
      const leaf = x.alias();
      leaf.requiresGrad = needsGrad[i]!;
      return leaf;
    });
    const before = leaves.map(({ grad }) => grad);
    for (const leaf of leaves) leaf.grad = null;
    try {
      const run = () => autocast(() => body(...inputs), { enabled: mixed, sums, device: grad.device });
      const output = enableGrad(() => runPass(first, true, run));
      backward(output, { grad });
      return [...inputs, ...leaves].map((leaf, i) => needsGrad[i] ? takeGrad(leaf) : null);
    } finally {
      leaves.forEach((leaf, i) => leaf.grad = before[i]!);
    }
  },
});

/** The gradient of a leaf, in the scope that is open. */
function takeGrad(leaf: Tensor): Tensor {
  const { grad } = leaf;
  if (!grad) return zeros(leaf.shape, { device: leaf.device });
  const taken = grad.alias();
  grad.dispose();
  leaf.grad = null;
  return taken;
}

/**
 * Activation checkpointing, as `torch.utils.checkpoint`: computes `body(...inputs)` without keeping what its ops save for the
 * gradient, and computes it once more when the gradient comes by. Memory then holds the inputs of all such bodies and the
 * insides of one, for one more forward pass. The gradient is the same, bit for bit in f32 (of f16 inputs that are used several
 * times, gradients are added in f16): dropout and stochastic depth draw what they drew, and batch normalisation moves its
 * running statistics in the first pass only.
 *
 * @param body A function of tensors, made of this library's ops and modules, that does the same when it is called again.
 *   All that it differentiates are its inputs and parameters.
 * @param inputs What it is given.
 * @returns What it returns.
 * @throws {TypeError} If the body uses an output of an op that it was not given.
 *
 * @example Usage
 * ```ts
 * import { backward, Device, mean, ones, relu } from "@decoupled/uniformity";
 * import { checkpoint, Linear } from "@decoupled/uniformity/nn";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const layer = new Linear({ inFeatures: 8, outFeatures: 4 });
 * backward(mean(checkpoint((x) => relu(layer.forward(x)), ones([2, 8]))));
 * assertEquals(layer.weight.grad?.shape, [8, 4]);
 * ```
 *
 * @see Chen et al., "Training Deep Nets with Sublinear Memory Cost", arXiv:1604.06174.
 */
export function checkpoint<D extends DType>(body: (...inputs: Tensor[]) => Tensor<D>, ...inputs: Tensor[]): Tensor<D> {
  if (!isGradEnabled()) return body(...inputs);
  return tidy(() => {
    const first = new FirstPass();
    const output = noGrad(() => runPass(first, false, () => body(...inputs.map((x) => x.alias()))));
    const leaves = [...first.leaves];
    const all = [...inputs, ...leaves];
    if (!all.some(wantsGrad)) return output;
    const precision = { mixed: isAutocast(), sums: autocastSums() };
    return checkpointOp(all, { body, count: inputs.length, leaves, first, ...precision, output }) as Tensor<D>;
  });
}
