import { assertEquals, assertThrows } from "@std/assert";
import { backward, requireGrad } from "../../../src/autograd/mod.ts";
import { Device } from "../../../src/device/mod.ts";
import { add, div, maximum, minimum, mul, pow, square, sub, sum } from "../../../src/ops/mod.ts";
import { ones, type Shape, sizeOf, type Tensor, tensor, tidy } from "../../../src/tensor/mod.ts";
import { assertClose, gradcheck, TOLERANCE } from "../../../src/testing/mod.ts";
import { noise } from "../shared/_arrays.ts";
import { broadcast } from "../shared/_broadcast.ts";
import { checkGolden } from "../shared/_golden.ts";

await Device.open();

const OPS = { add, sub, mul, div, pow, maximum, minimum };
type Name = keyof typeof OPS;
const EXPECTED: Record<Name, (x: number, y: number) => number> = {
  add: (x, y) => x + y,
  sub: (x, y) => x - y,
  mul: (x, y) => x * y,
  div: (x, y) => x / y,
  pow: (x, y) => x ** y,
  maximum: Math.max,
  minimum: Math.min,
};
const NAMES = Object.keys(OPS) as Name[];

/**
 * Shapes for every way an operand can be read: whole, by row, by column, one element, strided; four at a time and one
 * at a time.
 */
const SHAPES: readonly (readonly [Shape, Shape])[] = [
  [[], []],
  [[1], [1, 1]],
  [[7], [7]],
  [[5, 8], [8]],
  [[5, 7], [7]],
  [[5, 8], [5, 1]],
  [[5, 7], [5, 1]],
  [[8], [5, 1]],
  [[3, 5, 7], []],
  [[1], [3, 5]],
  [[2, 3, 4], [3, 1]],
  [[2, 3, 4], [2, 1, 4]],
  [[2, 3, 5], [2, 1, 5]],
  [[2, 1, 3, 1, 4], [5, 1, 6, 4]],
  [[2, 1, 3, 1, 5], [5, 1, 6, 1]],
  [[4, 6, 6, 12], [12]],
  [[2, 3, 1, 2, 1, 3, 1, 2, 1], [3, 2, 1, 3, 1, 2, 4]],
];

/** Returns all ways for one op, a few for the others: the ways of reading are shared. */
function shapesOf(name: Name): readonly (readonly [Shape, Shape])[] {
  return name === "sub" ? SHAPES : SHAPES.filter((_, i) => i % 4 === 2);
}

/** Numbers of ±[0.5, 1.5], or of [0.5, 1.5]: away from 0, and apart from each other where `seed` differs. */
function numbers(shape: Shape, seed: number, positive: boolean): Tensor {
  const values = noise(sizeOf(shape), seed);
  return tensor(values.map((v) => (v < 0 && !positive ? -1 : 1) * (0.5 + Math.abs(v))), { shape });
}

for (const name of NAMES) {
  Deno.test(`${name}() equals the float64 loop, whatever broadcasts`, async () => {
    for (const [a, b] of shapesOf(name)) {
      const [x, y] = [numbers(a, 1, name === "pow"), numbers(b, 2, false)];
      const expected = broadcast(
        [{ shape: a, values: await x.data() }, { shape: b, values: await y.data() }],
        EXPECTED[name],
      );
      assertClose(await OPS[name](x, y).data(), expected, { rtol: TOLERANCE.value });
      assertClose(
        await OPS[name](x, 0.75).data(),
        (await x.data()).map((v) => EXPECTED[name](v, 0.75)),
        { rtol: TOLERANCE.value },
      );
      const positive = numbers(b, 3, true);
      assertClose(
        await OPS[name](1.25, positive).data(),
        (await positive.data()).map((v) => EXPECTED[name](1.25, v)),
        { rtol: TOLERANCE.value },
      );
    }
  });

  Deno.test(`${name}() gradient matches finite differences`, async () => {
    const fn = OPS[name];
    for (const [a, b] of shapesOf(name)) {
      // Whole numbers and whole numbers plus 1/4: no step crosses a kink of maximum and minimum.
      const low = name === "pow" || name === "div" ? 3 : 0;
      const x = tensor(noise(sizeOf(a), 1).map((v) => low + Math.round(2 * v)), { shape: a });
      const y = tensor(noise(sizeOf(b), 2).map((v) => low + 0.25 + Math.round(2 * v)), { shape: b });
      await gradcheck(fn, [x, y]);
      await gradcheck((x) => fn(x, 0.75), x);
      await gradcheck((x) => fn(0.75, x), x);
    }
  });

  Deno.test(`${name}() equals PyTorch`, () =>
    checkGolden(name, ([x, y], attrs) => OPS[name](x!, y ?? attrs.exponent as number), { value: 3e-6 }));

  Deno.test(`${name}() throws when the shapes do not broadcast`, () => {
    assertThrows(
      () => OPS[name](ones([2, 3]), ones([2])),
      TypeError,
      `Cannot compute ${name}() as the shapes do not broadcast: got [2,3] and [2]`,
    );
  });

  Deno.test(`${name}() throws when both are numbers or a dtype is not f32`, () => {
    assertThrows(
      () => OPS[name](1, 2),
      TypeError,
      `Cannot compute ${name}() as one operand must be a tensor: got 1 and 2`,
    );
    assertThrows(
      () => OPS[name](ones([2]), ones([2], { dtype: "u32" })),
      TypeError,
      `Cannot compute ${name}() as x must be f32: got u32 [2]`,
    );
  });
}

Deno.test("maximum() and minimum() split the gradient of ties and pass NaN on", async () => {
  for (const fn of [maximum, minimum]) {
    const x = requireGrad(tensor([1, 2, 3]));
    const y = requireGrad(tensor([1, 2, 3]));
    backward(sum(fn(x, y)));
    assertEquals(await x.grad!.data(), new Float32Array([0.5, 0.5, 0.5]));
    assertEquals(await y.grad!.data(), new Float32Array([0.5, 0.5, 0.5]));
    const nan = await fn(tensor([NaN, 1, NaN, NaN, Infinity]), tensor([0, NaN, NaN, Infinity, NaN])).data();
    assertEquals(nan, new Float32Array(5).fill(NaN));
  }
  assertEquals(await maximum(tensor([-Infinity, Infinity]), 0).data(), new Float32Array([0, Infinity]));
});

Deno.test("pow() takes negative bases, zero and special values as PyTorch does", async () => {
  const x = [-2, -2, -2, -2, 0, 0, 0, -1.5, NaN, NaN, 1, Infinity, 2, -2, 3];
  const y = [3, 2, 0.5, -1, 0, 2, -1, 17, 0, 1, 1e9, -1, 20, 21, -16];
  const expected = x.map((v, i) => v ** y[i]!);
  assertClose(await pow(tensor(x), tensor(y)).data(), expected, { rtol: TOLERANCE.value });
});

Deno.test("pow() gradient to the base is 0 for exponent 0 and finite for base 0 with exponent 2", async () => {
  const x = requireGrad(tensor([0, 0, -3]));
  backward(sum(pow(x, tensor([0, 2, 2]))));
  assertEquals(await x.grad!.data(), new Float32Array([0, 0, -6]));
});

Deno.test("div() by zero gives infinities and NaN", async () => {
  assertEquals(await div(tensor([1, -1, 0]), 0).data(), new Float32Array([Infinity, -Infinity, NaN]));
});

Deno.test("mul() of a tensor by itself adds both gradients", async () => {
  const x = requireGrad(tensor([1, -2, 3]));
  backward(sum(mul(x, x)));
  assertEquals(await x.grad!.data(), new Float32Array([2, -4, 6]));
});

Deno.test("add() of empty tensors is empty, and broadcasts size 1 to 0", async () => {
  assertEquals(add(ones([0, 3]), ones([3])).shape, [0, 3]);
  assertEquals(add(ones([2, 0]), ones([2, 1])).shape, [2, 0]);
  assertEquals(await add(ones([0]), 1).data(), new Float32Array([]));
});

Deno.test("mul() saves only what its gradient reads", async () => {
  await using device = await Device.open(); // a pool of its own
  const x = requireGrad(ones([1024]));
  const before = device.memory.live;
  const y = tidy(() => mul(mul(x, 2), 3)); // a number's product needs neither operand again
  assertEquals(device.memory.live, before + 4096);
  const z = tidy(() => mul(square(x), y)); // the square is saved for the gradient of y
  assertEquals(device.memory.live, before + 3 * 4096);
  backward(z, { grad: ones(z.shape) });
  assertEquals(await x.grad!.data(), new Float32Array(1024).fill(18));
});

Deno.test("pow() of infinities, ones and zeros is PyTorch's, unlike JavaScript's", async () => {
  const [inf, nan] = [Infinity, NaN];
  const table: [number, number, number][] = [
    ...[[-1, inf, 1], [-1, -inf, 1], [1, nan, 1], [1, inf, 1], [nan, 0, 1], [0, nan, nan], [-0, nan, nan], [
      -1,
      1e30,
      1,
    ], [-1, 16777218, 1]],
    ...[[-2, inf, inf], [-2, -inf, 0], [-0.5, inf, 0], [-0.5, -inf, inf], [2, inf, inf], [0.5, inf, 0]],
    ...[[-inf, 3, -inf], [-inf, 2, inf], [-inf, 0.5, inf], [-inf, 17, -inf], [-inf, -17, -0], [-3, 16777218, inf]],
    ...[[inf, 0.5, inf], [inf, -0.5, 0], [0, inf, 0], [0, -inf, inf], [-0, -17, -inf], [-0, -16, inf]],
  ] as [number, number, number][];
  const [x, y] = [0, 1].map((k) => tensor(table.map((row) => row[k]!)));
  assertEquals(Array.from(await pow(x!, y!).data(), (v) => v + 0), table.map((row) => row[2] + 0));
});
