import { assertEquals } from "@std/assert";
import { Device, relu, sigmoid, silu, type Tensor, tensor } from "../../mod.ts";
import {
  GELU,
  Hardswish,
  LeakyReLU,
  type Module,
  ReLU,
  Sequential,
  Sigmoid,
  SiLU,
  Softplus,
  Tanh,
} from "../../src/nn/mod.ts";
import { gelu, hardswish, leakyRelu, softplus, tanh } from "../../src/ops/mod.ts";

await Device.open();

Deno.test("activations as layers compute what the ops do, with PyTorch's defaults or other settings", async () => {
  const x = tensor([-4, -1, -0.5, 0, 0.5, 1, 4]);
  const same = async (layer: Module, y: Tensor) =>
    assertEquals(await new Sequential(layer).forward(x).data(), await y.data());
  await same(new ReLU(), relu(x));
  await same(new Sigmoid(), sigmoid(x));
  await same(new SiLU(), silu(x));
  await same(new Tanh(), tanh(x));
  await same(new Hardswish(), hardswish(x));
  await same(new GELU(), gelu(x));
  await same(new GELU({ approximate: "tanh" }), gelu(x, { approximate: "tanh" }));
  await same(new LeakyReLU(), leakyRelu(x, { negativeSlope: 0.01 }));
  await same(new LeakyReLU({ negativeSlope: 0.3 }), leakyRelu(x, { negativeSlope: 0.3 }));
  await same(new Softplus(), softplus(x, { beta: 1 }));
  await same(new Softplus({ beta: 3 }), softplus(x, { beta: 3 }));
});
