import { assertThrows } from "@std/assert";
import { Device } from "../../../src/device/mod.ts";
import { erf, gelu, type GeluOptions, mul } from "../../../src/ops/mod.ts";
import { ones, type Tensor, tensor } from "../../../src/tensor/mod.ts";
import { assertClose, gradcheck, TOLERANCE } from "../../../src/testing/mod.ts";
import { noise } from "../shared/_arrays.ts";
import { checkGolden } from "../shared/_golden.ts";

await Device.open();

/** Computes 1 − erf(x) for x ≥ 0 in float64, by its continued fraction from 2 on and its series before. */
function erfc64(x: number): number {
  if (x < 2) {
    let [term, sum] = [x, x];
    for (let n = 1; n < 80; n++) {
      term *= -x * x / n;
      sum += term / (2 * n + 1);
    }
    return 1 - 2 / Math.sqrt(Math.PI) * sum;
  }
  let rest = x;
  for (let n = 80; n > 0; n--) rest = x + n / 2 / rest;
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / rest;
}

const erf64 = (x: number) => Math.sign(x) * (1 - erfc64(Math.abs(x)));
const below64 = (x: number) => x < 0 ? erfc64(-x / Math.SQRT2) / 2 : 1 - erfc64(x / Math.SQRT2) / 2;

const FORMS: Record<NonNullable<GeluOptions["approximate"]>, (x: number) => number> = {
  none: (x) => x * below64(x),
  tanh: (x) => x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))) / 2,
  sigmoid: (x) => x / (1 + Math.exp(-1.702 * x)),
};

/** Places from −8 to 8, with the places where the form of the approximation changes. */
const PLACES = Float32Array.from([...Array.from({ length: 801 }, (_, i) => (i - 400) / 50), 1.4142135, -1.4142135]);

Deno.test("erf() is right to the last digits of f32, with its special values", async () => {
  assertClose(await erf(tensor(PLACES)).data(), Float64Array.from(PLACES, erf64), { rtol: 2.4e-7, atol: 0 });
  assertClose(await erf(tensor([NaN, -Infinity, Infinity, 1e-20])).data(), [NaN, -1, 1, 1.1283791671e-20]);
  await gradcheck(erf, tensor(noise(66)));
  await checkGolden("erf", ([x]) => erf(mul(x!, 3)), {}, "transformers");
});

for (const [approximate, value] of Object.entries(FORMS) as [keyof typeof FORMS, (x: number) => number][]) {
  const op = (x: Tensor) => gelu(x, { approximate });
  Deno.test(`gelu() with approximate "${approximate}" equals the float64 loop, finite differences and PyTorch`, async () => {
    const near = PLACES.filter((x) => x < 1);
    assertClose(await op(tensor(near)).data(), Float64Array.from(near, value), { rtol: 4e-7, atol: 0 });
    assertClose(await op(tensor(PLACES)).data(), Float64Array.from(PLACES, value), { rtol: TOLERANCE.value });
    assertClose(await op(tensor([NaN, Infinity, 0, 1e30, -1e30])).data(), [NaN, Infinity, 0, 1e30, 0]);
    await gradcheck(op, tensor(noise(66).map((x) => 3 * x)));
    await checkGolden("gelu", ([x], attrs) => gelu(mul(x!, 3), attrs), {}, "transformers");
  });
}

Deno.test("gelu() and erf() throw on what they cannot use", () => {
  const approximate = "fast" as "tanh";
  assertThrows(
    () => gelu(ones([2]), { approximate }),
    RangeError,
    'Cannot compute gelu() as approximate must be "none", "tanh" or "sigmoid": got "fast"',
  );
  assertThrows(() => gelu(ones([2], { dtype: "u32" })), TypeError, "gelu() as x must be f32: got u32 [2]");
  assertThrows(() => erf(ones([2], { dtype: "u32" })), TypeError, "erf() as x must be f32: got u32 [2]");
});
