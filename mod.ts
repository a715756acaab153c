/**
 * Tensors on WebGPU with automatic differentiation: the device, the arrays and their scopes, the ops, the tape, half
 * precision, replayed steps and tuning. Networks, losses, kernels, optimizers and data have entry points of their own
 * (`./nn`, `./losses`, `./kernels`, `./optim`, `./data`, …); `./ops` has every op with the types of its options, and
 * `./device` what an op with a shader of one's own needs.
 *
 * Ops follow PyTorch's names and definitions, with channels last. They run at once but wait for nothing: only what is
 * `await`ed is read back. A tensor is freed when the {@linkcode scope} around it ends.
 *
 * @example Fit a logistic regression
 * ```ts
 * import { argMax, backward, crossEntropy, Device, key, linear, noGrad, normal, requireGrad, scope, tensor, zeros } from "@decoupled/uniformity";
 * import { SGD } from "@decoupled/uniformity/optim";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open(); // the adapter; the default device of what follows
 * const x = tensor([[0, 1], [1, 3], [3, 1], [2, 0]]);
 * const labels = tensor([0, 0, 1, 1], { dtype: "u32" });
 * const weight = requireGrad(normal([2, 2], { key: key(0) }));
 * const bias = requireGrad(zeros([2]));
 * const optimizer = new SGD([weight, bias], { lr: 0.5 });
 *
 * let loss = Infinity;
 * for (let step = 0; step < 50; step++) {
 *   using _ = scope(); // what the step makes ends with the step
 *   const mean = crossEntropy(linear(x, weight, { bias }), labels);
 *   backward(mean);
 *   optimizer.step(); // uses the gradients up
 *   if (step === 49) loss = await mean.item();
 * }
 * assertEquals(loss < 0.1, true);
 * const predicted = noGrad(() => argMax(linear(x, weight, { bias }), { dim: 1 }));
 * assertEquals([...await predicted.data()], [0, 0, 1, 1]);
 * ```
 *
 * @module
 */

// The device.
export { type AdapterOptions, Device, DeviceError } from "./src/device/mod.ts";

// Tensors, scopes, random numbers.
export {
  arange,
  broadcastShapes,
  copyInto,
  type CreateOptions,
  type DType,
  type DTypeArrays,
  eye,
  fill,
  type FloatDType,
  full,
  keep,
  type Key,
  key,
  type Link,
  type Nested,
  normal,
  ones,
  permutation,
  type RandomOptions,
  type Releasable,
  sameShape,
  Scope,
  scope,
  type Shape,
  shuffled,
  sizeOf,
  Tensor,
  tensor,
  type TensorFromOptions,
  type TensorOptions,
  tidy,
  uniform,
  zeros,
} from "./src/tensor/mod.ts";

// Automatic differentiation, mixed precision, ops of one's own.
export {
  autocast,
  type AutocastOptions,
  backward,
  type BackwardOptions,
  defineOp,
  detach,
  fullPrecision,
  isAutocast,
  isGradEnabled,
  noGrad,
  OpContext,
  type OpDefinition,
  requireGrad,
  wantsGrad,
} from "./src/autograd/mod.ts";

// Ops; ./ops has those that are made for one loss, and the types of options.
export {
  abs,
  add,
  argMax,
  avgPool2d,
  batchNorm,
  broadcastTo,
  cast,
  cholesky,
  choleskySolve,
  clamp,
  concat,
  conv2d,
  cosineGram,
  crossEntropy,
  div,
  equal,
  exp,
  flip,
  gather,
  globalAvgPool,
  greater,
  greaterEqual,
  indexSelect,
  l2Normalize,
  less,
  lessEqual,
  linear,
  linearGram,
  log,
  logSoftmax,
  logSumExp,
  matmul,
  max,
  maximum,
  maxPool2d,
  mean,
  min,
  minimum,
  mul,
  neg,
  notEqual,
  pad,
  permute,
  pow,
  rbfGram,
  relu,
  reshape,
  sigmoid,
  silu,
  slice,
  softmax,
  sqrt,
  square,
  squaredDistances,
  squeeze,
  stack,
  sub,
  sum,
  tanh,
  transpose,
  triangularSolve,
  unsqueeze,
  variance,
  where,
} from "./src/ops/mod.ts";

// Steps that are replayed, and forms that are chosen by their time.
export { compile, type Compiled, type CompileOptions, type StepArgument, type StepResult } from "./src/compile/mod.ts";
export {
  tune,
  type TunedChoice,
  type TuneOptions,
  type TuneRefusal,
  type TuneReport,
  type TuneStore,
} from "./src/tune/mod.ts";
