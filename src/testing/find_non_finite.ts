import { noGrad } from "../autograd/mod.ts";
import { type OpResult, watchOps } from "../autograd/internal.ts";
import { abs, max, stack } from "../ops/mod.ts";
import { keep, type Shape, type Tensor, tidy } from "../tensor/mod.ts";

/** The first result that is not finite. */
export interface NonFinite {
  /** Name of the op. */
  readonly op: string;
  /** Pass of the op: `forward` for its output, `backward` for the gradient of an input. */
  readonly pass: "forward" | "backward";
  /** Shapes of its inputs. */
  readonly shapes: readonly Shape[];
  /** Largest magnitude of the tensor: NaN where it holds one, else Infinity. */
  readonly value: number;
}

/**
 * Runs a step and finds the op whose output, or whose gradient of an input, was the first to hold NaN or an infinity, as
 * PyTorch's `torch.autograd.detect_anomaly` does for gradients. A compiled step runs as an ordinary one inside.
 *
 * The step takes about three times as long, and one number is kept for each result.
 *
 * @param step What to run: forward, and `backward()` where gradients are of interest; not asynchronous.
 * @returns The op, whether forward or backward, and the shapes of its inputs; null where everything is finite.
 *
 * @example Usage
 * ```ts
 * import { backward, Device, log, requireGrad, sum, tensor } from "@decoupled/uniformity";
 * import { findNonFinite } from "@decoupled/uniformity/testing";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const x = requireGrad(tensor([1, 0]));
 * assertEquals(await findNonFinite(() => backward(sum(log(x)))), {
 *   op: "log",
 *   pass: "forward",
 *   shapes: [[2]],
 *   value: Infinity,
 * });
 * ```
 */
export async function findNonFinite(step: () => unknown): Promise<NonFinite | null> {
  const results: (Omit<OpResult, "tensor"> & { largest: Tensor })[] = [];
  try {
    watchOps(({ tensor, ...result }) => {
      if ((tensor.dtype !== "f32" && tensor.dtype !== "f16") || tensor.size === 0) return;
      results.push({ ...result, largest: noGrad(() => tidy(() => keep(max(abs(tensor))))) });
    }, step);
    if (results.length === 0) return null;
    using all = noGrad(() => tidy(() => keep(stack(results.map(({ largest }) => largest)))));
    const values = await all.data();
    const first = values.findIndex((value) => !Number.isFinite(value));
    if (first < 0) return null;
    const { op, pass, shapes } = results[first]!;
    return { op, pass, shapes, value: values[first]! };
  } finally {
    for (const { largest } of results) largest.dispose();
  }
}
