// Batch normalisation over the batches of all ranks: moments and gradient sums are exchanged between its passes.
import { defineOp } from "../autograd/mod.ts";
import type { Exchange } from "../distributed/exchange.ts";
import {
  finishStatistics,
  mergeMoments,
  normalize,
  oneDType,
  type RunningStatistics,
  sliceMoments,
} from "../ops/_batch_norm.ts";
import { gradInput, reduceGrads } from "../ops/_batch_norm_grad.ts";
import type { Tensor } from "../tensor/mod.ts";

interface Attrs {
  readonly exchange: Exchange;
  readonly running: RunningStatistics;
  readonly eps: number;
  readonly relu: boolean;
  /** Of this rank's x, where what made it left them. */
  readonly moments?: Tensor;
  /** As in `batchNorm()`. */
  readonly remake: boolean;
}

/** Inputs: x, weight, bias and, where there is one, the residual. The gradients of weight and bias are this rank's part. */
export const syncBatchNormOp = defineOp<readonly Tensor[], Attrs>({
  name: "syncBatchNorm",
  half: true,
  forward(context, inputs, { exchange, running, eps, relu, moments }) {
    const [x, weight, bias, residual] = oneDType(inputs);
    const own = mergeMoments(moments ?? sliceMoments(x));
    const stats = finishStatistics(exchange.gather(own), { eps, running });
    const y = normalize(x, stats, { weight, bias }, { residual, relu });
    context.save(x, weight, bias, stats);
    if (relu && residual) context.save(y);
    return y;
  },
  backward(context, grad, { exchange, relu }) {
    const { saved, needsGrad, shapes } = context;
    const [x, weight, bias, stats, output] = saved as [Tensor, Tensor, Tensor, Tensor, Tensor?];
    const affine = { weight, bias };
    const { gradBias, gradWeight, masked } = reduceGrads(x, grad, stats, affine, {
      relu,
      output,
      inPlace: context.mayOverwrite(grad),
    });
    if (output) context.release(output);
    const [sumBias, sumWeight] = exchange.sum([gradBias, gradWeight]) as [Tensor, Tensor];
    const sums = { gradBias: sumBias, gradWeight: sumWeight };
    const gradX = needsGrad[0]
      ? gradInput(x, masked ?? grad, stats, affine, {
        sums,
        relu: relu && !masked,
        training: true,
        inPlace: context.mayOverwrite(x),
      })
      : null;
    const grads = [gradX, needsGrad[1] ? gradWeight : null, needsGrad[2] ? gradBias : null];
    return shapes.length > 3 ? [...grads, needsGrad[3] ? masked ?? grad.alias() : null] : grads;
  },
  remakes: ({ remake }) => remake,
  remake({ saved }, { relu }) {
    const [x, weight, bias, stats] = saved as [Tensor, Tensor, Tensor, Tensor];
    return normalize(x, stats, { weight, bias }, { relu });
  },
});
