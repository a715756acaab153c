// Batch axes of products: NumPy's broadcasting as steps, and its transpose, the sum over what was broadcast.
import { broadcastShapes, type Shape, sizeOf, Tensor } from "../../tensor/mod.ts";
import type { BatchAxes } from "./layout.ts";
import { sumMiddleInto } from "./sum_middle.ts";

/** One or more neighbouring axes that an operand has in common, or lacks in common. */
interface Axis {
  size: number;
  inA: boolean;
  inB: boolean;
}

/**
 * The axes that two batches broadcast to, neighbours merged where both operands allow it.
 *
 * @throws {TypeError} If more than three are left.
 */
export function batchAxes(a: Shape, b: Shape): BatchAxes {
  const axes = mergedAxes(a, b);
  if (axes.length > 3) {
    throw new TypeError(
      `Cannot compute matmul() as the batch axes broadcast in more than three alternating groups: got [${a}] and [${b}]`,
    );
  }
  while (axes.length < 3) axes.unshift({ size: 1, inA: false, inB: false });
  const sizes = axes.map(({ size }) => size) as [number, number, number];
  return { sizes, a: steps(axes, "inA"), b: steps(axes, "inB") };
}

/** Sums `x [batch, matrix]` over the axes of the batch that `own` lacks or has as 1; x itself where it lacks none. */
export function sumToBatch(x: Tensor, batch: Shape, own: Shape, matrix: number): Tensor {
  const axes = mergedAxes(batch, own);
  let sum = x;
  let outer = 1;
  for (let i = 0; i < axes.length; i++) {
    const { size, inB } = axes[i]!;
    if (inB || size === 1) outer *= size;
    else {
      const inner = matrix * sizeOf(axes.slice(i + 1).map((axis) => axis.size));
      const y = new Tensor(x.device, [outer * inner]);
      sumMiddleInto(sum, y, { outer, length: size, inner });
      sum = y;
    }
  }
  return sum;
}

function mergedAxes(a: Shape, b: Shape): Axis[] {
  const axes: Axis[] = [];
  const shape = broadcastShapes(a, b, "matmul");
  shape.forEach((size, i) => {
    const inA = (a[i - shape.length + a.length] ?? 1) > 1;
    const inB = (b[i - shape.length + b.length] ?? 1) > 1;
    const last = axes.at(-1);
    if (size === 1) return;
    if (last?.inA === inA && last.inB === inB) last.size *= size;
    else axes.push({ size, inA, inB });
  });
  return axes;
}

function steps(axes: readonly Axis[], which: "inA" | "inB"): [number, number, number] {
  const result: [number, number, number] = [0, 0, 0];
  let step = 1;
  for (let i = 2; i >= 0; i--) {
    if (!axes[i]![which]) continue;
    result[i] = step;
    step *= axes[i]!.size;
  }
  return result;
}
