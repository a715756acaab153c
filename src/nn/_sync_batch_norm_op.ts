// Batch normalisation over the batches of all ranks: moments and gradient sums are exchanged between its passes.
import { defineOp } from "../autograd/mod.ts";
import type { Exchange } from "../distributed/mod.ts";
import {
  fewMoments,
  gradInput,
  mergeMoments,
  mergeSums,
  normalize,
  oneDType,
  reduceGrads,
  REMAKES,
  type RunningStatistics,
  sliceMoments,
} from "../ops/internal.ts";
import type { Tensor } from "../tensor/mod.ts";

interface Attrs {
  readonly exchange: Exchange;
  readonly running: RunningStatistics;
  readonly eps: number;
  readonly relu: boolean;
  /** Moments of this rank's x, where the op that made it left them. */
  readonly moments?: Tensor;
  /** Whether the output is made again in the backward instead of kept (rematerialisation), as in `batchNorm()`. */
  readonly remake: boolean;
}

/** Inputs: x, weight, bias and, where there is one, the residual. The gradients of weight and bias are this rank's part. */
export const syncBatchNormOp = defineOp<readonly Tensor[], Attrs>({
  name: "syncBatchNorm",
  half: true,
  forward(context, inputs, { exchange, running, eps, relu, ...given }) {
    const [x, weight, bias, residual] = oneDType(inputs);
    const own = mergeMoments(given.moments ?? sliceMoments(x));
    const moments = fewMoments(exchange.gather(own));
    const y = normalize(x, { moments, eps }, { weight, bias }, { residual, relu, running });
    context.save(x, weight, bias, moments);
    if (relu && residual) context.save(y);
    return y;
  },
  backward(context, grad, { exchange, relu, eps }) {
    const { saved, needsGrad, shapes } = context;
    const [x, weight, bias, moments, output] = saved as [Tensor, Tensor, Tensor, Tensor, Tensor?];
    const operands = { x, norm: { moments, eps }, affine: { weight, bias }, grad };
    const { otherGrad: other } = context;
    const { sums, masked } = reduceGrads(operands, { relu, output, inPlace: context.mayOverwrite(grad), other });
    for (const each of [output, other]) if (each) context.release(each);
    const { merged, gradBias, gradWeight } = mergeSums(sums, operands.norm);
    const [total] = exchange.sum([merged]) as [Tensor];
    const options = { sums: total, relu: relu && !masked, training: true, inPlace: context.mayOverwrite(x) };
    const gradX = needsGrad[0] ? gradInput({ ...operands, grad: masked ?? grad }, options).gradX : null;
    const grads = [gradX, needsGrad[1] ? gradWeight : null, needsGrad[2] ? gradBias : null];
    return shapes.length > 3 ? [...grads, needsGrad[3] ? masked ?? grad.alias() : null] : grads;
  },
  addsGrads: ({ shapes }, { relu }) => relu && shapes.length > 3,
  ...REMAKES,
});
