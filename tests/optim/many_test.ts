import { assertEquals } from "@std/assert";
import { sourceOf } from "../../src/device/program.ts";
import { Device, key, normal, requireGrad, type Tensor } from "../../mod.ts";
import { manyProgram, type ManyShader, storagesOf } from "../../src/optim/_many.ts";
import { Adam, LARS, type Optimizer, SGD } from "../../src/optim/mod.ts";
import { assertClose, TOLERANCE } from "../../src/testing/mod.ts";
import { eachFamily } from "../ops/shared/_forms.ts";

const device = await Device.open();

/**
 * Sizes of 19 tensors: matrices and vectors, with sizes that are multiples of 4 and not, of one workgroup and of
 * several.
 */
const SIZES = Array.from({ length: 19 }, (_, i) => i % 3 === 0 ? [37 + i, 31] : [1 + 5 * i]);

/** One step of an optimizer on these, and the dispatches that it took. */
async function stepped(make: (parameters: Tensor[]) => Optimizer): Promise<[ArrayLike<number>[], number]> {
  const parameters = SIZES.map((shape, i) => requireGrad(normal(shape, { key: key(1, i) })));
  parameters.forEach((weight, i) => weight.grad = normal(weight.shape, { key: key(2, i) }));
  const optimizer = make(parameters);
  const before = device.counters.dispatches;
  optimizer.step();
  const dispatches = device.counters.dispatches - before;
  const values = await Promise.all(parameters.map((weight) => weight.data()));
  for (const each of [optimizer, ...parameters]) each.dispose();
  return [values, dispatches];
}

for (
  const [name, make, each, perBatch] of [
    ["SGD with momentum", (p: Tensor[]) => new SGD(p, { lr: 0.1, momentum: 0.9 }), 3, 1],
    ["LARS", (p: Tensor[]) => new LARS(p, { lr: 0.1, weightDecay: 0.1, eta: 0.5 }), 3, 3],
    ["Adam", (p: Tensor[]) => new Adam(p, { lr: 0.1 }), 4, 1],
  ] as const
) {
  Deno.test(`${name} updates as many tensors in a dispatch as a GPU binds, with the results of few`, async () => {
    const results: Record<string, [ArrayLike<number>[], number]> = {};
    await eachFamily(device, async (family) => void (results[family] = await stepped(make)));
    results.gpu![0].forEach((values, i) => assertClose(values, results.cpu![0][i]!, { rtol: TOLERANCE.value }));
    const room = storagesOf(device) - ({ LARS: 2, Adam: 1 }[name as string] ?? 0);
    const counts = name === "Adam" ? 1 : 0; // one dispatch more counts the step
    const dispatches = (most: number) => perBatch * Math.ceil(SIZES.length / Math.min(most, Math.floor(room / each)));
    assertEquals(results.gpu![1], dispatches(256) + counts);
    assertEquals(results.cpu![1], dispatches(8) + counts);
  });
}

Deno.test("manyProgram() makes a valid shader for all tensors of a ResNet-50", async () => {
  const shader: ManyShader = {
    name: "half",
    code: { code: "fn half(w: vec4f, v: vec4f) -> Step { return Step(0.5 * w, v); }", params: {}, access: {} },
    scalars: {},
    extra: [],
    states: ["v"],
    update: "half(w, v)",
  };
  const program = manyProgram(device, shader, "step", 165, true);
  assertEquals(Object.keys(program.params).length, 21);
  const gpu = await (await navigator.gpu.requestAdapter())!.requestDevice();
  const info = await gpu.createShaderModule({ code: sourceOf(program) }).getCompilationInfo();
  assertEquals(info.messages.map(({ message }) => message), []);
  gpu.destroy();
});

Deno.test("storagesOf() leaves room for two more of Metal's 31 slots", () => {
  const storages = (told: number) =>
    storagesOf({ limits: { maxStorageBuffersPerShaderStage: told } as GPUSupportedLimits });
  assertEquals([8, 10, 16, 29, 30, 31, 32, 1000].map(storages), [8, 10, 16, 29, 29, 29, 32, 1000]);
});
