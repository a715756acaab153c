import { assertEquals, assertThrows } from "@std/assert";
import { backward, requireGrad } from "../../../src/autograd/mod.ts";
import { Device } from "../../../src/device/mod.ts";
import { max, min, sum } from "../../../src/ops/mod.ts";
import { ones, sizeOf, tensor } from "../../../src/tensor/mod.ts";
import { gradcheck } from "../../../src/testing/mod.ts";
import { noise } from "../shared/_arrays.ts";
import { checkGolden } from "../shared/_golden.ts";
import { reduction } from "./_reduction.ts";
import { REDUCTIONS } from "./_reduction_cases.ts";
import { eachFamily } from "../shared/_forms.ts";

const device = await Device.open();

for (const [name, fn, best] of [["max", max, Math.max], ["min", min, Math.min]] as const) {
  Deno.test(`${name}() equals the loop over any axes`, () =>
    eachFamily(device, async () => {
      for (const [shape, dims] of REDUCTIONS) {
        const values = noise(sizeOf(shape)).map((v) => name === "max" ? v - 2 : v + 2); // garbage such as 0 would win
        const expected = reduction(values, shape, dims, (group) => group.reduce((a, b) => best(a, b)));
        const y = fn(tensor(values, { shape }), { dim: dims });
        assertEquals(await y.data(), Float32Array.from(expected));
      }
    }));

  Deno.test(`${name}() gradient matches finite differences`, async () => {
    for (const [shape, dims] of REDUCTIONS.slice(0, 13)) {
      // All different, and further apart than a step.
      const values = Float32Array.from({ length: sizeOf(shape) }, (_, i) => ((i * 37) % 101) / 16);
      await gradcheck((x) => fn(x, { dim: dims }), tensor(values, { shape }));
    }
  });

  Deno.test(`${name}() equals PyTorch`, () => checkGolden(name, ([x], attrs) => fn(x!, attrs)));

  Deno.test(`${name}() shares the gradient evenly among ties`, async () => {
    const x = requireGrad(tensor([[2, 2, 2, 2], [1, 1, name === "max" ? 0 : 3, 1]]));
    backward(sum(fn(x, { dim: 1 })));
    const third = Math.fround(1 / 3);
    assertEquals(await x.grad!.data(), new Float32Array([0.25, 0.25, 0.25, 0.25, third, third, 0, third]));
  });

  Deno.test(`${name}() passes NaN on and takes infinities`, () =>
    eachFamily(device, async () => {
      for (const size of [1, 3, 5, 8, 300]) {
        for (const at of [0, size >> 1, size - 1]) {
          const values = new Float32Array(size).fill(1);
          values[at] = NaN;
          assertEquals(await fn(tensor(values)).item(), NaN);
          values[at] = name === "max" ? Infinity : -Infinity;
          assertEquals(await fn(tensor(values)).item(), values[at]);
        }
      }
    }));

  Deno.test(`${name}() throws when there is nothing to compare, or the dtype is not f32`, () => {
    assertThrows(
      () => fn(ones([2, 0]), { dim: 1 }),
      TypeError,
      `Cannot compute ${name}() as there must be something to compare: got x [2,0] along [1]`,
    );
    assertEquals(fn(ones([0, 2]), { dim: 1 }).shape, [0]);
    assertThrows(
      () => fn(ones([2], { dtype: "u32" })),
      TypeError,
      `Cannot compute ${name}() as x must be f32: got u32 [2]`,
    );
  });
}
