// Sums of a few products in f16, in mixed precision: how far they are off, and that nobody gets them unasked.
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { autocast, backward, Device, requireGrad, scope, sum, tensor } from "../../../mod.ts";
import { conv2dWithMoments } from "../../../src/ops/conv/conv2d.ts";
import { mergeMoments } from "../../../src/ops/norm/batch_norm_passes.ts";
import { packed } from "../../../src/ops/product/layout.ts";
import { product } from "../../../src/ops/product/product.ts";
import { policyOf } from "../../../src/ops/shared/policy.ts";
import { GradScaler, SGD } from "../../../src/optim/mod.ts";
import type { FloatDType, Shape } from "../../../src/tensor/mod.ts";
import { assertClose } from "../../../src/testing/mod.ts";
import { testWith } from "../../device/_features.ts";
import { noise } from "../shared/_arrays.ts";
import { formsOn } from "./_forms.ts";

const device = await Device.open();
const policy = policyOf(device);
// Each keeps to the bound; one stands for the others in all else: an adapter on a CPU takes seconds for each program.
const EACH = formsOn(device).includes("tile64") ? ["half64", "half64x128", "half128x64", "half128"] as const : [];
const FORMS = EACH.filter((form) => form === "half64");
const U = 2 ** -11;
const SIZES = { rows: 70, inner: 64, cols: 68 } as const;
const BOUND = 10 * U + SIZES.inner / 8 * 2 ** -24;

type Numbers = Float32Array<ArrayBuffer>;

const half = (values: Numbers, shape: Shape) => tensor(Float16Array.from(values), { shape });

/** The product of `[inner, rows]`, transposed, and `[inner, cols]`, rounded to f16 first. */
async function computed(a: Numbers, b: Numbers, sums: FloatDType): Promise<Numbers> {
  const { rows, inner, cols } = SIZES;
  using _ = scope();
  const operands = { a: half(a, [1, inner, rows]), b: half(b, [1, inner, cols]) };
  return await product({ ...operands, sizes: SIZES, layout: packed({ transposeA: true }), sums }).data() as Numbers;
}

/** The largest error against float64, in parts of `sum |a b|`, and without what subnormal numbers are off by. */
async function errorOf(a: Numbers, b: Numbers, sums: FloatDType): Promise<number> {
  const { rows, inner, cols } = SIZES;
  const got = await computed(a, b, sums);
  let most = 0;
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < cols; j++) {
      let [exact, size] = [0, 0];
      for (let k = 0; k < inner; k++) {
        const term = a[k * rows + i]! * b[k * cols + j]!;
        exact += term;
        size += Math.abs(term);
      }
      most = Math.max(most, (Math.abs(got[i * cols + j]! - exact) - inner * 2 ** -25) / size);
    }
  }
  return most;
}

const OPERANDS: Readonly<Record<string, (uniform: number) => number>> = {
  "random": (v) => v,
  "of one sign": (v) => 1.5 + v / 2,
  "large": (v) => 70 + 18 * v,
  "whose products are subnormal": (v) => v / 512,
};

/** A layer in mixed precision: its output and its moments, and the gradients of x and the weight. */
async function layer(options: { sums?: FloatDType }): Promise<readonly Float32Array[]> {
  using _ = scope();
  const x = requireGrad(half(noise(64 * 12, 1), [1, 8, 8, 12]));
  const weight = requireGrad(tensor(noise(12 * 8, 2), { shape: [1, 1, 12, 8] }));
  const { y, moments } = autocast(() => conv2dWithMoments(x, weight), options);
  backward(y, { grad: half(noise(64 * 8, 3), y.shape) });
  const found = [y, x.grad!, weight.grad!, mergeMoments(moments!)];
  return await Promise.all(found.map(async (t) => Float32Array.from(await t.data())));
}

for (const form of EACH) {
  testWith(device, "shader-f16", `sums in f16 keep to their error bound, form ${form}`, async () => {
    const { rows, inner, cols } = SIZES;
    await policy.with({ matmul: form }, async () => {
      for (const [name, of] of Object.entries(OPERANDS)) {
        const [a, b] = [noise(inner * rows, 1).map(of), noise(inner * cols, 2).map(of)];
        const error = await errorOf(a, b, "f16");
        assert(error <= BOUND, `${name}: ${error / U} u`);
      }
      // A 1 and seven terms of almost half a unit of it in each slice, which are lost: what the bound is made for.
      const a = new Float32Array(inner * rows).fill(1);
      const b = new Float32Array(inner * cols).map((_, i) => Math.trunc(i / cols) % 8 === 0 ? 1 : 0.99 * U);
      const error = await errorOf(a, b, "f16");
      assert(error > 6 * U && error <= BOUND, `${error / U} u`);
      assert(await errorOf(a, b, "f32") < 1e-4); // where f32 is asked for, the form does not serve
    });
  });
}

for (const form of FORMS) {
  const forced = { matmul: form, conv2d: "product", moments: "fused" } as const;

  testWith(
    device,
    "shader-f16",
    `autocast() sums in f16 where it is told so, gradients too, form ${form}`,
    async () => {
      const wanted = await policy.with({ ...forced, matmul: "rows" }, () => layer({ sums: "f16" }));
      await policy.with(forced, async () => {
        const unasked = await layer({}); // in the table's form
        unasked.forEach((values, i) => assertClose(values, wanted[i]!, { rtol: U / 2 }));
        const got = await layer({ sums: "f16" });
        got.forEach((values, i) => {
          assertNotEquals(values, wanted[i]);
          assertClose(values, wanted[i]!, { rtol: 10 * U });
        });
      });
    },
  );

  testWith(device, "shader-f16", `sums that overflow f16 are skipped by GradScaler, form ${form}`, async () => {
    for (const sums of ["f32", "f16"] as const) {
      using _ = scope();
      const weight = requireGrad(tensor(new Float32Array(12 * 8).fill(1), { shape: [1, 1, 12, 8] }));
      const optimizer = new SGD([weight], { lr: 1e-3 });
      const scaler = new GradScaler({ initScale: 128 });
      await policy.with(forced, () => {
        const x = half(new Float32Array(64 * 12).fill(100), [1, 8, 8, 12]);
        const y = autocast(() => conv2dWithMoments(x, weight).y, { sums });
        backward(scaler.scale(sum(y))); // eight times 100 · 128
        optimizer.step(scaler);
      });
      assertEquals((await weight.data())[0] === 1, sums === "f16");
      assertEquals((await scaler.state()).skipped, sums === "f16" ? 1 : 0);
      for (const each of [optimizer, scaler]) each.dispose();
    }
  });
}
