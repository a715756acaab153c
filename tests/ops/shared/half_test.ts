// Ops in half precision. Products and convolutions are held to float64 loops over the same f16 numbers; the others to
// their own f32 forms on the same numbers, which their tests hold to float64.
import { assertAlmostEquals, assertEquals } from "@std/assert";
import { autocast, backward, requireGrad } from "../../../src/autograd/mod.ts";
import { Device } from "../../../src/device/mod.ts";
import type { Conv2dFormName } from "../../../src/ops/conv/_conv2d_forms.ts";
import * as ops from "../../../src/ops/mod.ts";
import {
  type DType,
  type FloatDType,
  scope,
  type Shape,
  sizeOf,
  type Tensor,
  tensor,
} from "../../../src/tensor/mod.ts";
import { assertClose, TOLERANCE } from "../../../src/testing/mod.ts";
import { halfNoise, noise } from "./_arrays.ts";
import { formsOn } from "../product/_forms.ts";
import { type ConvCase, convReference } from "../conv/_conv2d_reference.ts";
import { eachFamily, eachNorm } from "./_forms.ts";
import { testWith } from "../../device/_features.ts";
import { policyOf } from "../../../src/ops/shared/policy.ts";

const device = await Device.open();
const policy = policyOf(device);
// Half precision changes what is loaded and stored, which tiles of all shapes do alike: two of them stand for the others.
const FORMS = formsOn(device).filter((form) => !form.startsWith("tile") || form === "tile64" || form === "tile128");
const RTOL = { rtol: TOLERANCE.half };

function half(values: Float32Array<ArrayBuffer>, shape: Shape): Tensor {
  return tensor(Float16Array.from(values), { shape });
}

/** f16 images, and a weight in f32 as in a mixed training step, or in f16; gradients have the dtypes of their tensors. */
async function checkConv(each: ConvCase, weightType: FloatDType = "f32"): Promise<void> {
  using _ = scope();
  const inHalf = weightType === "f16";
  const want = convReference(each, { images: true, weight: inHalf });
  const x = requireGrad(half(want.x, each.x));
  const weight = requireGrad(inHalf ? half(want.weight, each.weight) : tensor(want.weight, { shape: each.weight }));
  const bias = requireGrad(tensor(want.bias));
  const y = autocast(() => ops.conv2d(x, weight, { ...each.options, bias }));
  backward(y, { grad: tensor(want.gradY, { shape: want.outShape }) });
  const got = [y, x.grad!, weight.grad!, bias.grad!];
  assertEquals(got.map(({ dtype }) => dtype), ["f16", "f16", weightType, "f32"]);
  const values = await Promise.all(got.map((t) => t.data()));
  assertClose(values[0]!, want.y, RTOL);
  assertClose(values[1]!, want.gradX, RTOL);
  // The sums are f32 and so are the results: as exact as f32's.
  assertClose(values[2]!, want.gradWeight, inHalf ? RTOL : { rtol: TOLERANCE.sum });
  assertClose(values[3]!, want.gradBias, { rtol: TOLERANCE.sum });
}

const WINOGRAD: readonly ConvCase[] = [
  { x: [2, 6, 6, 4], weight: [3, 3, 4, 8], options: { padding: 1 } },
  { x: [3, 5, 9, 12], weight: [3, 3, 12, 7], options: { padding: [2, 1] } },
];
const CONVS: Readonly<Record<Conv2dFormName, readonly ConvCase[]>> = {
  direct: [
    { x: [1, 1, 1, 1], weight: [1, 1, 1, 1], options: {} },
    { x: [2, 5, 7, 3], weight: [3, 3, 3, 5], options: { padding: 1 } },
    { x: [2, 8, 8, 4], weight: [3, 3, 4, 70], options: { stride: 2, padding: 1 } },
    { x: [1, 6, 6, 6], weight: [3, 3, 3, 10], options: { groups: 2, stride: 2 } },
    { x: [3, 70, 70, 1], weight: [3, 3, 1, 2], options: { dilation: [1, 2] } }, // splits
    { x: [1, 4, 4, 2000], weight: [3, 3, 2000, 4], options: { stride: 3 } }, // splits in the value
  ],
  taps: [{ x: [1, 17, 13, 3], weight: [7, 7, 3, 70], options: { stride: 2, padding: 3 } }],
  product: [{ x: [3, 6, 6, 5], weight: [1, 1, 5, 70], options: {} }],
  winograd3: WINOGRAD,
  winograd4: WINOGRAD,
  depthwise: [
    { x: [2, 5, 9, 4], weight: [3, 3, 1, 4], options: { groups: 4, padding: 1 } },
    { x: [2, 5, 9, 3], weight: [3, 3, 1, 3], options: { groups: 3, stride: 2 } },
  ],
};

for (const form of FORMS) {
  for (const [conv, cases] of Object.entries(CONVS) as [Conv2dFormName, readonly ConvCase[]][]) {
    testWith(
      device,
      "shader-f16",
      `conv2d() in f16 and its gradients agree with float64: ${conv}, form ${form}`,
      async () => {
        for (const each of cases) await policy.with({ conv2d: conv, matmul: form }, () => checkConv(each));
      },
    );
  }
}

testWith(
  device,
  "shader-f16",
  "conv2d() in f16 and its gradients agree with float64 where the weight is in f16",
  async () => {
    for (const [conv, cases] of Object.entries(CONVS) as [Conv2dFormName, readonly ConvCase[]][]) {
      await policy.with({ conv2d: conv }, () => checkConv(cases.at(-1)!, "f16"));
    }
  },
);

/** A sixteenth of the step of f16 above 1. */
const NEAR = 2 ** -14;
const sign = (i: number) => i % 2 === 0 ? 1 : -1;
/** ±1 by turns. */
const signs = (shape: Shape) => tensor(Float16Array.from({ length: sizeOf(shape) }, (_, i) => sign(i)), { shape });
/** Weights that f16 rounds to 1: of their sums with signs on either side, only what it drops is left. */
const nearOnes = (shape: Shape) => {
  const [inChannels, out] = shape.slice(-2) as [number, number];
  const values = Float32Array.from(
    { length: sizeOf(shape) },
    (_, at) => 1 + NEAR * (sign(Math.floor(at / out) % inChannels) + sign(at % out)),
  );
  return requireGrad(tensor(values, { shape }));
};

for (
  const [conv, edge] of [["direct", 3], ["taps", 3], ["product", 1], ["winograd3", 3], ["winograd4", 3]] as const
) {
  testWith(
    device,
    "shader-f16",
    `conv2d() and its gradient read f32 weights unrounded beside f16 images: ${conv}`,
    async () => {
      using _ = scope();
      const x = requireGrad(signs([1, 9, 9, 4]));
      const options = { padding: (edge - 1) / 2 };
      const y = await policy.with({ conv2d: conv }, async () => {
        const y = ops.conv2d(x, nearOnes([edge, edge, 4, 8]), options);
        backward(y, { grad: signs(y.shape) });
        return await Promise.resolve(y);
      });
      const middle = async (t: Tensor, channels: number) => (await t.data())[40 * channels]!;
      assertAlmostEquals(await middle(y, 8), edge * edge * 4 * NEAR, 1e-5);
      assertAlmostEquals(await middle(x.grad!, 4), edge * edge * 8 * NEAR, 1e-5);
    },
  );
}

testWith(
  device,
  "shader-f16",
  "matmul() and linear() and their gradients read f32 parameters unrounded beside f16",
  async () => {
    for (const op of [ops.matmul, ops.linear]) {
      using _ = scope();
      const x = requireGrad(signs([3, 4]));
      const y = op(x, nearOnes([4, 6]));
      backward(y, { grad: signs([3, 6]) });
      assertEquals<ArrayLike<number>>(await y.data(), new Float16Array(18).fill(4 * NEAR));
      assertEquals(await x.grad!.data(), new Float16Array(12).fill(6 * NEAR));
    }
  },
);

/** Computes `[m, k] · [k, n]` in float64. */
function product(a: ArrayLike<number>, b: ArrayLike<number>, m: number, k: number, n: number): Float64Array {
  return Float64Array.from({ length: m * n }, (_, at) => {
    let sum = 0;
    for (let l = 0; l < k; l++) sum += a[Math.floor(at / n) * k + l]! * b[l * n + at % n]!;
    return sum;
  });
}

function transposed(a: ArrayLike<number>, rows: number, cols: number): Float64Array {
  return Float64Array.from({ length: rows * cols }, (_, at) => a[at % rows * cols + Math.floor(at / rows)]!);
}

for (const form of FORMS) {
  testWith(
    device,
    "shader-f16",
    `matmul() and linear() in f16 and their gradients agree with float64, form ${form}`,
    async () => {
      for (const [m, k, n] of [[1, 1, 1], [17, 29, 33], [65, 8, 130], [5, 3, 1], [4, 3000, 6]] as const) {
        using _ = scope();
        const [a, b, g, s] = [halfNoise(m * k, 1), noise(k * n, 2), halfNoise(m * n, 3), noise(n, 4)];
        const want = product(a, b, m, k, n);
        const gradA = product(g, transposed(b, k, n), m, n, k);
        const gradB = product(transposed(a, m, k), g, k, m, n);
        for (const biased of [false, true]) {
          const x = requireGrad(half(a, [m, k]));
          const w = requireGrad(tensor(b, { shape: [k, n] }));
          const bias = tensor(s);
          const y = await policy.with({ matmul: form }, async () => {
            const y = autocast(() => biased ? ops.linear(x, w, { bias }) : ops.matmul(x, w));
            backward(y, { grad: tensor(g, { shape: [m, n] }) });
            return await Promise.resolve(y);
          });
          assertEquals([y, x.grad!, w.grad!].map(({ dtype }) => dtype), ["f16", "f16", "f32"]);
          assertClose(await y.data(), want.map((v, i) => biased ? v + s[i % n]! : v), RTOL);
          assertClose(await x.grad!.data(), gradA, RTOL);
          assertClose(await w.grad!.data(), gradB, { rtol: TOLERANCE.sum });
        }
      }
    },
  );
}

testWith(
  device,
  "shader-f16",
  "matmul() in f16 broadcasts, transposes and sums the gradients of what was broadcast",
  async () => {
    const shapes = [[2, 1, 5, 3], [4, 7, 3]] as const;
    await agree((a, b) => ops.matmul(a!, b!, { transposeB: true }), shapes);
    await agree((a, b) => ops.matmul(a!, b!, { transposeA: true }), [[6, 3, 5], [6, 3, 7]]);
  },
);

/** Runs a function on f16 numbers, as f16 and as f32, and compares values and the gradients of all inputs. */
async function agree(
  fn: (...inputs: Tensor[]) => Tensor,
  shapes: readonly Shape[],
  dtypes: { inputs?: readonly DType[]; output?: DType } = {},
): Promise<void> {
  using _ = scope();
  const values = shapes.map((shape, i) => halfNoise(sizeOf(shape), i + 1));
  const run = (kinds: readonly DType[]) => {
    const inputs = values.map((v, i) =>
      requireGrad(kinds[i] === "f16" ? half(v, shapes[i]!) : tensor(v, { shape: shapes[i]! }))
    );
    const y = fn(...inputs);
    backward(y, { grad: tensor(halfNoise(y.size, 9), { shape: y.shape }) });
    return [y, ...inputs.map(({ grad }) => grad!)];
  };
  const kinds = dtypes.inputs?.slice(0, shapes.length) ?? shapes.map((): DType => "f16");
  const got = run(kinds);
  assertEquals(got.map(({ dtype }) => dtype), [dtypes.output ?? "f16", ...kinds]);
  const want = run(shapes.map((): DType => "f32"));
  for (const [i, expected] of want.entries()) assertClose(await got[i]!.data(), await expected.data(), RTOL);
}

for (const channels of [8, 3]) {
  testWith(device, "shader-f16", `batchNorm() in f16 agrees with f32 in every mode, ${channels} channels`, async () => {
    const x = [3, 5, 5, channels];
    const inputs = ["f16", "f32", "f32", "f16"] as const;
    await eachNorm(device, async () => {
      for (const training of [true, false]) {
        for (const relu of [true, false]) {
          for (const added of [true, false]) {
            const shapes = [x, [channels], [channels], x].slice(0, added ? 4 : 3);
            const running = {
              runningMean: tensor(new Float32Array(channels)),
              runningVar: ops.add(tensor(new Float32Array(channels)), 0.5),
            };
            await agree(
              (x, weight, bias, residual) =>
                ops.batchNorm(x!, { weight: weight!, bias: bias!, residual, relu, training, ...running }),
              shapes,
              { inputs },
            );
          }
        }
      }
    });
  });

  testWith(device, "shader-f16", `pools in f16 agree with f32, ${channels} channels`, async () => {
    const shape = [2, 7, 9, channels];
    const windows = { kernelSize: 3, stride: 2, padding: 1 };
    await eachFamily(device, async () => {
      await agree((x) => ops.maxPool2d(x!, windows), [shape]);
      await agree((x) => ops.avgPool2d(x!, windows), [shape]);
      await agree((x) => ops.globalAvgPool(x!), [shape]);
      await agree((x) => ops.globalAvgPool(x!), [[1, 20, 20, channels]]); // in two stages
    });
  });
}

testWith(device, "shader-f16", "ops of one and two operands in f16 agree with f32", async () => {
  for (const size of [1, 7, 130]) {
    for (const op of [ops.relu, ops.exp, ops.tanh, ops.neg, ops.square]) await agree((x) => op(x!), [[size]]);
    for (const op of [ops.add, ops.sub, ops.mul]) await agree((x, y) => op(x!, y!), [[size], [size]]);
    await agree((x) => ops.mul(ops.add(x!, 2), 0.5), [[size]]);
  }
  for (const [x, y] of [[[4, 8], [8]], [[4, 8], [4, 1]], [[3, 5], [1]], [[2, 3, 5], [3, 1]]] as const) {
    await agree((a, b) => ops.mul(a!, b!), [x, y]);
    await agree((a, b) => ops.mul(a!, b!), [x, y], { inputs: ["f16", "f32"], output: "f32" });
  }
});

testWith(device, "shader-f16", "ops without a form for f16 read it as f32", async () => {
  await agree((x) => ops.sum(x!, { dim: 1 }), [[5, 7]], { output: "f32" });
  await agree((x) => ops.softmax(x!, 1), [[5, 7]], { output: "f32" });
  await agree((x) => ops.l2Normalize(x!), [[5, 7]], { output: "f32" });
  await agree((x) => ops.transpose(x!), [[5, 7]], { output: "f32" });
  await agree((x) => ops.reshape(x!, [7, 5]), [[5, 7]]); // keeps it
});

testWith(device, "shader-f16", "cosineGram() and linearGram() stay in f32 inside autocast()", () => {
  using _ = scope();
  const x = tensor(halfNoise(12), { shape: [3, 4] });
  for (const gram of [ops.cosineGram, ops.linearGram]) assertEquals(autocast(() => gram(x, x)).dtype, "f32");
});
