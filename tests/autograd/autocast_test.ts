import { assertEquals, assertThrows } from "@std/assert";
import {
  add,
  autocast,
  backward,
  cast,
  Device,
  DeviceError,
  isAutocast,
  key,
  linear,
  matmul,
  mul,
  noGrad,
  normal,
  requireGrad,
  scope,
  softmax,
  sum,
  Tensor,
  tensor,
  zeros,
} from "../../mod.ts";
import { type AutocastOptions, autocastSums, checkpoint, defineOp } from "../../src/autograd/mod.ts";
import { centroidWeights } from "../../src/kernels/mod.ts";
import { decoupledUniformity, infoNCE } from "../../src/losses/mod.ts";
import { testWith } from "../device/_features.ts";

const device = await Device.open();
/** A device without half precision, as far as can be asked. */
const without = { features: new Set(), limits: {}, info: { description: "an old GPU" } } as unknown as Device;

testWith(device, "shader-f16", "autocast() holds inside its body only, nests and can be turned off", () => {
  const seen = [isAutocast()];
  const result = autocast(() => {
    seen.push(isAutocast());
    autocast(() => seen.push(isAutocast()), { enabled: false });
    autocast(() => seen.push(isAutocast()));
    seen.push(isAutocast());
    return 7;
  });
  assertThrows(() =>
    autocast(() => {
      throw new Error("x");
    })
  );
  assertEquals([...seen, isAutocast(), result], [false, true, false, true, true, false, 7]);
});

testWith(device, "shader-f16", "autocast() tells its precision of sums to gradients and checkpoints too", () => {
  using _ = scope();
  let seen: string[] = [];
  const probe = defineOp<readonly [Tensor], null>({
    name: "probe",
    half: true,
    forward: (_context, [x]) => (seen.push(autocastSums()), x.alias()),
    backward: (_context, grad) => (seen.push(`grad ${autocastSums()}`), [grad.alias()]),
  });
  const run = (body: (x: Tensor) => Tensor, options: AutocastOptions) => {
    seen = [];
    const y = autocast(() => body(requireGrad(tensor([1]))), options);
    backward(y);
    return seen.join(" ");
  };
  const once = (x: Tensor) => probe([x], null);
  assertEquals(run(once, { sums: "f16" }), "f16 grad f16");
  assertEquals(run((x) => checkpoint(once, x), { sums: "f16" }), "f16 f16 grad f16");
  assertEquals(run((x) => autocast(() => once(x)), { sums: "f16" }), "f32 grad f32"); // the inner one says so
  for (const options of [{}, { enabled: false, sums: "f16" }] as const) {
    assertEquals(run(once, options), "f32 grad f32");
  }
  assertEquals(autocastSums(), "f32");
});

Deno.test("autocast() throws when sums are in no such precision", () => {
  const options = { sums: "bf16" } as unknown as AutocastOptions;
  assertThrows(
    () => autocast(() => {}, options),
    RangeError,
    'Cannot run autocast() as sums must be "f32" or "f16": got "bf16"',
  );
});

testWith(device, "shader-f16", "autocast() makes no copies of parameters", () => {
  using _ = scope();
  const w = requireGrad(normal([8, 8], { key: key(1) }));
  const x = cast(normal([4, 8], { key: key(2) }), "f16");
  const count = (body: () => unknown) => {
    const before = device.counters.dispatches;
    body();
    return device.counters.dispatches - before;
  };
  noGrad(() => {
    const frozen = cast(w, "f32");
    assertEquals(count(() => autocast(() => matmul(x, w))), 1);
    assertEquals(count(() => autocast(() => matmul(w, x, { transposeB: true }))), 1);
    assertEquals(count(() => autocast(() => linear(x, w))), 1);
    assertEquals(count(() => autocast(() => linear(x, frozen))), 1);
    assertEquals(count(() => autocast(() => matmul(x, frozen))), 2); // no parameter: it is read as f16
  });
});

testWith(device, "shader-f16", "autocast() gives each kind of op its dtype", () => {
  using _ = scope();
  const z = normal([4, 2, 8], { key: key(3) });
  const w = normal([8, 8], { key: key(4) });
  autocast(() => {
    const y = matmul(z, w);
    assertEquals(y.dtype, "f16");
    assertEquals([add(y, 1), mul(y, y), add(y, z), softmax(y, 2), sum(y)].map(({ dtype }) => dtype), [
      "f16",
      "f16",
      "f32",
      "f32",
      "f32",
    ]);
    assertEquals([decoupledUniformity(y), infoNCE(y)].map(({ dtype }) => dtype), ["f32", "f32"]);
    const kernel = (a: Tensor, b: Tensor) => matmul(a, b, { transposeB: true }); // in f32, as all of centroidWeights()
    assertEquals(centroidWeights(w, { kernel, ridge: 1 }).dtype, "f32");
  });
});

testWith(device, "shader-f16", "backward() inside autocast() gives the gradients of backward() after it", async () => {
  const run = async (inside: boolean) => {
    using _ = scope();
    const [a, b] = [1, 2].map((seed) => requireGrad(normal([6, 6], { key: key(seed) }))) as [Tensor, Tensor];
    const loss = () => sum(softmax(matmul(a, b), 1));
    const weighted = () => sum(mul(loss(), sum(matmul(a, b))));
    if (inside) autocast(() => backward(weighted()));
    else backward(autocast(weighted));
    return [await a.grad!.data(), await b.grad!.data()];
  };
  assertEquals(await run(true), await run(false));
});

Deno.test("autocast() and f16 tensors throw where the device lacks half precision", () => {
  const message = "Cannot use f16 as an old GPU lacks the feature shader-f16: train in full precision (f32)";
  assertThrows(() => autocast(() => 1, { device: without }), DeviceError, message);
  assertThrows(() => new Tensor(without, [2], { dtype: "f16" }), DeviceError, message);
  assertEquals(autocast(() => 1, { device: without, enabled: false }), 1);
});

testWith(device, "shader-f16", "f16 tensors are made, filled, read and written", async () => {
  using _ = scope();
  for (const size of [1, 2, 3, 8, 33]) {
    const values = Float16Array.from({ length: size }, (_, i) => i / 3);
    const x = tensor(values);
    assertEquals([x.dtype, x.bytes], ["f16", 2 * size]);
    assertEquals(await x.data(), values);
    x.write(values.map((v) => 2 * v));
    assertEquals(await x.data(), values.map((v) => 2 * v));
    assertEquals(await zeros([size], { dtype: "f16" }).data(), new Float16Array(size));
  }
  assertEquals(await tensor([[1.5, 2]], { dtype: "f16" }).data(), new Float16Array([1.5, 2]));
  assertEquals(await tensor(new Float16Array([0.25]), { shape: [] }).item(), 0.25);
});

testWith(
  device,
  "shader-f16",
  "cast() rounds to nearest, keeps small numbers, and makes large ones infinite",
  async () => {
    using _ = scope();
    const numbers = [0, -0, 1 / 3, -1e-5, 6e-8, 1e-9, 65504, 65519, 65520, -1e30, NaN, Infinity, 2049, 2051];
    const half = cast(tensor(numbers), "f16");
    assertEquals(await half.data(), new Float16Array(numbers));
    assertEquals(await cast(half, "f32").data(), Float32Array.from(new Float16Array(numbers)));
    assertEquals(cast(half, "f16").dtype, "f16");
  },
);

testWith(device, "shader-f16", "cast() casts the gradient back", async () => {
  using _ = scope();
  const x = requireGrad(tensor([1, 2, 3]));
  backward(sum(mul(cast(cast(x, "f16"), "f32"), tensor([1, 1 / 3, 1e6]))));
  assertEquals(await x.grad!.data(), Float32Array.from(new Float16Array([1, 1 / 3, 1e6])));
});

Deno.test("cast() throws on indices and other dtypes", () => {
  using _ = scope();
  assertThrows(() => cast(tensor(new Uint32Array(2)), "f16"), TypeError, "x must be f32 or f16: got u32 [2]");
  assertThrows(() => cast(tensor([1]), "u32" as "f32"), TypeError, 'dtype must be "f32" or "f16": got "u32"');
});
