// What someone who comes from PyTorch, or writes JavaScript, gets wrong first: each answer names what was wanted.
import { assertThrows } from "@std/assert";
import { backward, Device, ones, scope, tensor, zeros } from "../../mod.ts";
import { rbf } from "../../src/kernels/mod.ts";
import { resnet18 } from "../../src/nn/mod.ts";
import { add, conv2d, matmul, relu, where } from "../../src/ops/mod.ts";
import { Adam, AdamW, LARS, SGD } from "../../src/optim/mod.ts";

const _device = await Device.open();

/** A value that no compiler saw: one of type never fits everywhere. */
const unseen = (value?: unknown) => value as never;

Deno.test("ops say that they take tensors", () => {
  using _ = scope();
  const x = ones([2, 3]);
  const of = (name: string) => `Cannot compute ${name}() as its inputs must be tensors: got`;
  assertThrows(() => add(x, unseen()), TypeError, `${of("add")} undefined`);
  assertThrows(() => add(x, unseen([1])), TypeError, `${of("add")} an array; tensor() makes one of it`);
  assertThrows(() => add(x, unseen(new Float32Array(3))), TypeError, `${of("add")} an array; tensor() makes one of it`);
  assertThrows(() => add(unseen(null), x), TypeError, `${of("add")} null`);
  assertThrows(() => matmul(x, unseen()), TypeError, `${of("matmul")} undefined`);
  assertThrows(() => where(x, unseen(), unseen()), TypeError, `${of("where")} undefined`);
  assertThrows(() => conv2d(unseen(), unseen()), TypeError, `${of("conv2d")} undefined`);
  assertThrows(() => relu(unseen()), TypeError, "Cannot run relu() as its inputs must be tensors: got undefined");
  assertThrows(() => relu(unseen([1])), TypeError, "must be tensors: got an array; tensor() makes one of it");
  assertThrows(() => backward(unseen()), TypeError, "Cannot run backward() of what is no tensor: got undefined");
});

Deno.test("tensors name their dtypes", () => {
  const message = "Cannot make a tensor as dtype must be f32, f16, i32, u32 or u8: got";
  for (const dtype of ["float32", "toString", 7]) {
    assertThrows(() => tensor([1], { dtype: unseen(dtype) }), TypeError, `${message} "${dtype}"`);
    assertThrows(() => zeros([2], { dtype: unseen(dtype) }), TypeError, `${message} "${dtype}"`);
  }
});

Deno.test("rbf() names its widths", () => {
  assertThrows(
    () => rbf(unseen()),
    TypeError,
    "Cannot make rbf() as one of sigma and gamma must be given: got sigma undefined",
  );
});

Deno.test("optimizers take the parameters of a network, not the network", () => {
  using _ = scope();
  const model = resnet18({ numClasses: 2 });
  const message = "parameters must be a list of tensors, as parameters() of a network gives: got";
  for (const Kind of [SGD, LARS, Adam, AdamW]) {
    assertThrows(() => new Kind(unseen(model), { lr: 1 }), TypeError, `${message} ResNet`);
    assertThrows(() => new Kind(unseen(model), unseen()), TypeError, `${message} ResNet`);
    assertThrows(() => new Kind(unseen(), unseen()), TypeError, `${message} undefined`);
    assertThrows(() => new Kind([unseen("fc.weight")], { lr: 1 }), TypeError, `${message} a list with fc.weight`);
  }
  assertThrows(() => new SGD(model.parameters(), unseen()), TypeError, "lr must be a number: got undefined");
  model.dispose();
});

Deno.test("networks say that channels come last, and what takes one image", () => {
  using _ = scope();
  const model = resnet18({ numClasses: 2 });
  const first =
    "got x [1,3,32,32] and weight [7,7,3,64]; channels come last here, permute(x, [0, 2, 3, 1]) puts them there";
  assertThrows(() => model.forward(zeros([1, 3, 32, 32])), TypeError, first);
  const one = "got x [1,1,1,512]; eval() of the network takes one image, by the statistics that were learnt";
  assertThrows(() => model.forward(zeros([1, 32, 32, 3])), TypeError, one);
  model.dispose();
});
