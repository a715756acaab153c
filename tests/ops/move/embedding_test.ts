import { assertEquals, assertThrows } from "@std/assert";
import { backward, requireGrad } from "../../../src/autograd/mod.ts";
import { Device } from "../../../src/device/mod.ts";
import { Embedding } from "../../../src/nn/mod.ts";
import { embedding, type EmbeddingOptions } from "../../../src/ops/mod.ts";
import { ones, tensor } from "../../../src/tensor/mod.ts";
import { gradcheck } from "../../../src/testing/mod.ts";
import { checkGolden } from "../shared/_golden.ts";
import { noise } from "../shared/_arrays.ts";

await Device.open();

Deno.test("embedding() looks rows up, by indices of any shape", async () => {
  const weight = tensor([[1, 2], [3, 4], [5, 6]]);
  const y = embedding(weight, tensor([[2, 0], [1, 2]], { dtype: "i32" }));
  assertEquals(y.shape, [2, 2, 2]);
  assertEquals(await y.data(), new Float32Array([5, 6, 1, 2, 3, 4, 5, 6]));
  await gradcheck((weight) => embedding(weight, [2, 0, 2]), tensor(noise(15), { shape: [3, 5] }));
});

Deno.test("embedding() equals PyTorch, with its gradient and without one of padding", () =>
  checkGolden(
    "embedding",
    ([weight, indices], attrs) => embedding(weight!, indices!, attrs as EmbeddingOptions),
    { value: 0 },
    "transformers",
  ));

Deno.test("embedding() leaves the row of padding without a gradient, over thousands of indices", async () => {
  const indices = Uint32Array.from({ length: 5000 }, (_, i) => i % 3);
  for (const paddingIdx of [1, -2]) {
    const weight = requireGrad(ones([3, 4]));
    backward(embedding(weight, indices, { paddingIdx }), { grad: ones([5000, 4]) });
    assertEquals(await weight.grad!.data(), new Float32Array([1667, 0, 1666].flatMap((v) => [v, v, v, v])));
  }
});

Deno.test("embedding() throws on what it cannot use", () => {
  const weight = ones([3, 2]);
  assertThrows(
    () => embedding(ones([3]), [0]),
    TypeError,
    "Cannot compute embedding() as weight must be [rows, features]: got [3]",
  );
  assertThrows(
    () => embedding(weight, [3]),
    RangeError,
    "Cannot compute embedding() as indices must be in [0, 2]: got 3",
  );
  assertThrows(
    () => embedding(weight, [0], { paddingIdx: 3 }),
    RangeError,
    "Cannot compute embedding() as paddingIdx must be in [-3, 2]: got 3",
  );
});

Deno.test("Embedding loads PyTorch's table as it is, square ones too, and keeps the row of padding at 0", async () => {
  const layer = new Embedding({ numEmbeddings: 3, embeddingDim: 3, paddingIdx: -1 });
  assertEquals((await layer.weight.data()).slice(6), new Float32Array(3));
  const data = noise(9);
  layer.loadStateDict(new Map([["weight", { shape: [3, 3], data }]]), { layout: "torch" });
  assertEquals(await layer.weight.data(), data);
  layer.loadStateDict(new Map([["weight", { shape: [3, 3], data: data.toReversed() }]])); // nothing to tell apart
  assertEquals(await layer.weight.data(), data.toReversed());
  assertThrows(
    () => new Embedding({ numEmbeddings: 2, embeddingDim: 1, paddingIdx: 2 }),
    RangeError,
    "Cannot make Embedding as paddingIdx must be in [-2, 1]: got 2",
  );
});
