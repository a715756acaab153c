import { assertEquals, assertThrows } from "@std/assert";
import { backward, requireGrad } from "../../../src/autograd/mod.ts";
import { Device } from "../../../src/device/mod.ts";
import {
  abs,
  clamp,
  exp,
  hardswish,
  leakyRelu,
  log,
  neg,
  relu,
  sigmoid,
  silu,
  softplus,
  sqrt,
  square,
  sum,
  tanh,
} from "../../../src/ops/mod.ts";
import { ones, type Tensor, tensor } from "../../../src/tensor/mod.ts";
import { assertClose, gradcheck, TOLERANCE } from "../../../src/testing/mod.ts";
import { noise } from "../shared/_arrays.ts";
import { checkGolden } from "../shared/_golden.ts";

await Device.open();

/** An op: its float64 twin, inputs as `scale * noise + offset`, the kinks to keep away from, and special values. */
interface Row {
  readonly op: (x: Tensor) => Tensor;
  readonly value: (x: number) => number;
  readonly scale: number;
  readonly offset?: number;
  readonly kinks?: readonly number[];
  /** Values at NaN, −∞, ∞, −1 and 0. */
  readonly special: readonly number[];
  /** Whether PyTorch's values are in a fixture; where false, the float64 loop and the finite differences hold the op. */
  readonly golden?: false;
}

const ROWS: Record<string, Row> = {
  abs: { op: abs, value: Math.abs, scale: 3, kinks: [0], special: [NaN, Infinity, Infinity, 1, 0] },
  clamp: {
    op: (x) => clamp(x, { min: -0.5, max: 0.75 }),
    value: (x) => Math.min(Math.max(x, -0.5), 0.75),
    scale: 2,
    kinks: [-0.5, 0.75],
    special: [NaN, -0.5, 0.75, -0.5, 0],
  },
  exp: { op: exp, value: Math.exp, scale: 4, special: [NaN, 0, Infinity, Math.exp(-1), 1] },
  hardswish: {
    op: hardswish,
    value: (x) => x * Math.min(Math.max(x + 3, 0), 6) / 6,
    scale: 5,
    kinks: [-3, 3],
    special: [NaN, NaN, Infinity, -1 / 3, 0],
    golden: false, // one formula; its kinks are tested below
  },
  leakyRelu: {
    op: (x) => leakyRelu(x, { negativeSlope: 0.2 }),
    value: (x) => x > 0 ? x : 0.2 * x,
    scale: 3,
    kinks: [0],
    special: [NaN, -Infinity, Infinity, -0.2, 0],
    golden: false, // one formula; its kink is tested below
  },
  log: { op: log, value: Math.log, scale: 2, offset: 2.5, special: [NaN, NaN, Infinity, NaN, -Infinity] },
  neg: { op: neg, value: (x) => -x, scale: 3, special: [NaN, Infinity, -Infinity, 1, 0] },
  relu: { op: relu, value: (x) => Math.max(x, 0), scale: 3, kinks: [0], special: [NaN, 0, Infinity, 0, 0] },
  sigmoid: {
    op: sigmoid,
    value: (x) => 1 / (1 + Math.exp(-x)),
    scale: 12,
    special: [NaN, 0, 1, 1 / (1 + Math.E), 0.5],
  },
  silu: {
    op: silu,
    value: (x) => x / (1 + Math.exp(-x)),
    scale: 12,
    special: [NaN, NaN, Infinity, -1 / (1 + Math.E), 0],
    golden: false, // one formula, without a choice of PyTorch's that it could miss
  },
  softplus: {
    op: (x) => softplus(x, { beta: 2 }),
    value: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(2 * x))) / 2,
    scale: 12,
    special: [NaN, 0, Infinity, Math.log1p(Math.exp(-2)) / 2, Math.LN2 / 2],
    golden: false, // PyTorch's is x past a threshold of 20, where f32 cannot tell
  },
  sqrt: { op: sqrt, value: Math.sqrt, scale: 2, offset: 2.5, special: [NaN, NaN, Infinity, NaN, 0] },
  square: { op: square, value: (x) => x * x, scale: 3, special: [NaN, Infinity, Infinity, 1, 0] },
  tanh: { op: tanh, value: Math.tanh, scale: 6, special: [NaN, -1, 1, Math.tanh(-1), 0] },
};

function inputs(count: number, { scale, offset = 0, kinks = [] }: Row): Float32Array<ArrayBuffer> {
  const values = noise(count, count).map((v) => scale * v + offset);
  return values.map((v) => kinks.some((kink) => Math.abs(v - kink) < 0.02) ? v + 0.05 : v);
}

for (const [name, row] of Object.entries(ROWS)) {
  Deno.test(`${name}() equals the float64 loop`, async () => {
    for (const shape of [[], [1], [7], [3, 5, 11]]) {
      const values = inputs(shape.reduce((a, b) => a * b, 1), row);
      const y = row.op(tensor(values, { shape }));
      assertEquals(y.shape, shape);
      assertClose(await y.data(), Float64Array.from(values, row.value), { rtol: TOLERANCE.value });
    }
  });

  Deno.test(`${name}() passes NaN on and takes infinities, -1 and 0`, async () => {
    const y = await row.op(tensor([NaN, -Infinity, Infinity, -1, 0])).data();
    assertClose(y, row.special, { rtol: TOLERANCE.value });
  });

  Deno.test(`${name}() gradient matches finite differences`, async () => {
    const near = { ...row, scale: Math.min(row.scale, 2) }; // where the slope is not lost in rounding
    for (const count of [1, 7, 66]) await gradcheck(row.op, tensor(inputs(count, near)));
  });

  if (row.golden !== false) {
    Deno.test(`${name}() equals PyTorch`, () =>
      checkGolden(
        name,
        ([x], attrs) => name === "clamp" ? clamp(x!, attrs) : row.op(x!),
        { value: TOLERANCE.value },
      ));
  }

  Deno.test(`${name}() of nothing is nothing`, () => {
    assertEquals(row.op(ones([0, 3])).shape, [0, 3]);
  });

  Deno.test(`${name}() throws when the dtype is not f32`, () => {
    assertThrows(
      () => row.op(ones([2], { dtype: "u32" })),
      TypeError,
      `Cannot compute ${name}() as x must be f32: got u32 [2]`,
    );
  });
}

/** The gradient at single places. */
async function slopes(op: (x: Tensor) => Tensor, at: number[]): Promise<ArrayLike<number>> {
  const x = requireGrad(tensor(at));
  backward(sum(op(x)));
  return await x.grad!.data();
}

Deno.test("relu(), abs() and clamp() gradients at their kinks are PyTorch's", async () => {
  assertEquals(await slopes(relu, [-1, 0, 2, NaN]), new Float32Array([0, 0, 1, 1]));
  assertEquals(await slopes(abs, [-3, 0, 2]), new Float32Array([-1, 0, 1]));
  const limits = { min: -1, max: 2 };
  assertEquals(await slopes((x) => clamp(x, limits), [-2, -1, 0, 2, 3]), new Float32Array([0, 1, 1, 1, 0]));
});

Deno.test("sigmoid() and tanh() gradients are finite and 0 far out, exp() and sqrt() infinite", async () => {
  assertEquals(await slopes(sigmoid, [-200, 0, 200]), new Float32Array([0, 0.25, 0]));
  assertEquals(await slopes(tanh, [-200, 0, 200]), new Float32Array([0, 1, 0]));
  assertEquals(await slopes(exp, [-200, 0, 200]), new Float32Array([0, 1, Infinity]));
  assertEquals(await slopes(sqrt, [0, 4]), new Float32Array([Infinity, 0.25]));
});

Deno.test("silu() gradients are PyTorch's far out and at 0", async () => {
  const s = 1 / (1 + Math.E); // sigmoid(-1)
  const expected = [0, s * s, 0.5, 1]; // at -1: s (1 - (1 - s))
  assertClose(await slopes(silu, [-200, -1, 0, 200]), expected, { rtol: TOLERANCE.value });
});

Deno.test("leakyRelu(), hardswish() and softplus() gradients at their kinks and far out are PyTorch's", async () => {
  assertEquals(await slopes(leakyRelu, [-1, 0, 2]), new Float32Array([0.01, 0.01, 1]));
  assertEquals(await slopes(hardswish, [-4, -3, 0, 3, 4]), new Float32Array([0, 0, 0.5, 1, 1]));
  assertEquals(await slopes(softplus, [-200, 0, 200]), new Float32Array([0, 0.5, 1]));
});

Deno.test("softplus() keeps the digits of small results, without a threshold", async () => {
  const at = Float32Array.from([-80, -30, -16, -5, -0.1, 0, 1e-6, 0.1, 5, 16, 30]);
  const expected = Float64Array.from(at, (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))));
  assertClose(await softplus(tensor(at)).data(), expected, { rtol: 2e-6, atol: 0 }); // exp's own error at -80
});

Deno.test("leakyRelu() and softplus() throw on settings out of range", () => {
  assertThrows(
    () => leakyRelu(ones([2]), { negativeSlope: -0.1 }),
    RangeError,
    "Cannot compute leakyRelu() as negativeSlope must be >= 0 and finite: current value is -0.1",
  );
  assertThrows(
    () => softplus(ones([2]), { beta: 0 }),
    RangeError,
    "Cannot compute softplus() as beta must be > 0 and finite: current value is 0",
  );
});

Deno.test("clamp() with one bound leaves the other side open", async () => {
  const x = tensor([-Infinity, -2, 2, Infinity]);
  assertEquals(await clamp(x, { min: 0 }).data(), new Float32Array([0, 0, 2, Infinity]));
  assertEquals(await clamp(x, { max: 0 }).data(), new Float32Array([-Infinity, -2, 0, 0]));
});

Deno.test("clamp() throws without bounds, or with bounds that leave nothing", () => {
  const x = ones([2]);
  assertThrows(() => clamp(x, {}), TypeError, "Cannot compute clamp() as min or max must be given: got neither");
  assertThrows(
    () => clamp(x, { min: 1, max: 0 }),
    RangeError,
    "Cannot compute clamp() as min must be <= max: got 1 and 0",
  );
  assertThrows(() => clamp(x, { min: NaN }), RangeError, "clamp() as min must be <= max: got NaN and Infinity");
});

Deno.test("log() near 1 and tanh() near 0 keep the digits of small results", async () => {
  const steps = [-0.26, -0.24, -0.1, -1e-3, -6e-8, 0, 1.2e-7, 1e-5, 0.1, 0.24, 0.26];
  const ones = Float32Array.from(steps, (step) => 1 + step);
  assertClose(await log(tensor(ones)).data(), Float64Array.from(ones, Math.log), { rtol: 5e-7, atol: 0 });
  const small = Float32Array.from([...steps, 1e-10, -1e-20, 1e-30]);
  assertClose(await tanh(tensor(small)).data(), Float64Array.from(small, Math.tanh), { rtol: 5e-7, atol: 0 });
});
