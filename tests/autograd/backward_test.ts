import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { backward, detach, noGrad, requireGrad } from "../../src/autograd/mod.ts";
import { Device } from "../../src/device/mod.ts";
import { add, exp, mul, reshape, square, sub, sum } from "../../src/ops/mod.ts";
import { ones, scope, type Tensor, tensor, tidy } from "../../src/tensor/mod.ts";
import { gradcheck } from "../../src/testing/mod.ts";
import { points } from "../ops/shared/_arrays.ts";

const device = await Device.open();

Deno.test("backward() goes through a chain of ops", async () => {
  const x = requireGrad(tensor([1, 2, 3]));
  backward(sum(mul(square(x), 2)));
  assertEquals(await x.grad!.data(), new Float32Array([4, 8, 12]));
});

Deno.test("backward() adds the gradients of a tensor that is used several times", async () => {
  const x = requireGrad(tensor([1, 2]));
  const y = mul(x, 3);
  backward(sum(add(mul(y, y), add(y, x)))); // 9x² + 3x + x
  assertEquals(await x.grad!.data(), new Float32Array([18 + 4, 36 + 4]));
});

Deno.test("backward() visits each op once, after all that used it", async () => {
  // 2^20 paths lead from x to y.
  const x = requireGrad(tensor([1]));
  let y: Tensor = x;
  for (let i = 0; i < 20; i++) y = add(y, y);
  const before = device.counters.dispatches;
  backward(y);
  assert(device.counters.dispatches - before < 100);
  assertEquals(await x.grad!.data(), new Float32Array([2 ** 20]));
});

Deno.test("backward() goes through graphs deeper than the stack", async () => {
  const x = requireGrad(tensor([1]));
  let y: Tensor = x;
  for (let i = 0; i < 12_000; i++) y = add(y, 1);
  backward(y);
  assertEquals(await x.grad!.data(), new Float32Array([1]));
});

Deno.test("backward() twice accumulates, and dropping the gradient starts again", async () => {
  const x = requireGrad(tensor([1, 2]));
  for (let i = 0; i < 2; i++) backward(sum(square(x)));
  assertEquals(await x.grad!.data(), new Float32Array([4, 8]));
  x.grad!.dispose();
  backward(sum(square(x)));
  assertEquals(await x.grad!.data(), new Float32Array([2, 4]));
  x.grad = null;
  backward(sum(square(x)));
  assertEquals(await x.grad!.data(), new Float32Array([2, 4]));
});

Deno.test("backward() does not write into gradients that are shared", async () => {
  // The gradient of add() is one tensor for both inputs, and that of reshape() an alias of it.
  const [x, y] = [requireGrad(tensor([1, 2])), requireGrad(tensor([3, 4]))];
  const both = sum(add(x, reshape(y, [2])));
  backward(add(both, sum(mul(x, 10))));
  assertEquals(await x.grad!.data(), new Float32Array([11, 11]));
  assertEquals(await y.grad!.data(), new Float32Array([1, 1]));
  backward(sum(y));
  assertEquals(await x.grad!.data(), new Float32Array([11, 11]));
  assertEquals(await y.grad!.data(), new Float32Array([2, 2]));
});

Deno.test("backward() starts from a gradient that is given, and leaves it alone", async () => {
  const x = requireGrad(tensor([1, 2, 3]));
  const grad = tensor([1, 0, -1]);
  backward(mul(x, x), { grad });
  assertEquals(await x.grad!.data(), new Float32Array([2, 0, -6]));
  backward(add(x, 0), { grad });
  assertEquals(await grad.data(), new Float32Array([1, 0, -1]));
});

Deno.test("Gradients outlive the scope they were made in", async () => {
  const x = requireGrad(tensor([1, 2]));
  {
    using _ = scope();
    backward(sum(square(x)));
  }
  assertEquals(await x.grad!.data(), new Float32Array([2, 4]));
});

Deno.test("detach() stops the gradient and shares the elements", async () => {
  const x = requireGrad(tensor([2, 3]));
  const y = detach(x);
  assertStrictEquals(y.storage, x.storage);
  assertEquals([y.requiresGrad, y.link], [false, null]);
  backward(sum(mul(x, y)));
  assertEquals(await x.grad!.data(), new Float32Array([2, 3]));
});

Deno.test("noGrad() records nothing, nests, and ends when its body throws", () => {
  const x = requireGrad(ones([2]));
  assertEquals(noGrad(() => noGrad(() => add(x, 1)).link), null);
  assertThrows(() =>
    noGrad(() => {
      throw new Error("stop");
    })
  );
  assert(add(x, 1).link);
  {
    using handle = noGrad();
    assertEquals(add(x, 1).link, null);
    handle[Symbol.dispose]();
    assert(add(x, 1).link); // and disposing twice ends it once
  }
  assert(add(x, 1).link);
});

Deno.test("An op of tensors that want no gradient records nothing and saves nothing", () => {
  const x = ones([1024]);
  const live = device.memory.live;
  const y = exp(square(x));
  assertEquals(y.link, null);
  assert(device.memory.live <= live + 2 * 4096);
});

Deno.test("backward() with retainGraph can be run again, without it says why not", async () => {
  const x = requireGrad(tensor([3]));
  const y = square(x);
  backward(y, { retainGraph: true });
  backward(y);
  assertEquals(await x.grad!.data(), new Float32Array([12]));
  assertThrows(
    () => backward(y),
    Error,
    "Cannot run backward() twice through square(): what it saved is freed, pass retainGraph: true",
  );
});

Deno.test("backward() throws when a part of the graph is spent", () => {
  const x = requireGrad(tensor([3]));
  const y = square(x);
  backward(mul(y, 2));
  assertThrows(() => backward(mul(y, 3)), Error, "Cannot run backward() twice through square()");
});

Deno.test("backward() throws when the output is no scalar, has no graph, or grad has another shape", () => {
  const x = requireGrad(ones([2]));
  assertThrows(
    () => backward(mul(x, 2)),
    TypeError,
    "Cannot run backward() as the output must be a scalar unless grad is given: got [2]",
  );
  assertThrows(
    () => backward(sum(ones([2]))),
    TypeError,
    "Cannot run backward() as no op led from a tensor with requiresGrad to this output []",
  );
  assertThrows(() => backward(x), TypeError, "Cannot run backward() as no op led");
  assertThrows(
    () => backward(mul(x, 2), { grad: ones([1, 2]) }),
    TypeError,
    "Cannot run backward() as grad must have the shape of the output: got [1,2] for [2]",
  );
});

Deno.test("requireGrad() throws on the output of an op, and on indices", () => {
  const x = requireGrad(ones([2]));
  assertThrows(
    () => requireGrad(add(x, 1)),
    TypeError,
    "Cannot requireGrad() on the output of an op [2]: detach() it first",
  );
  assertThrows(
    () => requireGrad(ones([2], { dtype: "u32" })),
    TypeError,
    "Cannot requireGrad() as the dtype must be f32 or f16: got u32",
  );
});

Deno.test("backward() calls onGrad for each leaf once, the last layers first, with its gradient complete", async () => {
  const weights = [2, 3, 4].map((value) => requireGrad(tensor([value])));
  let y: Tensor = tensor([1]);
  for (const weight of weights) y = mul(y, weight);
  y = add(y, weights[0]!); // the first weight is used again: it is complete only at the end
  const seen: [number, number][] = [];
  const reads: Promise<void>[] = [];
  backward(y, {
    onGrad: (leaf) => {
      const grad = detach(leaf.grad!);
      reads.push(grad.item().then((value) => void seen.push([weights.indexOf(leaf as Tensor<"f32">), value])));
    },
  });
  await Promise.all(reads);
  assertEquals(seen, [[2, 6], [1, 8], [0, 13]]);
});

Deno.test("backward() frees what the graph saved as it goes", () => {
  const bytes = 4 * 2 ** 16;
  using _ = scope();
  const weights = Array.from({ length: 8 }, () => requireGrad(ones([1])));
  const before = device.memory.live;
  const loss = tidy(() => {
    let y: Tensor = ones([2 ** 16]);
    for (const weight of weights) y = exp(mul(y, weight));
    return sum(y);
  });
  assert(device.memory.live >= before + 2 * 8 * bytes, "each layer saves the inputs of mul() and exp()");
  const live: number[] = [];
  backward(loss, { onGrad: () => live.push(device.memory.live) });
  assertEquals(live.length, 8);
  for (let i = 1; i < 8; i++) assert(live[i - 1]! - live[i]! >= 2 * bytes - 1024, `${live}`);
  assert(device.memory.live < before + 8 * 1024, "only gradients are left");
});

Deno.test("backward() after the scope of the forward's tensors would have ended uses what was saved", async () => {
  const x = requireGrad(tensor([1, 2]));
  const inner = mul(x, x);
  const y = square(inner);
  inner.dispose(); // the graph holds on to what it needs
  backward(sum(y));
  assertEquals(await x.grad!.data(), new Float32Array([4, 32]));
});

Deno.test("Giving up the output of a graph frees what it saved, without a backward", () => {
  const x = requireGrad(ones([1024]));
  const live = device.memory.live;
  {
    using _ = scope();
    let y: Tensor = x;
    for (let i = 0; i < 5; i++) y = exp(square(y));
    assert(device.memory.live >= live + 10 * 4096);
  }
  assertEquals(device.memory.live, live);
});

Deno.test("Live bytes are equal after step 2 and step 50", () => {
  const w = requireGrad(points(16, 8));
  const step = () => {
    using _ = scope();
    const x = points(4, 16);
    backward(sum(square(sub(mul(reshape(x, [4, 16, 1]), w), 1))));
    w.grad!.dispose();
  };
  step();
  step();
  const live = device.memory.live;
  for (let i = 0; i < 48; i++) step();
  assertEquals(device.memory.live, live);
});

Deno.test("Using a disposed tensor in an op is an error that says so", () => {
  const x = ones([3]);
  x.dispose();
  assertThrows(() => add(x, 1), ReferenceError, "Cannot read a tensor [3] as it was disposed");
  const y = requireGrad(ones([3]));
  y.dispose();
  assertThrows(() => exp(y), ReferenceError, "Cannot read a tensor [3] as it was disposed");
});

Deno.test("backward() goes on after one that failed", async () => {
  const x = requireGrad(tensor([2]));
  const y = square(x);
  assertThrows(() => backward(add(y, 1), { grad: ones([5]) }), TypeError);
  assert(add(x, 1).link, "the graph is recorded again");
  backward(y);
  assertEquals(await x.grad!.data(), new Float32Array([4]));
});

Deno.test("gradcheck() finds a gradient that is wrong", async () => {
  const x = points(3, 4);
  await gradcheck((x) => square(x), x);
  let message = "";
  await gradcheck((x) => mul(x, detach(x)), x).catch((error: Error) => message = error.message);
  assert(message.startsWith("Gradient of input 0 is wrong: analytic"), message);
});
