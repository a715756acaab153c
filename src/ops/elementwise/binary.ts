import { defineOp, type OpContext } from "../../autograd/mod.ts";
import { broadcastShapes, type FloatDType, sameShape, type Shape, Tensor } from "../../tensor/mod.ts";
import { checkFloat } from "../shared/check.ts";
import { elementwise, type ElementwiseFormula, type Operand } from "./elementwise.ts";
import { sumTo } from "../shared/sum_to.ts";

/** One op of two operands: WGSL expressions of `x` and `y`, in the gradients also of `g`, the gradient of the result. */
interface Row {
  readonly value: string;
  readonly left: string;
  readonly right: string;
}

const ROWS = {
  add: { value: "x + y", left: "g", right: "g" },
  sub: { value: "x - y", left: "g", right: "-g" },
  mul: { value: "x * y", left: "g * y", right: "g * x" },
  div: { value: "x / y", left: "g / y", right: "-g * (x / y) / y" },
  pow: {
    value: "power(x, y)",
    left: "select(g * y * power(x, y - 1.0), F(0.0), y == F(0.0))",
    right: "select(g * power(x, y) * log(x), F(0.0), (x == F(0.0)) & (y >= F(0.0)))",
  },
  // Ties: half to each, as PyTorch.
  maximum: {
    value: "larger(x, y)",
    left: "select(select(g, 0.5 * g, x == y), F(0.0), x < y)",
    right: "select(select(g, 0.5 * g, x == y), F(0.0), x > y)",
  },
  minimum: {
    value: "smaller(x, y)",
    left: "select(select(g, 0.5 * g, x == y), F(0.0), x > y)",
    right: "select(select(g, 0.5 * g, x == y), F(0.0), x < y)",
  },
} as const satisfies Record<string, Row>;

/** The operands that are numbers, where there are. */
interface Numbers {
  readonly x?: number;
  readonly y?: number;
}

/** A gradient: which operands its expression reads, and how it is computed. */
interface Gradient {
  readonly uses: readonly ("x" | "y")[];
  /** Shader of the gradient; null when the gradient of the result passes as it is. */
  readonly formula: ElementwiseFormula | null;
}

function gradientOf(name: string, value: string): Gradient {
  if (value === "g") return { uses: [], formula: null };
  const uses = (["x", "y"] as const).filter((arg) => new RegExp(`\\b${arg}\\b`).test(value));
  return { uses, formula: { name, args: ["g", ...uses], value } };
}

function defineBinary(name: keyof typeof ROWS): (x: Operand, y: Operand) => Tensor<"f32"> {
  const row = ROWS[name];
  const formula: ElementwiseFormula = { name, args: ["x", "y"], value: row.value };
  const gradients = { x: gradientOf(`${name} grad x`, row.left), y: gradientOf(`${name} grad y`, row.right) };
  const op = defineOp<readonly Tensor[], Numbers>({
    name,
    half: true,
    forward(context, inputs, numbers) {
      const { x, y } = operandsOf(inputs, sidesOf(numbers), numbers);
      context.save(...savedSides(context, numbers, gradients).map((side) => ({ x, y })[side] as Tensor));
      const shape = broadcastShapes(shapeOf(x!), shapeOf(y!), name);
      const dtype: FloatDType = inputs.every((input) => input.dtype === "f16") ? "f16" : "f32";
      return elementwise(formula, inputs[0]!.device, [x!, y!], shape, dtype);
    },
    backward(context, grad, numbers) {
      const operands = operandsOf(context.saved, savedSides(context, numbers, gradients), numbers);
      return sidesOf(numbers).map((side, i) => {
        if (!context.needsGrad[i]) return null;
        const { formula, uses } = gradients[side];
        const own = context.shapes[i]!;
        // What is yet to be summed stays f32.
        const dtype = sameShape(own, grad.shape) ? context.dtypes[i] as FloatDType : "f32";
        const full = formula
          ? elementwise(formula, grad.device, [grad, ...uses.map((each) => operands[each]!)], grad.shape, dtype)
          : grad;
        return sumTo(full, own);
      });
    },
  });
  return function binary(x: Operand, y: Operand): Tensor<"f32"> {
    const inputs = [x, y].filter((operand) => typeof operand !== "number") as Tensor[];
    if (inputs.length === 0) {
      throw new TypeError(`Cannot compute ${name}() as one operand must be a tensor: got ${x} and ${y}`);
    }
    checkFloat(name, ...inputs);
    const number = (operand: Operand) => typeof operand === "number" ? operand : undefined;
    return op(inputs, { x: number(x), y: number(y) });
  };
}

/** The operands that are tensors. */
function sidesOf(numbers: Numbers): ("x" | "y")[] {
  return (["x", "y"] as const).filter((side) => numbers[side] === undefined);
}

/** The tensors that the wanted gradients read. */
function savedSides(context: OpContext, numbers: Numbers, gradients: { x: Gradient; y: Gradient }): ("x" | "y")[] {
  const sides = sidesOf(numbers);
  const used = new Set(sides.flatMap((side, i) => context.needsGrad[i] ? gradients[side].uses : []));
  return sides.filter((side) => used.has(side));
}

function operandsOf(
  tensors: readonly Tensor[],
  sides: readonly ("x" | "y")[],
  numbers: Numbers,
): { x?: Operand; y?: Operand } {
  return { ...numbers, ...Object.fromEntries(sides.map((side, i) => [side, tensors[i]!])) };
}

function shapeOf(operand: Operand): Shape {
  return operand instanceof Tensor ? operand.shape : [];
}

const addOp = defineBinary("add");
const subOp = defineBinary("sub");
const mulOp = defineBinary("mul");
const divOp = defineBinary("div");
const powOp = defineBinary("pow");
const maximumOp = defineBinary("maximum");
const minimumOp = defineBinary("minimum");

/**
 * Computes `x + y`, with NumPy broadcasting.
 *
 * @param x Any shape, f32 or f16, or a number.
 * @param y A shape that broadcasts with that of `x`, f32 or f16, or a number.
 * @returns The shape that both broadcast to.
 * @throws {TypeError} If the shapes do not broadcast, a dtype is not f32, or both are numbers.
 *
 * @example Usage
 * ```ts
 * import { add, Device, tensor } from "@decoupled/uniformity";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const x = tensor([[1, 2], [3, 4]]);
 * assertEquals(await add(x, tensor([10, 20])).data(), new Float32Array([11, 22, 13, 24]));
 * assertEquals(await add(1, x).data(), new Float32Array([2, 3, 4, 5]));
 * ```
 */
export function add(x: Operand, y: Operand): Tensor<"f32"> {
  return addOp(x, y);
}

/**
 * Computes `x − y`, with NumPy broadcasting; operands and errors as {@linkcode add}.
 *
 * @example Usage
 * ```ts
 * import { Device, sub, tensor } from "@decoupled/uniformity";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * assertEquals(await sub(1, tensor([0.25, 0.5])).data(), new Float32Array([0.75, 0.5]));
 * ```
 */
export function sub(x: Operand, y: Operand): Tensor<"f32"> {
  return subOp(x, y);
}

/**
 * Computes `x · y` element by element, with NumPy broadcasting; operands and errors as {@linkcode add}.
 *
 * @example Usage
 * ```ts
 * import { Device, mul, tensor } from "@decoupled/uniformity";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const column = tensor([[1], [2]]);
 * assertEquals(await mul(column, tensor([3, 4])).data(), new Float32Array([3, 4, 6, 8]));
 * ```
 */
export function mul(x: Operand, y: Operand): Tensor<"f32"> {
  return mulOp(x, y);
}

/**
 * Computes `x / y` element by element, with NumPy broadcasting; division by 0 gives ±∞ or NaN. Operands and errors as
 * {@linkcode add}.
 *
 * @example Usage
 * ```ts
 * import { Device, div, tensor } from "@decoupled/uniformity";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * assertEquals(await div(1, tensor([2, 4])).data(), new Float32Array([0.5, 0.25]));
 * ```
 */
export function div(x: Operand, y: Operand): Tensor<"f32"> {
  return divOp(x, y);
}

/**
 * Computes `xʸ` element by element, with NumPy broadcasting: also for negative `x` where `y` is a whole number,
 * otherwise NaN; `x⁰ = 1`. The gradient to `y` needs `x > 0`. Operands and errors as {@linkcode add}.
 *
 * @example Usage
 * ```ts
 * import { Device, pow, tensor } from "@decoupled/uniformity";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * assertEquals(await pow(tensor([-2, 3]), 3).data(), new Float32Array([-8, 27]));
 * ```
 */
export function pow(x: Operand, y: Operand): Tensor<"f32"> {
  return powOp(x, y);
}

/**
 * The larger of `x` and `y`, with NumPy broadcasting, NaN where either is NaN. The gradient goes to the larger, and half
 * to each where they are equal, as PyTorch's. Operands and errors as {@linkcode add}.
 *
 * @example Usage
 * ```ts
 * import { Device, maximum, tensor } from "@decoupled/uniformity";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * assertEquals(await maximum(tensor([-1, 0.5]), 0).data(), new Float32Array([0, 0.5]));
 * ```
 */
export function maximum(x: Operand, y: Operand): Tensor<"f32"> {
  return maximumOp(x, y);
}

/**
 * The smaller of `x` and `y`, with NumPy broadcasting, NaN where either is NaN. The gradient goes to the smaller, and
 * half to each where they are equal, as PyTorch's. Operands and errors as {@linkcode add}.
 *
 * @example Usage
 * ```ts
 * import { Device, minimum, tensor } from "@decoupled/uniformity";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * assertEquals(await minimum(tensor([-1, 0.5]), 0).data(), new Float32Array([-1, 0]));
 * ```
 */
export function minimum(x: Operand, y: Operand): Tensor<"f32"> {
  return minimumOp(x, y);
}
