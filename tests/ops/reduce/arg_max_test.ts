import { assertEquals, assertThrows } from "@std/assert";
import { noGrad, requireGrad } from "../../../src/autograd/mod.ts";
import { Device } from "../../../src/device/mod.ts";
import { argMax } from "../../../src/ops/mod.ts";
import { ones, type Shape, sizeOf, tensor } from "../../../src/tensor/mod.ts";
import { noise } from "../shared/_arrays.ts";
import { checkGolden } from "../shared/_golden.ts";
import { reduction } from "./_reduction.ts";
import { REDUCTIONS } from "./_reduction_cases.ts";
import { eachFamily } from "../shared/_forms.ts";

const device = await Device.open();

const first = (group: Float64Array) => group.indexOf(group.reduce((a, b) => Math.max(a, b)));

Deno.test("argMax() equals the loop along any axis", () =>
  eachFamily(device, async () => {
    for (const [shape, dims] of [...REDUCTIONS.filter(([, dims]) => dims.length === 1), [[3, 5, 4], [1]] as const]) {
      const values = noise(sizeOf(shape)).map((v) => v - 2);
      const y = argMax(tensor(values, { shape }), { dim: dims[0]! });
      assertEquals(await y.data(), Uint32Array.from(reduction(values, shape, dims, first)));
    }
  }));

Deno.test("argMax() of all elements counts in row-major order, in several stages where there are many", () =>
  eachFamily(device, async () => {
    for (const shape of [[], [5, 7], [300, 1031]] as readonly Shape[]) {
      const values = noise(sizeOf(shape), 3);
      assertEquals(await argMax(tensor(values, { shape })).item(), first(Float64Array.from(values)));
    }
  }));

Deno.test("argMax() equals PyTorch", () => checkGolden("argMax", ([x], attrs) => argMax(x!, attrs)));

Deno.test("argMax() takes the first of equal elements, whichever slice they are in", () =>
  eachFamily(device, async () => {
    const values = new Float32Array(1000);
    values[998] = values[771] = values[130] = 1;
    assertEquals(await argMax(tensor(values)).item(), 130);
    assertEquals(await argMax(ones([3, 500]), { dim: 1 }).data(), new Uint32Array(3));
  }));

Deno.test("argMax() takes the first NaN where there is one", () =>
  eachFamily(device, async () => {
    const values = noise(700);
    values[5] = Infinity;
    values[601] = values[333] = NaN;
    assertEquals(await argMax(tensor(values)).item(), 333);
    assertEquals(await argMax(tensor([NaN, 1])).item(), 0);
    assertEquals(await argMax(tensor([-Infinity, -Infinity])).item(), 0);
  }));

Deno.test("argMax() gives u32 and keeps the axis on demand", () => {
  assertEquals(argMax(ones([2, 3]), { dim: 0 }).dtype, "u32");
  assertEquals(argMax(ones([2, 3]), { dim: 0, keepDim: true }).shape, [1, 3]);
  assertEquals(argMax(ones([2, 3]), { keepDim: true }).shape, [1, 1]);
});

Deno.test("argMax() throws when a gradient is wanted", () => {
  const x = requireGrad(ones([2]));
  assertThrows(
    () => argMax(x),
    TypeError,
    "Cannot differentiate argMax() as it is piecewise constant: call it inside noGrad() or on detach()ed inputs",
  );
  assertEquals(noGrad(() => argMax(x)).shape, []);
});

Deno.test("argMax() throws when there is nothing to compare, the dim is out of range or the dtype is not f32", () => {
  assertThrows(
    () => argMax(ones([2, 0]), { dim: 1 }),
    TypeError,
    "Cannot compute argMax() as there must be something to compare: got x [2,0]",
  );
  assertThrows(() => argMax(ones([2]), { dim: 1 }), RangeError, "argMax() as dim must be in [-1, 0]: got 1");
  assertThrows(() => argMax(ones([2], { dtype: "u32" })), TypeError, "argMax() as x must be f32: got u32 [2]");
});
