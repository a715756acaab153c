// What the type checker knows of dtypes: `deno check` holds it, and the values at run time agree.
import { assertEquals, assertThrows } from "@std/assert";
import { augment, naturalRecipe } from "../../src/data/mod.ts";
import { backward, detach, requireGrad } from "../../src/autograd/mod.ts";
import { compile } from "../../src/compile/mod.ts";
import { Device } from "../../src/device/mod.ts";
import { centroidWeights, rbf } from "../../src/kernels/mod.ts";
import { decoupledUniformity, infoNCE } from "../../src/losses/mod.ts";
import { contrastive, Conv2d, Linear, resnet18, Sequential, vit } from "../../src/nn/mod.ts";
import {
  arange,
  type DType,
  eye,
  full,
  key,
  normal,
  ones,
  permutation,
  type Tensor,
  tensor,
  uniform,
  zeros,
} from "../../src/tensor/mod.ts";
import * as ops from "../../src/ops/mod.ts";

await Device.open();

/** `true` where two types are the same one, not only assignable. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false;

/** Checks, when types are checked, that a tensor has exactly a dtype; and at run time that it says so. */
function assertDType<D extends DType, T extends Tensor>(
  dtype: D,
  x: T & (Same<T, Tensor<D>> extends true ? T : never),
) {
  assertEquals<string>(x.dtype, dtype);
}

Deno.test("creators give tensors of the dtype that is asked for, f32 by default", () => {
  for (const x of [tensor([1]), zeros([2]), ones([2]), full([2], 3), arange(0, 3)]) assertDType("f32", x);
  assertDType("f32", uniform([2], { key: key(0) }));
  assertDType("f32", normal([2], { key: key(0) }));
  assertDType("f32", eye(2));
  assertDType("u32", permutation(3, { key: key(0) }));
  assertDType("u32", tensor([1], { dtype: "u32" }));
  assertDType("i32", tensor(Int32Array.of(1)));
  assertDType("u8", zeros([2], { dtype: "u8" }));
  // @ts-expect-error Indices are no f32.
  assertThrows(() => assertDType("f32", tensor(Uint32Array.of(1))));
});

Deno.test("data() of what ops, modules and losses give is a Float32Array to the checker", async () => {
  const c = tensor([1, -2, 3]);
  const total: number = (await ops.relu(c).data()).reduce((a, b) => a + b);
  const values: Float32Array = await ops.add(c, 1).data();
  assertEquals([total, values], [4, new Float32Array([2, -1, 4])]);
  const m = tensor([[1, 2], [3, 4]]);
  const results = [ops.matmul(m, m), ops.softmax(m), ops.sum(m), ops.max(m), ops.cholesky(eye(2)), ops.linear(m, m)];
  for (const x of results) assertDType("f32", x);
  for (const x of [ops.equal(m, 1), ops.greater(m, 2), ops.where(ops.less(m, 2), m, 0)]) assertDType("f32", x);
  assertDType("u32", ops.argMax(m));
  assertDType("f32", ops.rbfGram(m, m, { gamma: 1 }));
  assertDType("f32", ops.crossEntropy(m, tensor([0, 1], { dtype: "u32" })));
  assertDType("f32", new Linear({ inFeatures: 2, outFeatures: 1 }).forward(m));
  assertDType("f32", new Sequential(new Linear({ inFeatures: 2, outFeatures: 1 })).forward(m));
  const images = ones([2, 4, 4, 3]);
  assertDType("f32", new Conv2d({ inChannels: 3, outChannels: 2, kernelSize: 3 }).forward(images));
  const z = normal([3, 2, 4], { key: key(0) });
  assertDType("f32", decoupledUniformity(z));
  assertDType("f32", infoNCE(z));
  assertDType("f32", centroidWeights(m, { kernel: rbf({ sigma: 1 }), ridge: 0.1 }));
});

Deno.test("what moves elements keeps their dtype", () => {
  const bytes = ones([2, 2], { dtype: "u8" });
  const indices = tensor([[2, 1]], { dtype: "u32" });
  assertDType("u8", ops.reshape(bytes, [4]));
  assertDType("u32", ops.concat([indices, indices]));
  assertDType("u32", ops.slice(indices, [{ start: 0 }]));
  assertDType("u32", ops.transpose(indices));
  assertDType("u32", ops.gather(indices, [0]));
  assertDType("u32", detach(indices));
  const { values, indices: order } = ops.sort(indices);
  assertDType("u32", values);
  assertDType("u32", order);
  assertDType("f32", ops.sort(tensor([1])).values);
});

Deno.test("gradients, compiled steps and views have the dtype of their values", async () => {
  const w = requireGrad(tensor([1, 2]));
  using step = compile((x: Tensor) => ops.sum(ops.square(ops.mul(x, 2))));
  backward(ops.sum(ops.square(w)));
  const grad: Float32Array = await w.grad!.data();
  assertEquals(grad, new Float32Array([2, 4]));
  assertDType("f32", step(tensor([1, 2])));
  const images = zeros([2, 4, 4, 3], { dtype: "u8" });
  assertDType("f32", augment(images, { indices: [0, 1], recipe: naturalRecipe({ size: 4 }) }));
});

/** Networks, for the checker only: they are not built. */
export function typesOfNetworks(x: Tensor): readonly Tensor<"f32">[] {
  const [small, transformer] = [resnet18({ stem: "cifar" }), vit("vit_tiny")];
  return [small.forward(x), small.layer4.forward(x), transformer.forward(x), contrastive(small).forward(x)];
}
