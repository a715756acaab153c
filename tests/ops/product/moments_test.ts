import { assert, assertEquals } from "@std/assert";
import { autocast, backward } from "../../../src/autograd/mod.ts";
import { Device } from "../../../src/device/mod.ts";
import { mergeMoments } from "../../../src/ops/norm/batch_norm_passes.ts";
import type { ProductFormName } from "../../../src/ops/product/forms.ts";
import type { Conv2dFormName } from "../../../src/ops/conv/_conv2d_forms.ts";
import { batchNorm, batchNormOf } from "../../../src/ops/norm/batch_norm.ts";
import { type Conv2dOptions, conv2dWithMoments } from "../../../src/ops/conv/conv2d.ts";
import { key, normal, ones, requireGrad, scope, type Shape, sum, type Tensor, zeros } from "../../../mod.ts";
import { square } from "../../../src/ops/elementwise/unary.ts";
import { assertClose, TOLERANCE } from "../../../src/testing/mod.ts";
import { formsOn, typical } from "./_forms.ts";
import { eachFamily, withMoments } from "../shared/_forms.ts";
import { policyOf } from "../../../src/ops/shared/policy.ts";
import { testWith } from "../../device/_features.ts";

const device = await Device.open();
const policy = policyOf(device);
const FORMS = formsOn(device);

interface Case {
  readonly x: Shape;
  readonly weight: Shape;
  readonly options?: Conv2dOptions;
  readonly mean?: number;
}

/** Mean, sum of squared deviations and count per channel of `[…, c]`, in float64, as `[3, c]`. */
async function reference(y: Tensor): Promise<Float64Array> {
  const values = await y.data();
  const c = y.shape.at(-1)!;
  const rows = y.size / c;
  const moments = new Float64Array(3 * c).fill(0);
  values.forEach((v, i) => moments[i % c]! += v / rows);
  values.forEach((v, i) => moments[c + i % c]! += (v - moments[i % c]!) ** 2);
  return moments.fill(rows, 2 * c);
}

async function check({ x, weight, options = {}, mean = 0 }: Case): Promise<void> {
  using _ = scope();
  const bias = normal([weight[3]!], { key: key(3), mean });
  const made = conv2dWithMoments(normal(x, { key: key(1) }), normal(weight, { key: key(2) }), { ...options, bias });
  assert(made.moments, `no moments of x [${x}] and weight [${weight}]`);
  const c = weight[3]!;
  const got = await mergeMoments(made.moments).data();
  const expected = await reference(made.y);
  assertClose(got.subarray(0, c), expected.subarray(0, c), { atol: 1e-5 });
  // The deviations are those of the sums before they were rounded to the precision of a large mean.
  assertClose(got.subarray(c, 2 * c), expected.subarray(c, 2 * c), { rtol: mean > 100 ? 1e-3 : 2e-6, atol: 1e-5 });
  assertEquals(got.subarray(2 * c), new Float32Array(expected.subarray(2 * c)));
}

const DIRECT: readonly Case[] = [
  { x: [1, 1, 1, 4], weight: [1, 1, 4, 4] },
  { x: [1, 3, 3, 4], weight: [3, 3, 4, 8] },
  { x: [3, 9, 7, 5], weight: [3, 3, 5, 12], options: { padding: 1, stride: 2 } },
  { x: [2, 13, 11, 8], weight: [2, 3, 4, 40], options: { groups: 2, padding: 1 } },
  { x: [2, 16, 17, 3], weight: [3, 3, 3, 132], options: { padding: 1 } },
];
const PRODUCT: readonly Case[] = [
  { x: [1, 1, 1, 8], weight: [1, 1, 8, 4] },
  { x: [1, 5, 5, 12], weight: [1, 1, 12, 36] },
  { x: [3, 9, 10, 6], weight: [1, 1, 6, 200] },
];
const WINOGRAD: readonly Case[] = [
  { x: [1, 1, 1, 4], weight: [3, 3, 4, 4], options: { padding: 1 } },
  { x: [2, 5, 9, 12], weight: [3, 3, 12, 8], options: { padding: [2, 1] } },
  { x: [7, 8, 8, 4], weight: [3, 3, 4, 260], options: { padding: 1 } },
  // 3.7 MB of transforms an image: chunks of two images, the last of one.
  { x: [3, 78, 77, 64], weight: [3, 3, 64, 4], options: { padding: 1 } },
];

async function checkAll(conv: Conv2dFormName, form: ProductFormName, cases: readonly Case[]): Promise<void> {
  await policy.with({ conv2d: conv, matmul: form }, async () => {
    for (const each of cases) await check(each);
    // A large mean beside the deviation must cancel nothing.
    await check({ ...cases[1]!, mean: 10_000 });
  });
}

for (const form of FORMS) {
  for (const [conv, cases] of [["direct", DIRECT], ["product", PRODUCT]] as const) {
    if (conv === "product" && !typical(FORMS).includes(form)) continue;
    Deno.test(`conv2dWithMoments() leaves the moments of its output: ${conv}, form ${form}`, async () => {
      await withMoments(device, () => checkAll(conv, form, cases));
    });
  }
}

for (const name of ["winograd3", "winograd4"] satisfies Conv2dFormName[]) {
  Deno.test(`conv2dWithMoments() leaves the moments of its output: ${name}`, async () => {
    await eachFamily(device, () => withMoments(device, () => checkAll(name, "rows", WINOGRAD)));
  });
}

testWith(
  device,
  "shader-f16",
  "conv2dWithMoments() in f16 leaves the moments of its sums before they are rounded",
  async () => {
    const half = async (conv: Conv2dFormName, { x, weight, options }: Case) => {
      using _ = scope();
      const tensors = [normal(x, { key: key(1) }), normal(weight, { key: key(2) })] as const;
      const { y, moments } = autocast(() => conv2dWithMoments(...tensors, options));
      assertEquals([y.dtype, moments?.dtype], ["f16", "f32"], conv);
      const got = await mergeMoments(moments!).data();
      const expected = await reference(y);
      const c = weight[3]!;
      for (const from of [0, c]) {
        assertClose(got.subarray(from, from + c), expected.subarray(from, from + c), { rtol: 1e-3 });
      }
    };
    const cases = { direct: DIRECT[2]!, product: PRODUCT[1]!, winograd3: WINOGRAD[1]!, winograd4: WINOGRAD[1]! };
    for (const [name, each] of Object.entries(cases) as [Conv2dFormName, Case][]) {
      await withMoments(device, () => policy.with({ conv2d: name, matmul: "rows" }, () => half(name, each)));
    }
  },
);

Deno.test("mergeMoments() merges many slices in stages, some of them empty", async () => {
  await eachFamily(device, async () => {
    using _ = scope();
    for (const c of [4, 3]) {
      const values = normal([40_000, c], { key: key(4), mean: 100 });
      const flat = await values.data();
      const slices = new Float32Array(40_000 * 3 * c);
      flat.forEach((v, i) => {
        const [row, k] = [Math.floor(i / c), i % c];
        slices[row * 3 * c + k] = v;
        slices[(row * 3 + 2) * c + k] = row % 5 === 0 ? 0 : 1;
      });
      const parts = zeros([40_000, 3, c]);
      parts.write(slices);
      const got = await mergeMoments(parts).data();
      for (let k = 0; k < c; k++) {
        const column = flat.filter((_, i) => i % c === k && Math.floor(i / c) % 5 !== 0);
        const mean = column.reduce((a, b) => a + b, 0) / column.length;
        const squares = column.reduce((a, b) => a + (b - mean) ** 2, 0);
        assertClose([got[k]!, got[c + k]!, got[2 * c + k]!], [mean, squares, column.length], { rtol: 1e-5 });
      }
    }
  });
});

Deno.test("conv2dWithMoments() leaves none where the sum is split, channels are padded or there are no images", async () => {
  await withMoments(device, () => {
    using _ = scope();
    const of = (x: Shape, weight: Shape) => conv2dWithMoments(zeros(x), zeros(weight)).moments;
    assertEquals(of([1, 4, 4, 2000], [3, 3, 2000, 4]), null);
    assertEquals(of([1, 8, 8, 4], [3, 3, 4, 6]), null);
    assertEquals(of([0, 8, 8, 4], [3, 3, 4, 4]), null);
    return Promise.resolve();
  });
});

/** Computes what a convolution and its normalisation make and leave, and every gradient. */
async function convNormResults(fused: boolean): Promise<ArrayLike<number>[]> {
  using _ = scope();
  const [x, w, weight, bias] = [[3, 7, 9, 8], [3, 3, 8, 12], [12], [12]].map((shape, i) =>
    requireGrad(normal(shape, { key: key(i), mean: i === 0 ? 2 : 0 }))
  ) as [Tensor, Tensor, Tensor, Tensor];
  const [runningMean, runningVar] = [zeros([12]), ones([12])];
  const { y, moments } = conv2dWithMoments(x, w, { padding: 1 });
  assert(moments);
  const options = { weight, bias, runningMean, runningVar, training: true, relu: true };
  const z = fused ? batchNormOf(y, options, moments) : batchNorm(y, options);
  backward(sum(square(z)));
  const made = [z, runningMean, runningVar, ...[x, w, weight, bias].map(({ grad }) => grad!)];
  return await Promise.all(made.map((tensor) => tensor.data()));
}

Deno.test("batchNormOf() with a convolution's moments has the values, gradients and statistics of batchNorm()", async () => {
  const run = async () => {
    const [fused, apart] = [await convNormResults(true), await convNormResults(false)];
    fused.forEach((values, i) => assertClose(values, apart[i]!, { rtol: TOLERANCE.sum }));
  };
  for (const conv of ["direct", "winograd3", "winograd4"] satisfies Conv2dFormName[]) {
    await withMoments(device, () => policy.with({ conv2d: conv, matmul: "rows" }, run));
  }
});
