// The sum of two normalised tensors and ReLU, where a convolution makes the residual of another: neither normalised one is
// ever stored, and both have one pass over memory where each would have its own.
import { defineOp, type OpContext } from "../../autograd/mod.ts";
import { lib_lanes, lib_nan, lib_slices } from "../../shaders/lib.ts";
import { add_norms as code } from "../../shaders/norm.ts";
import { sameShape, Tensor } from "../../tensor/mod.ts";
import { assign, floatOf } from "../../tensor/internal.ts";
import { laneForm } from "../shared/lanes.ts";
import { policyOf } from "../shared/policy.ts";
import { blocksOf, columnPrograms, columnsOf, pick, rowsOf, sliceGroups, slicesOf } from "../shared/slices.ts";
import { BATCH_NORM } from "../shared/tables.ts";
import { isRead, normForm, normToAdd, type TrainingNorm } from "./batch_norm_passes.ts";

function program(entryPoint: string, gradient = "V(grad_y[at])") {
  const operand = `fn gradient(at: u32) -> V { return ${gradient}; }`;
  const parts = ["alias F = V;", lib_nan, lib_slices, lib_lanes, code, operand] as const;
  return columnPrograms("addNorms", parts, entryPoint, normForm(entryPoint));
}

const ADD_ROWS = program("add_rows");
const MERGE = program("merge");
const BOTH = "V(grad_y[at]) + V(other[at])";
const ONE_GRADIENT = { reduce: program("reduce"), grad: program("grad_rows") };
const TWO_GRADIENTS = { reduce: program("reduce", BOTH), grad: program("grad_rows", BOTH) };

/** Inputs: x, its scale and shift; r, its scale and shift. */
type Inputs = readonly [Tensor, Tensor, Tensor, Tensor, Tensor, Tensor];

interface Attrs {
  readonly ofX: TrainingNorm;
  readonly ofR: TrainingNorm;
}

/** Operands that the passes of backward share: both tensors, what normalises them, and the gradients of their sum. */
interface Operands {
  readonly x: Tensor;
  readonly r: Tensor;
  readonly normX: Tensor;
  readonly normR: Tensor;
  readonly grad: Tensor;
  readonly other: Tensor | null;
}

const addNormsOp = defineOp<Inputs, Attrs>({
  name: "addNorms",
  half: true,
  forward(context, [x, weightX, biasX, r, weightR, biasR], { ofX, ofR }) {
    const { device } = x;
    const normX = normToAdd(x, { ...ofX, weight: weightX, bias: biasX });
    const normR = normToAdd(r, { ...ofR, weight: weightR, bias: biasR });
    context.save(x, r, normX, normR);
    const y = new Tensor(device, x.shape, { dtype: floatOf(x) });
    const slices = slicesOf(x, policyOf(device).of(BATCH_NORM).apply);
    device.dispatch(pick(ADD_ROWS, x.shape.at(-1)!, floatOf(x)), {
      params: { ...slices, parts: 0 },
      buffers: { 1: x.storage, 2: r.storage, 3: normX.storage, 4: normR.storage, 5: y.storage },
      workgroups: sliceGroups(device, slices),
    });
    return y;
  },
  backward(context, grad) {
    const [x, r, normX, normR] = context.saved as [Tensor, Tensor, Tensor, Tensor];
    const operands = { x, r, normX, normR, grad, other: context.otherGrad };
    const { sums, affine: [biasX, weightX, biasR, weightR] } = merge(reduce(operands));
    const wanted = context.needsGrad[0] || context.needsGrad[3];
    const [gradX, gradR] = wanted ? gradients(context, operands, sums) : [null, null];
    const grads = [gradX, weightX, biasX, gradR, weightR, biasR];
    return grads.map((each, i) => context.needsGrad[i] ? each! : null);
  },
  addsGrads: () => true,
});

/** Sums of the gradient, and of it times both normalised tensors, of parts of the rows: `[parts, 3, c]`. */
function reduce({ x, r, normX, normR, grad, other }: Operands): Tensor {
  const { device } = x;
  const channels = x.shape.at(-1)!;
  const slices = slicesOf(x, policyOf(device).of(BATCH_NORM).reduce);
  const sums = new Tensor(device, [blocksOf(slices), 3, channels]);
  device.dispatch(pick((other ? TWO_GRADIENTS : ONE_GRADIENT).reduce, channels, floatOf(x)), {
    params: { ...slices, parts: 0 },
    buffers: {
      1: x.storage,
      2: r.storage,
      3: normX.storage,
      4: normR.storage,
      6: grad.storage,
      7: other?.storage,
      8: sums.storage,
    },
    workgroups: sliceGroups(device, slices),
  });
  return sums;
}

/** Merges sums, and makes of them the gradients of shift and scale, `[c]`, of x and of r. */
function merge(parts: Tensor): { sums: Tensor; affine: readonly [Tensor, Tensor, Tensor, Tensor] } {
  const { device } = parts;
  const [count, , channels] = parts.shape as [number, number, number];
  const columns = columnsOf(channels);
  const make = () => new Tensor(device, [channels]);
  const affine = [make(), make(), make(), make()] as const;
  const sums = new Tensor(device, [1, 3, channels]);
  const { lanes } = policyOf(device).of(BATCH_NORM);
  const [biasX, weightX, biasR, weightR] = affine.map(({ storage }) => storage);
  device.dispatch(laneForm(device, pick(MERGE, channels), lanes), {
    params: { rows: 0, columns, parts: count, step: 1, span: 1, block: 1 },
    buffers: { 8: sums.storage, 9: parts.storage, 12: biasX, 13: weightX, 14: biasR, 15: weightR },
    workgroups: [columns, 1, 1],
    constants: { LANES: lanes },
  });
  return { sums, affine };
}

/** The gradients of x and of r, over them where nothing else needs them. */
function gradients(context: OpContext, { x, r, normX, normR, grad, other }: Operands, sums: Tensor): [Tensor, Tensor] {
  const { device } = x;
  const slices = slicesOf(x, policyOf(device).of(BATCH_NORM).apply);
  const over = (each: Tensor) => context.mayOverwrite(each) ? each.alias() : copyOf(each);
  const [gradX, gradR] = [over(x), over(r)];
  device.dispatch(pick((other ? TWO_GRADIENTS : ONE_GRADIENT).grad, x.shape.at(-1)!, floatOf(x)), {
    params: { ...slices, parts: 1 },
    buffers: {
      3: normX.storage,
      4: normR.storage,
      6: grad.storage,
      7: other?.storage,
      9: sums.storage,
      10: gradX.storage,
      11: gradR.storage,
    },
    workgroups: sliceGroups(device, slices),
  });
  return [gradX, gradR];
}

function copyOf(x: Tensor): Tensor {
  const copy = new Tensor(x.device, x.shape, { dtype: floatOf(x) });
  assign(copy, x);
  return copy;
}

/** Whether {@linkcode addNorms} serves: x and r are alike and have statistics, and the adapter normalises what it reads. */
export function addsNormalized(x: Tensor, r: Tensor): boolean {
  return rowsOf(x) > 1 && sameShape(x.shape, r.shape) && x.dtype === r.dtype && isRead(x.device);
}

/**
 * Computes `relu(batchNorm(x) + batchNorm(r))` in training, both `[…, c]`, where {@linkcode addsNormalized}. Has the dtype
 * of x.
 */
export function addNorms(x: Tensor, ofX: TrainingNorm, r: Tensor, ofR: TrainingNorm): Tensor<"f32"> {
  return addNormsOp([x, ofX.weight, ofX.bias, r, ofR.weight, ofR.bias], { ofX, ofR });
}
