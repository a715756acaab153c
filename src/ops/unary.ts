import type { Bindings, Program } from "../device/mod.ts";
import { lib_flat, unary as code } from "../device/shaders.gen.ts";
import { defineOp } from "../autograd/mod.ts";
import { Tensor } from "../tensor/mod.ts";
import { checkFloat } from "./_check.ts";

/** One elementwise op: WGSL expressions of `x: vec4f`, and of the scalars `params.a` and `params.b` where it has some. */
interface Row {
  readonly value: string;
  readonly slope: string;
}

const ROWS = {
  abs: { value: "abs(x)", slope: "sign(x)" },
  clamp: {
    value: "clamp(x, vec4f(params.a), vec4f(params.b))",
    slope: "select(vec4f(0.0), vec4f(1.0), x >= vec4f(params.a) & x <= vec4f(params.b))",
  },
  exp: { value: "exp(x)", slope: "exp(x)" },
  log: { value: "log(x)", slope: "1.0 / x" },
  neg: { value: "-x", slope: "vec4f(-1.0)" },
  // NaN passes, as it does in PyTorch: a diverged step must not look like zeros.
  relu: {
    value: "select(x, vec4f(0.0), x <= vec4f(0.0))",
    slope: "select(vec4f(1.0), vec4f(0.0), x <= vec4f(0.0))",
  },
  sigmoid: { value: "1.0 / (1.0 + exp(-x))", slope: "(1.0 / (1.0 + exp(-x))) * (1.0 / (1.0 + exp(x)))" },
  sqrt: { value: "sqrt(x)", slope: "0.5 / sqrt(x)" },
  square: { value: "x * x", slope: "2.0 * x" },
  // WGSL's tanh may overflow for large |x|; its slope is 1 - tanh².
  tanh: { value: "tanh(clamp(x, vec4f(-20.0), vec4f(20.0)))", slope: "1.0 - value(x) * value(x)" },
} as const satisfies Record<string, Row>;

type Name = keyof typeof ROWS;
type Scalars = { readonly a: number; readonly b: number };

const params = { size: "u32", a: "f32", b: "f32" } as const;

function program(name: Name, entryPoint: string): Program {
  const { value, slope } = ROWS[name];
  const body = `fn value(x: vec4f) -> vec4f { return ${value}; }\nfn slope(x: vec4f) -> vec4f { return ${slope}; }`;
  return { name, code: [lib_flat, body, code], entryPoint, params };
}

function defineUnary(name: Name): (inputs: [Tensor], scalars: Scalars) => Tensor {
  const forward = program(name, "forward");
  const backward = program(name, "backward");
  return defineOp<[Tensor], Scalars>({
    name,
    forward(context, [x], { a, b }) {
      checkFloat(name, x);
      context.save(x);
      return run(forward, x, null, a, b);
    },
    backward: ({ saved: [x] }, grad, { a, b }) => [run(backward, x!, grad, a, b)],
  });
}

function run(program: Program, x: Tensor, grad: Tensor | null, a: number, b: number): Tensor {
  const y = new Tensor(x.device, x.shape);
  const size = Math.ceil(x.size / 4);
  const buffers: Bindings = { 1: x.storage, 2: y.storage, 3: grad?.storage };
  x.device.dispatch(program, { params: { size, a, b }, buffers, workgroups: x.device.groups(size, 64) });
  return y;
}

const NONE: Scalars = { a: 0, b: 0 };
const absOp = defineUnary("abs");
const clampOp = defineUnary("clamp");
const expOp = defineUnary("exp");
const logOp = defineUnary("log");
const negOp = defineUnary("neg");
const reluOp = defineUnary("relu");
const sigmoidOp = defineUnary("sigmoid");
const sqrtOp = defineUnary("sqrt");
const squareOp = defineUnary("square");
const tanhOp = defineUnary("tanh");

/** `|x|`; gradient `sign(x)`, 0 at 0. */
export function abs(x: Tensor): Tensor {
  return absOp([x], NONE);
}

/**
 * `min(max(x, min), max)`; the gradient is 1 inside the closed interval and 0 outside, as PyTorch's `clamp`.
 *
 * @throws {RangeError} If `min > max`.
 */
export function clamp(x: Tensor, options: { min?: number; max?: number }): Tensor {
  const { min = -3.4028234663852886e38, max = 3.4028234663852886e38 } = options;
  if (!(min <= max)) throw new RangeError(`Cannot compute clamp() as min must be <= max: got ${min} and ${max}`);
  return clampOp([x], { a: min, b: max });
}

/** `eˣ`. */
export function exp(x: Tensor): Tensor {
  return expOp([x], NONE);
}

/** Natural logarithm. */
export function log(x: Tensor): Tensor {
  return logOp([x], NONE);
}

/** `−x`. */
export function neg(x: Tensor): Tensor {
  return negOp([x], NONE);
}

/** `max(x, 0)`; gradient 0 at 0, as PyTorch. */
export function relu(x: Tensor): Tensor {
  return reluOp([x], NONE);
}

/** `1 / (1 + e⁻ˣ)`. */
export function sigmoid(x: Tensor): Tensor {
  return sigmoidOp([x], NONE);
}

/** `√x`; the gradient at 0 is infinite. */
export function sqrt(x: Tensor): Tensor {
  return sqrtOp([x], NONE);
}

/** `x²`. */
export function square(x: Tensor): Tensor {
  return squareOp([x], NONE);
}

/** Hyperbolic tangent. */
export function tanh(x: Tensor): Tensor {
  return tanhOp([x], NONE);
}
