import { assert, assertEquals, assertThrows } from "@std/assert";
import { backward, defineOp, requireGrad } from "../../src/autograd/mod.ts";
import { Device } from "../../src/device/mod.ts";
import { add, exp, mul, square, sum } from "../../src/ops/mod.ts";
import { ones, scope, type Tensor, tensor } from "../../src/tensor/mod.ts";
import { gradcheck } from "../../src/testing/mod.ts";
import { points } from "../ops/shared/_arrays.ts";

const device = await Device.open();

const cubeOp = defineOp<[Tensor], null>({
  name: "cube",
  forward(context, [x]) {
    context.save(x);
    return mul(mul(x, x), x);
  },
  backward: ({ saved: [x] }, grad) => [mul(grad, mul(mul(x!, x!), 3))],
});

Deno.test("defineOp() makes a differentiable op out of others", async () => {
  using _ = scope();
  await gradcheck((x) => cubeOp([x], null), points(3, 5));
});

Deno.test("defineOp() frees what an op of ops makes between, forward and backward", async () => {
  await using device = await Device.open(); // its own: what other tests left may be freed at any time
  using _ = scope();
  const x = requireGrad(ones([1024]));
  const live = device.memory.live;
  const y = cubeOp([x], null);
  assertEquals(device.memory.live, live + 4096); // y; what is saved is x itself
  backward(y, { grad: ones([1024]) });
  assertEquals(await x.grad!.data(), new Float32Array(1024).fill(3));
  assertEquals(device.memory.live, live + 3 * 4096); // y, the gradient given, that of x
});

Deno.test("defineOp() tells which gradients are wanted, and takes null for the others", async () => {
  const wanted: (readonly boolean[])[] = [];
  const weighted = defineOp<[Tensor, Tensor], { readonly scale: number }>({
    name: "weighted",
    forward(context, [x, y], { scale }) {
      context.save(x, y);
      return mul(mul(x, y), scale);
    },
    backward({ saved: [x, y], needsGrad, shapes, taped }, grad, { scale }) {
      wanted.push(needsGrad);
      assertEquals([shapes, taped], [[[2], [2]], true]);
      return [
        needsGrad[0] ? mul(mul(grad, y!), scale) : null,
        needsGrad[1] ? mul(mul(grad, x!), scale) : null,
      ];
    },
  });
  const [x, y] = [requireGrad(tensor([1, 2])), tensor([3, 4])];
  backward(sum(weighted([x, y], { scale: 10 })));
  backward(sum(weighted([y, x], { scale: 10 })));
  assertEquals(wanted, [[true, false], [false, true]]);
  assertEquals(await x.grad!.data(), new Float32Array([60, 80]));
  assertEquals(y.grad, null);
});

Deno.test("OpContext.save() keeps nothing when no gradient is wanted", () => {
  let kept = -1;
  const op = defineOp<[Tensor], null>({
    name: "saves",
    forward(context, [x]) {
      const y = exp(x);
      context.save(x, y);
      kept = context.saved.length;
      return y;
    },
    backward: ({ saved: [, y] }, grad) => [mul(grad, y!)],
  });
  op([ones([2])], null);
  assertEquals(kept, 0);
  op([requireGrad(ones([2]))], null);
  assertEquals(kept, 2);
});

Deno.test("An op without gradient throws when one is wanted, and says why there is none", () => {
  const forward = (_: unknown, [x]: [Tensor]) => add(x, 1);
  const x = requireGrad(ones([2]));
  const piecewise = defineOp<[Tensor], null>({
    name: "rounded",
    forward,
    notDifferentiable: "it is constant in steps",
  });
  assertThrows(
    () => piecewise([x], null),
    TypeError,
    "Cannot differentiate rounded() as it is constant in steps: call it inside noGrad() or on detach()ed inputs",
  );
  const unfinished = defineOp<[Tensor], null>({ name: "plain", forward });
  assertThrows(() => unfinished([x], null), TypeError, "Cannot differentiate plain() as it has no gradient");
  assertEquals(unfinished([ones([2])], null).link, null);
});

Deno.test("A gradient of the wrong shape is an error that names op, input and shapes", () => {
  const wrong = (grads: (grad: Tensor) => (Tensor | null)[]) =>
    defineOp<[Tensor], null>({ name: "wrong", forward: (_, [x]) => add(x, 1), backward: (_, grad) => grads(grad) });
  const x = requireGrad(ones([3]));
  assertThrows(
    () => backward(wrong((grad) => [sum(grad)])([x], null), { grad: ones([3]) }),
    Error,
    "Cannot use the gradient of wrong() as input 0 has shape [3]: got []",
  );
  assertThrows(
    () => backward(wrong(() => [null])([x], null), { grad: ones([3]) }),
    Error,
    "Cannot use the gradient of wrong() as input 0 has shape [3]: got none",
  );
});

Deno.test("An op of tensors on two devices is an error that names both", async () => {
  await using other = await Device.open();
  const [x, y] = [ones([2], { device }), ones([2], { device: other })];
  assertThrows(
    () => add(x, y),
    TypeError,
    `Cannot run add() as its inputs must be on one device: got ${device.info.description} and ` +
      `${other.info.description} (opened separately)`,
  );
});

Deno.test("An op of what is no tensor is an error that shows it", () => {
  assertThrows(
    () => square([1, 2] as unknown as Tensor),
    TypeError,
    "as its inputs must be tensors: got an array; tensor() makes one of it",
  );
  assertThrows(() => cubeOp([] as unknown as [Tensor], null), TypeError, "Cannot run cube() without inputs");
});

Deno.test("An error in an op's forward leaves the tape on and the memory as it was", () => {
  const failing = defineOp<[Tensor], null>({
    name: "failing",
    forward(_, [x]) {
      exp(x);
      throw new RangeError("stop");
    },
    backward: (_, grad) => [grad],
  });
  const x = requireGrad(ones([1024]));
  const live = device.memory.live;
  assertThrows(() => failing([x], null), RangeError, "stop");
  assertEquals(device.memory.live, live);
  assert(add(x, 1).link);
});
