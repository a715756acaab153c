import { defineOp } from "../../autograd/mod.ts";
import { broadcastShapes, type DType, Tensor } from "../../tensor/mod.ts";
import { elementwise, type Operand } from "./elementwise.ts";
import { type Comparison, integerComparison, MIRRORED } from "./_integer_compare.ts";
import { checkWords } from "../shared/check.ts";

type Compare = (x: Operand, y: Operand) => Tensor<"f32">;

function defineComparison(name: Comparison, test: string): Compare {
  const formula = { name, args: ["x", "y"], value: test, oneDType: true };
  const op = defineOp<readonly Tensor[], { readonly x: number; readonly y: number; readonly first: boolean }>({
    name,
    notDifferentiable: "it is piecewise constant",
    forward(_context, inputs, numbers) {
      const x = numbers.first ? inputs[0]! : numbers.x;
      const y = inputs.length === 2 ? inputs[1]! : numbers.first ? numbers.y : inputs[0]!;
      const shapes = [x, y].map((operand) => operand instanceof Tensor ? operand.shape : []);
      return elementwise(formula, inputs[0]!.device, [x, y], broadcastShapes(shapes[0]!, shapes[1]!, name));
    },
  });
  return function compare(x: Operand, y: Operand): Tensor<"f32"> {
    const inputs = [x, y].filter((operand) => typeof operand !== "number") as Tensor[];
    const number = (operand: Operand) => typeof operand === "number" ? operand : 0;
    return op(inputs, { x: number(x), y: number(y), first: typeof x !== "number" });
  };
}

/** Checks the operands; a number beside integers becomes one of theirs, in a comparison that says the same. */
function compare(name: Comparison, x: Operand, y: Operand): Tensor<"f32"> {
  const inputs = [x, y].filter((operand) => typeof operand !== "number") as Tensor[];
  if (inputs.length === 0) {
    throw new TypeError(`Cannot compute ${name}() as one operand must be a tensor: got ${x} and ${y}`);
  }
  checkWords(name, ...inputs);
  checkSameDType(name, inputs.map((input) => input.dtype));
  const [{ dtype }] = inputs as [Tensor];
  if (inputs.length === 2 || (dtype !== "i32" && dtype !== "u32")) return OPS[name](x, y);
  const mirrored = typeof x === "number";
  const same = integerComparison(mirrored ? MIRRORED[name] : name, (mirrored ? x : y) as number, dtype);
  return OPS[same.name](inputs[0]!, same.number);
}

function checkSameDType(op: string, [a, b]: readonly DType[]): void {
  if (b && a !== b) throw new TypeError(`Cannot compute ${op}() as the dtypes must agree: got ${a} and ${b}`);
}

const OPS: Readonly<Record<Comparison, Compare>> = {
  equal: defineComparison("equal", "select(F(0.0), F(1.0), x == y)"),
  // Not by !=, which drivers take to be false of NaN.
  notEqual: defineComparison("notEqual", "select(F(1.0), F(0.0), x == y)"),
  greater: defineComparison("greater", "select(F(0.0), F(1.0), x > y)"),
  greaterEqual: defineComparison("greaterEqual", "select(F(0.0), F(1.0), x >= y)"),
  less: defineComparison("less", "select(F(0.0), F(1.0), x < y)"),
  lessEqual: defineComparison("lessEqual", "select(F(0.0), F(1.0), x <= y)"),
};

/**
 * Returns 1 where `x = y` and 0 elsewhere, with NumPy broadcasting. It has no gradient: call it inside `noGrad()`, or
 * on `detach()`ed tensors.
 *
 * @param x Any shape, f32, i32 or u32, or a number: any one beside integers, with which it is compared as it is; one that
 *   is rounded to f32 beside f32.
 * @param y A shape that broadcasts with that of `x`, of the same dtype, or a number.
 * @returns f32, the shape that both broadcast to. Comparisons with NaN are 0.
 * @throws {TypeError} If the shapes do not broadcast, the dtypes differ, both are numbers, or a gradient is wanted.
 *
 * @example Usage
 * ```ts
 * import { Device, equal, tensor } from "@decoupled/uniformity";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const labels = tensor([3, 1, 3], { dtype: "u32" });
 * assertEquals(await equal(labels, 3).data(), new Float32Array([1, 0, 1]));
 * ```
 */
export function equal(x: Operand, y: Operand): Tensor<"f32"> {
  return compare("equal", x, y);
}

/**
 * Returns 1 where `x ≠ y` (also where either is NaN) and 0 elsewhere; operands and errors as {@linkcode equal}.
 *
 * @example Usage
 * ```ts
 * import { Device, notEqual, tensor } from "@decoupled/uniformity";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * assertEquals(await notEqual(tensor([1, 2, 3]), 2).data(), new Float32Array([1, 0, 1]));
 * ```
 */
export function notEqual(x: Operand, y: Operand): Tensor<"f32"> {
  return compare("notEqual", x, y);
}

/**
 * Returns 1 where `x > y` and 0 elsewhere; operands and errors as {@linkcode equal}.
 *
 * @example Usage
 * ```ts
 * import { Device, greater, tensor } from "@decoupled/uniformity";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * assertEquals(await greater(tensor([1, 2, 3]), 2).data(), new Float32Array([0, 0, 1]));
 * ```
 */
export function greater(x: Operand, y: Operand): Tensor<"f32"> {
  return compare("greater", x, y);
}

/**
 * Returns 1 where `x ≥ y` and 0 elsewhere; operands and errors as {@linkcode equal}.
 *
 * @example Usage
 * ```ts
 * import { Device, greaterEqual, tensor } from "@decoupled/uniformity";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * assertEquals(await greaterEqual(tensor([1, 2, 3]), 2).data(), new Float32Array([0, 1, 1]));
 * ```
 */
export function greaterEqual(x: Operand, y: Operand): Tensor<"f32"> {
  return compare("greaterEqual", x, y);
}

/**
 * Returns 1 where `x < y` and 0 elsewhere; operands and errors as {@linkcode equal}.
 *
 * @example Usage
 * ```ts
 * import { Device, less, tensor } from "@decoupled/uniformity";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * assertEquals(await less(tensor([1, 2, 3]), 2).data(), new Float32Array([1, 0, 0]));
 * ```
 */
export function less(x: Operand, y: Operand): Tensor<"f32"> {
  return compare("less", x, y);
}

/**
 * Returns 1 where `x ≤ y` and 0 elsewhere; operands and errors as {@linkcode equal}.
 *
 * @example Usage
 * ```ts
 * import { Device, lessEqual, tensor } from "@decoupled/uniformity";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * assertEquals(await lessEqual(tensor([1, 2, 3]), 2).data(), new Float32Array([1, 1, 0]));
 * ```
 */
export function lessEqual(x: Operand, y: Operand): Tensor<"f32"> {
  return compare("lessEqual", x, y);
}
