// Batch normalisation of a batch in parts: one op has the moments of all parts, and one op for each part normalises it by
// them. In backward the parts leave the sums of their gradients, of which the first op makes the gradients of all parts.
import { defineOp } from "../autograd/mod.ts";
import type { Exchange } from "../distributed/mod.ts";
import {
  fewMoments,
  gradInput,
  isRemade,
  mergeMoments,
  mergeSums,
  normalize,
  oneDType,
  reduceGrads,
  type RunningStatistics,
  sliceMoments,
} from "../ops/internal.ts";
import { concat } from "../ops/mod.ts";
import { keep, Tensor } from "../tensor/mod.ts";

/** State that the parts of a batch share. */
interface Joint {
  readonly eps: number;
  readonly relu: boolean;
  readonly exchange: Exchange | null;
  readonly affine: { readonly weight: Tensor; readonly bias: Tensor };
  /** Moments of each part that the op before left, if it did. */
  readonly given: readonly (Tensor | null)[];
  /** Moments of all parts. */
  moments: Tensor | null;
  /** Gradients of the normalised parts in backward, and whether ReLU is yet to mask them. */
  readonly grads: ({ readonly grad: Tensor; readonly relu: boolean } | null)[];
}

/** Inputs: the parts. The output stands for their sums in backward; it has no values. */
const momentsOp = defineOp<readonly Tensor[], Joint>({
  name: "batchMoments",
  half: true,
  forward(context, parts, joint) {
    const own = mergeMoments(concat(parts.map((x, i) => joint.given[i] ?? sliceMoments(x)), 0));
    joint.moments = keep(fewMoments(joint.exchange?.gather(own) ?? own).alias());
    context.save(...parts, joint.affine.weight, joint.affine.bias, joint.moments);
    return new Tensor(own.device, [1, 2, own.shape[2]!]);
  },
  backward({ saved, needsGrad }, grad, { exchange, eps, grads }) {
    const [moments, bias, weight] = [saved.at(-1)!, saved.at(-2)!, saved.at(-3)!];
    const [sums] = exchange?.sum([grad]) ?? [grad];
    return needsGrad.map((needed, i) => {
      const own = grads[i];
      if (!needed || !own) return null;
      const operands = { x: saved[i]!, norm: { moments, eps }, affine: { weight, bias }, grad: own.grad };
      const { gradX } = gradInput(operands, { sums: sums!, relu: own.relu, training: true, inPlace: false });
      own.grad.dispose();
      grads[i] = null;
      return gradX;
    });
  },
});

interface PartAttrs {
  readonly joint: Joint;
  /** Index of the part. */
  readonly index: number;
  readonly x: Tensor;
  readonly running?: RunningStatistics;
  readonly remake: boolean;
}

/** Inputs: the sums, weight, bias and, where there is one, the residual. */
const partOp = defineOp<readonly Tensor[], PartAttrs>({
  name: "batchNorm",
  half: true,
  forward(context, [, ...inputs], { joint, x: given, running }) {
    const [x, weight, bias, residual] = oneDType([given, ...inputs]);
    const norm = { moments: joint.moments!, eps: joint.eps };
    const y = normalize(x, norm, { weight, bias }, { residual, relu: joint.relu, running });
    context.save(x, weight, bias, joint.moments!);
    if (joint.relu && residual) context.save(y);
    return y;
  },
  backward(context, grad, { joint: { eps, relu, grads }, index }) {
    const { saved, needsGrad, shapes, otherGrad: other } = context;
    const [x, weight, bias, moments, output] = saved as [Tensor, Tensor, Tensor, Tensor, Tensor?];
    const operands = { x, norm: { moments, eps }, affine: { weight, bias }, grad };
    const { sums, masked } = reduceGrads(operands, { relu, output, inPlace: context.mayOverwrite(grad), other });
    for (const each of [output, other]) if (each) context.release(each);
    const { merged, gradBias, gradWeight } = mergeSums(sums, operands.norm);
    if (needsGrad[0]) grads[index] = { grad: keep((masked ?? grad).alias()), relu: relu && !masked };
    const found = [needsGrad[0] ? merged : null, needsGrad[1] ? gradWeight : null, needsGrad[2] ? gradBias : null];
    return shapes.length > 3 ? [...found, needsGrad[3] ? masked ?? grad.alias() : null] : found;
  },
  addsGrads: ({ shapes }, { joint: { relu } }) => relu && shapes.length > 3,
  remakes: ({ remake }) => remake,
  remake({ saved }, { joint: { eps, relu } }) {
    const [x, weight, bias, moments] = saved as [Tensor, Tensor, Tensor, Tensor];
    return normalize(x, { moments, eps }, { weight, bias }, { relu });
  },
});

/** Options of {@linkcode jointBatchNorm}. */
export interface JointOptions {
  readonly affine: { readonly weight: Tensor; readonly bias: Tensor };
  readonly running: RunningStatistics;
  readonly eps: number;
  readonly relu: boolean;
  /** Residuals added to each part. */
  readonly residuals: readonly Tensor[] | null;
  /** Moments of each part, where the op that made it left them. */
  readonly moments: readonly (Tensor | null)[];
  /** The ranks whose parts are normalised together with these; none by default. */
  readonly exchange: Exchange | null;
}

/** Normalises the parts of a batch by the statistics of all of them; the running ones move once. */
export function jointBatchNorm(parts: readonly Tensor[], options: JointOptions): Tensor<"f32">[] {
  const { affine, running, eps, relu, residuals, moments: given, exchange } = options;
  const joint: Joint = { eps, relu, exchange, affine, given, moments: null, grads: parts.map(() => null) };
  const sums = momentsOp(parts, joint);
  const outputs = parts.map((x, index) => {
    const residual = residuals?.[index];
    const inputs = [sums, affine.weight, affine.bias, ...residual ? [residual] : []];
    const remake = isRemade(x, residual);
    return partOp(inputs, { joint, index, x, running: index === 0 ? running : undefined, remake });
  });
  joint.moments!.dispose();
  joint.moments = null;
  return outputs;
}
