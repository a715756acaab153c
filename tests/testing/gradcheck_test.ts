import { assertRejects } from "@std/assert";
import { defineOp, Device, exp, key, mul, square, type Tensor, tensor, uniform } from "../../mod.ts";
import { gradcheck } from "../../src/testing/mod.ts";

await Device.open();

/** An op with a gradient that is wrong by a factor. */
function squareWithSlope(factor: number): (x: Tensor) => Tensor {
  const op = defineOp<[Tensor], null>({
    name: "square",
    forward(context, [x]) {
      context.save(x);
      return mul(x, x);
    },
    backward: ({ saved: [x] }, grad) => [mul(grad, mul(x!, factor))],
  });
  return (x) => op([x], null);
}

Deno.test("gradcheck() accepts right gradients, of every input", async () => {
  const [x, y] = [uniform([3, 5], { key: key(0) }), uniform([3, 5], { key: key(1) })];
  await gradcheck((a, b) => mul(exp(a), square(b)), [x, y]);
});

Deno.test("gradcheck() finds a gradient that is wrong by one percent", async () => {
  const x = uniform([4, 4], { key: key(2), low: 1, high: 2 });
  await gradcheck(squareWithSlope(2), x);
  await assertRejects(() => gradcheck(squareWithSlope(2.02), x), Error, "Gradient of input 0 is wrong: analytic");
});

Deno.test("gradcheck() finds one wrong element among many", async () => {
  const mask = new Float32Array(20).fill(2);
  mask[7] = 1;
  const slope = tensor(mask);
  const op = defineOp<[Tensor], null>({
    name: "square",
    forward(context, [x]) {
      context.save(x);
      return square(x);
    },
    backward: ({ saved: [x] }, grad) => [mul(grad, mul(x!, slope))],
  });
  const x = uniform([20], { key: key(3), low: 1, high: 2 });
  await assertRejects(() => gradcheck((a) => op([a], null), x), Error, "is wrong");
});
