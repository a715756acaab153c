// What backward() needs must not change between the forward and it: a gradient of other values is worse than an error.
import { assertEquals, assertThrows } from "@std/assert";
import { backward, noGrad, requireGrad } from "../../src/autograd/mod.ts";
import { compile } from "../../src/compile/mod.ts";
import { Device } from "../../src/device/mod.ts";
import { BatchNorm2d } from "../../src/nn/mod.ts";
import { add, matmul, mul, relu, reshape, square, sum } from "../../src/ops/mod.ts";
import { SGD } from "../../src/optim/mod.ts";
import { copyInto, fill, ones, scope, type Tensor, tensor } from "../../src/tensor/mod.ts";
import { accumulate, assign } from "../../src/tensor/internal.ts";
import { points } from "../ops/shared/_arrays.ts";

const device = await Device.open();

const CHANGES: readonly [string, (x: Tensor) => void][] = [
  ["write()", (x) => x.write(Float32Array.of(5, 6))],
  ["fill()", (x) => fill(x, 7)],
  ["assign()", (x) => assign(x, tensor([5, 6]))],
  ["copyInto()", (x) => copyInto(x, tensor([5]), 1)],
  ["accumulate()", (x) => accumulate(x, tensor([5, 6]))],
  ["an alias", (x) => x.alias([1, 2]).write(Float32Array.of(5, 6))],
];

for (const [name, change] of CHANGES) {
  Deno.test(`backward() refuses what was saved and then changed by ${name}`, () => {
    const x = requireGrad(tensor([1, 2]));
    const y = sum(square(x));
    change(x);
    assertThrows(
      () => backward(y),
      Error,
      "Cannot run backward() through square() as what it saved must stay as it was: got a tensor f32 [2] that was " +
        "changed since, by step(), write() or another change in place",
    );
  });
}

Deno.test("backward() refuses a parameter that an optimizer moved since, also where backward makes values again", () => {
  const p = requireGrad(tensor([[1, 2], [3, 4]]));
  const optimizer = new SGD([p], { lr: 1 });
  const [first, second] = [sum(square(p)), sum(relu(matmul(tensor([[1, 1]]), p)))];
  const third = sum(mul(reshape(p, [4]), 2));
  backward(first);
  optimizer.step();
  assertThrows(() => backward(second), Error, "through matmul()");
  backward(third); // saved no values
});

Deno.test("backward() refuses what a replayed step changed", async () => {
  const p = requireGrad(tensor([1, 2]));
  const optimizer = new SGD([p], { lr: 0.5 });
  using step = compile(() => {
    backward(sum(square(p)));
    optimizer.step();
  }, { check: "never" });
  for (let i = 0; i < 3; i++) step();
  const y = sum(square(p));
  step();
  assertEquals(step.replays, 1);
  assertThrows(() => backward(y), Error, "through square()");
  await device.done();
});

Deno.test("backward() goes on where only what nobody saved changed", async () => {
  const x = requireGrad(tensor([1, 2]));
  const other = tensor([3, 4]);
  const y = sum(add(square(x), other));
  other.write(Float32Array.of(0, 0));
  backward(y);
  assertEquals(await x.grad!.data(), Float32Array.of(2, 4));
  const z = noGrad(() => sum(square(x)));
  fill(x, 1);
  assertEquals(await z.item(), 5);
});

Deno.test("backward() of two passes through one BatchNorm2d, whose running statistics moved twice", () => {
  using _ = scope();
  const norm = new BatchNorm2d({ numFeatures: 3 });
  const losses = [1, 2].map((seed) => sum(square(norm.forward(reshape(points(8, 3, seed), [2, 2, 2, 3])))));
  norm.eval();
  const evaluated = sum(square(norm.forward(ones([1, 2, 2, 3]))));
  norm.train();
  norm.forward(ones([2, 2, 2, 3]));
  for (const each of [...losses, evaluated]) backward(each);
});
