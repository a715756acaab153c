import { defineOp, detach } from "../../autograd/mod.ts";
import { broadcastShapes, type Shape, Tensor } from "../../tensor/mod.ts";
import { checkFloat, checkWords } from "../shared/check.ts";
import { elementwise, type Operand } from "./elementwise.ts";
import { sumTo } from "../shared/sum_to.ts";

const CHOOSE = { name: "where", args: ["c", "x", "y"], value: "select(y, x, B(c))" };
const GRAD_X = { name: "where grad x", args: ["g", "c"], value: "select(F(0.0), g, B(c))" };
const GRAD_Y = { name: "where grad y", args: ["g", "c"], value: "select(g, F(0.0), B(c))" };

/** The operands that are numbers, where there are. */
interface Numbers {
  readonly x?: number;
  readonly y?: number;
}

const whereOp = defineOp<readonly [Tensor, ...Tensor[]], Numbers>({
  name: "where",
  forward(context, [condition, ...inputs], numbers) {
    context.save(condition);
    const rest = [...inputs];
    const x = numbers.x ?? rest.shift()!;
    const y = numbers.y ?? rest.shift()!;
    const shape = [condition, x, y].map(shapeOf).reduce((a, b) => broadcastShapes(a, b, "where"));
    return elementwise(CHOOSE, condition.device, [condition, x, y], shape);
  },
  backward({ saved: [condition], shapes, needsGrad }, grad, numbers) {
    const programs = [...(numbers.x === undefined ? [GRAD_X] : []), ...(numbers.y === undefined ? [GRAD_Y] : [])];
    const grads = programs.map((program, i) =>
      needsGrad[i + 1] ? sumTo(elementwise(program, grad.device, [grad, condition!], grad.shape), shapes[i + 1]!) : null
    );
    return [null, ...grads];
  },
});

function shapeOf(operand: Operand): Shape {
  return operand instanceof Tensor ? operand.shape : [];
}

/**
 * Chooses element by element: `x` where the condition is not 0, `y` where it is, with NumPy broadcasting. No gradient
 * flows to the condition, and none from the operand that was not chosen, even where that is NaN.
 *
 * @param condition Any shape, f32, i32 or u32.
 * @param x A shape that broadcasts, f32, or a number.
 * @param y A shape that broadcasts, f32, or a number.
 * @returns The shape that all broadcast to, f32.
 * @throws {TypeError} If the shapes do not broadcast, or a dtype is another.
 *
 * @example Usage
 * ```ts
 * import { Device, greater, tensor, where } from "@decoupled/uniformity";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const x = tensor([-1, 2, -3]);
 * assertEquals(await where(greater(x, 0), x, 0.5).data(), new Float32Array([0.5, 2, 0.5]));
 * ```
 */
export function where(condition: Tensor, x: Operand, y: Operand): Tensor<"f32"> {
  checkWords("where", condition);
  const inputs = [x, y].filter((operand) => typeof operand !== "number") as Tensor[];
  checkFloat("where", ...inputs);
  const number = (operand: Operand) => typeof operand === "number" ? operand : undefined;
  using chooser = detach(condition);
  return whereOp([chooser, ...inputs], { x: number(x), y: number(y) });
}
