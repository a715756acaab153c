import type { TracedOp } from "./_trace.ts";

/** Arithmetic and least memory traffic of a piece of work. */
export interface Work {
  /** Floating-point operations, a multiply-add counted as two. */
  readonly flop: number;
  /** Bytes that must be read and written at least once. */
  readonly bytes: number;
}

type Shape = readonly number[];

/** Work of an op: operations, numbers of f32 it reads and writes. */
interface Count {
  readonly flop: number;
  readonly numbers: number;
}

function size(shape: Shape | undefined): number {
  return (shape ?? []).reduce((a, b) => a * b, 1);
}

function total(shapes: readonly Shape[]): number {
  return shapes.reduce((sum, shape) => sum + size(shape), 0);
}

/** An op as the rules see it: sizes of its inputs and output, and of the gradients that it made. */
interface Sizes extends TracedOp {
  readonly output: Shape;
  /** Numbers of all inputs. */
  readonly read: number;
  /** Numbers of the output. */
  readonly out: number;
  /** Numbers of the gradients made. */
  readonly grads: number;
}

type Rule = (op: Sizes) => Count;

/**
 * The rules, each number of a tensor counted once: an op that must pass over its input twice cannot reach its floor
 * alone, but can where the op before it does the first pass.
 */
const RULES: Readonly<Record<string, Rule>> = {
  "conv2d": (op) => ({ flop: convolution(op), numbers: touched(op) + total(op.inputs.slice(1)) + op.out }),
  "conv2d grad": (op) => productGrad(op, convolution(op), touched(op)),
  // The convolution of what batch normalisation and ReLU leave, and its gradients; x, scale and shift, weight.
  "normConv2d": (op) => {
    const plain = withoutNorm(op);
    return {
      flop: convolution(plain) + 6 * size(op.inputs[0]),
      numbers: touched(plain) + total(op.inputs.slice(1)) + op.out,
    };
  },
  "normConv2d grad": (op) => {
    const plain = withoutNorm(op);
    const { flop, numbers } = productGrad(plain, convolution(plain), size(op.inputs[0]));
    return { flop: flop + 10 * size(op.inputs[0]), numbers };
  },
  "linear": (op) => ({ flop: 2 * op.out * op.inputs[0]!.at(-1)! + op.out, numbers: op.read + op.out }),
  "linear grad": (op) => productGrad(op, 2 * op.out * op.inputs[0]!.at(-1)!, size(op.inputs[0])),
  "matmul": (op) => ({ flop: matmul(op), numbers: op.read + op.out }),
  "matmul grad": (op) => productGrad(op, matmul(op), size(op.inputs[0])),
  // Sum, sum of squares, scale and shift; residual and ReLU.
  "batchNorm": (op) => ({ flop: op.out * (op.inputs.length > 3 ? 7 : 6), numbers: op.read + op.out }),
  // x̂, two sums, their part of the gradient; with a residual the mask of the ReLU is not known from x alone.
  "batchNorm grad": (op) => ({
    flop: 10 * op.out,
    numbers: op.out + size(op.inputs[0]) + (op.inputs.length > 3 ? op.out : 0) + op.grads,
  }),
  // Two of them, the sum and ReLU; the mask is known from what both read.
  "addNorms": (op) => ({ flop: 13 * op.out, numbers: op.read + op.out }),
  "addNorms grad": (op) => ({
    flop: 20 * op.out,
    numbers: op.out + size(op.inputs[0]) + size(op.inputs[3]) + op.grads,
  }),
  // Two products of n x m numbers a head; the gradient makes one of them anew and has four of its own.
  "attention": (op) => ({ flop: attentionProduct(op) * 2, numbers: op.read + op.out }),
  "attention grad": (op) => ({ flop: attentionProduct(op) * 5, numbers: 2 * op.out + op.read + op.grads }),
  "selfAttention": (op) => ({ flop: attentionProduct(op) * 2, numbers: op.read + op.out }),
  "selfAttention grad": (op) => ({ flop: attentionProduct(op) * 5, numbers: 2 * op.out + op.read + op.grads }),
  // As batch normalisation.
  "layerNorm": (op) => ({ flop: 6 * op.out, numbers: op.read + op.out }),
  "layerNorm grad": (op) => ({ flop: 10 * op.out, numbers: 2 * op.out + op.grads }),
  "maxPool2d": (op) => ({ flop: 9 * op.out, numbers: op.read + op.out }),
  "maxPool2d grad": (op) => ({ flop: op.out, numbers: 2 * op.out + op.grads }), // the gradient and where each came from
  "globalAvgPool": (op) => ({ flop: op.read, numbers: op.read + op.out }),
  "globalAvgPool grad": (op) => ({ flop: op.out, numbers: op.out + op.grads }),
  // Half of the squared distances as one product, and the product of the weights and the rows.
  "pairTerm": (op) => ({ flop: size(op.inputs[0]) * op.inputs[0]![0]!, numbers: op.read }),
  "pairTerm grad": (op) => ({ flop: 2 * size(op.inputs[0]) * op.inputs[0]![0]!, numbers: op.read + op.grads }),
  "rbfGram": (op) => ({ flop: 2 * op.out * op.inputs[0]!.at(-1)!, numbers: op.read + op.out }),
  "cholesky": (op) => ({ flop: op.out ** 1.5 / 3, numbers: op.read + op.out }),
  "triangularSolve": (op) => ({ flop: op.out * op.inputs[0]![0]!, numbers: op.read + op.out }),
  "fill": (op) => ({ flop: 0, numbers: op.read }),
  "copyInto": (op) => ({ flop: 0, numbers: op.read }),
  "accumulate": (op) => ({ flop: op.read, numbers: 3 * op.read }),
  "sumOf": (op) => ({ flop: op.read, numbers: 3 * op.read }),
};

/**
 * The least work of a traced op. A convolution's arithmetic is that of the direct form, zeros of the padding included,
 * as is the custom: Winograd does less, so its share of a ceiling may pass 100 %.
 *
 * @param parameters Numbers that an optimizer's step updates; plain SGD reads weight and gradient and writes the weight.
 */
export function workOf(op: TracedOp, parameters = 0): Work {
  if (op.name === "sgd") return { flop: 2 * parameters, bytes: 4 * 3 * parameters };
  if (op.name === "lars") return { flop: 8 * parameters, bytes: 4 * 5 * parameters }; // two norms, momentum
  if (op.name === "adam") return { flop: 15 * parameters, bytes: 4 * 7 * parameters }; // two means, read and written
  if (op.name === "augment") return augmentation(op);
  const sizes: Sizes = {
    ...op,
    output: op.output ?? [],
    read: total(op.inputs),
    out: size(op.output),
    grads: op.inputs.reduce((sum, shape, i) => sum + (op.wanted[i] ? size(shape) : 0), 0),
  };
  const { flop, numbers } = (RULES[op.name] ?? (op.name.endsWith(" grad") ? elementwiseGrad : elementwise))(sizes);
  return { flop, bytes: 4 * numbers };
}

function elementwise(op: Sizes): Count {
  return { flop: op.out, numbers: op.read + op.out };
}

function elementwiseGrad(op: Sizes): Count {
  return { flop: op.out, numbers: op.out + op.read + op.grads };
}

/** The convolution of a fused one: its image and its weight. */
function withoutNorm(op: Sizes): Sizes {
  return { ...op, inputs: [op.inputs[0]!, op.inputs[3]!], wanted: [op.wanted[0]!, op.wanted[3]!] };
}

/** Counts a convolution: `2 · pixels of the output · numbers of the weight`. */
function convolution({ inputs, output }: Sizes): number {
  return 2 * size(output.slice(0, 3)) * size(inputs[1]);
}

/** Numbers of the input that some window covers: a 1 × 1 window with a stride skips most. */
function touched({ inputs: [x, w], output }: Sizes): number {
  return w![0] === 1 && w![1] === 1 ? size(output.slice(0, 3)) * x![3]! : size(x);
}

function matmul({ inputs, out, output }: Sizes): number {
  const [a] = inputs as [Shape];
  // The inner size, whether or not a is transposed.
  const inner = size(a) / (size(a.slice(0, -2)) * output.at(-2)!);
  return 2 * out * inner;
}

/** Counts one product of attention: queries with keys, or weights with values; self-attention has as many keys as queries. */
function attentionProduct({ out, output, inputs }: Sizes): number {
  const keys = inputs.length > 1 ? inputs[1]!.at(-2)! : output.at(-2)!;
  return 2 * out * keys;
}

/** Counts the gradients of a product: each is as much arithmetic as the product, and reads the other factor. */
function productGrad(op: Sizes, forward: number, left: number): Count {
  const [x, w] = op.wanted;
  const right = size(op.inputs[1]);
  return {
    flop: forward * (Number(x) + Number(w)) + (op.wanted[2] ? op.out : 0),
    numbers: op.out + (w ? left : 0) + (x ? right : 0) + op.grads,
  };
}

/** Bytes of the images, once a sample, to numbers of the views; a few dozen operations a number. */
function augmentation({ inputs, output }: TracedOp): Work {
  const [[, h, w, c], [batch]] = inputs as [Shape, Shape];
  return { flop: 40 * size(output), bytes: batch! * h! * w! * c! + 4 * size(output) };
}
