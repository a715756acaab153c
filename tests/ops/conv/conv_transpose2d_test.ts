import { assertEquals, assertThrows } from "@std/assert";
import { autocast, backward, requireGrad } from "../../../src/autograd/mod.ts";
import { Device } from "../../../src/device/mod.ts";
import { convTranspose2d, type ConvTranspose2dOptions } from "../../../src/ops/mod.ts";
import { ones, type Shape, sizeOf, tensor, zeros } from "../../../src/tensor/mod.ts";
import { castTo } from "../../../src/tensor/internal.ts";
import { assertClose, gradcheck, TOLERANCE } from "../../../src/testing/mod.ts";
import { halfNoise } from "../shared/_arrays.ts";
import { checkGolden } from "../shared/_golden.ts";
import { testWith } from "../../device/_features.ts";

const device = await Device.open();

type Options = Required<{ readonly [K in "stride" | "padding" | "dilation" | "outputPadding" | "groups"]: number }>;

/** Spreads every pixel, in float64. */
function reference(
  x: Float32Array,
  xs: Shape,
  w: Float32Array,
  ws: Shape,
  o: Options,
): { y: Float64Array; shape: Shape } {
  const [n, h, wide, inside] = xs as [number, number, number, number];
  const [kh, kw, each] = ws as [number, number, number];
  const size = (from: number, k: number) =>
    (from - 1) * o.stride - 2 * o.padding + o.dilation * (k - 1) + o.outputPadding + 1;
  const [oh, ow, out] = [size(h, kh), size(wide, kw), each * o.groups];
  const y = new Float64Array(n * oh * ow * out);
  for (let at = 0; at < x.length * kh * kw * each; at++) {
    const [j, kx, ky] = [at % each, Math.floor(at / each) % kw, Math.floor(at / each / kw) % kh];
    const from = Math.floor(at / each / kw / kh);
    const [i, ix, iy, b] = [
      from % inside,
      Math.floor(from / inside) % wide,
      Math.floor(from / inside / wide) % h,
      Math.floor(from / inside / wide / h),
    ];
    const [oy, ox] = [iy * o.stride + ky * o.dilation - o.padding, ix * o.stride + kx * o.dilation - o.padding];
    if (oy < 0 || ox < 0 || oy >= oh || ox >= ow) continue;
    const channel = Math.floor(i / (inside / o.groups)) * each + j;
    y[((b * oh + oy) * ow + ox) * out + channel]! += x[from]! * w[((ky * kw + kx) * each + j) * inside + i]!;
  }
  return { y, shape: [n, oh, ow, out] };
}

const PLAIN: Options = { stride: 1, padding: 0, dilation: 1, outputPadding: 0, groups: 1 };
const CASES: readonly (readonly [Shape, Shape, Partial<Options>])[] = [
  [[1, 1, 1, 1], [1, 1, 1, 1], {}],
  [[2, 3, 4, 5], [2, 2, 3, 5], { stride: 2 }],
  [[1, 4, 4, 8], [3, 3, 4, 8], { padding: 1 }], // Winograd's
  [[1, 4, 3, 8], [4, 4, 2, 8], { stride: 2, padding: 1, groups: 2 }],
  [[1, 3, 3, 2], [3, 3, 2, 2], { dilation: 2, outputPadding: 1 }], // more than the stride
  [[1, 2, 3, 4], [3, 2, 2, 4], { stride: 3, outputPadding: 2 }],
];

Deno.test("convTranspose2d() equals the float64 loop and finite differences", async () => {
  for (const [xs, ws, options] of CASES) {
    const [x, w] = [halfNoise(sizeOf(xs), 1), halfNoise(sizeOf(ws), 2)];
    const expected = reference(x, xs, w, ws, { ...PLAIN, ...options });
    const [image, weight] = [tensor(x, { shape: xs }), tensor(w, { shape: ws })];
    const y = convTranspose2d(image, weight, options);
    assertEquals(y.shape, expected.shape);
    assertClose(await y.data(), expected.y, { rtol: TOLERANCE.sum, atol: 1e-5 });
    const bias = ones([expected.shape[3]!]);
    await gradcheck((x, weight, bias) => convTranspose2d(x, weight, { ...options, bias }), [image, weight, bias]);
  }
});

testWith(device, "f16 that is not read", "convTranspose2d() in f16 equals the float64 loop", async () => {
  for (const [xs, ws, options] of CASES) {
    const [x, w] = [halfNoise(sizeOf(xs), 1), halfNoise(sizeOf(ws), 2)];
    const expected = reference(x, xs, w, ws, { ...PLAIN, ...options });
    const [image, weight] = [tensor(x, { shape: xs }), tensor(w, { shape: ws })];
    const half = autocast(() => convTranspose2d(image, weight, options));
    assertEquals(half.dtype, "f16");
    assertClose(await castTo(half, "f32").data(), expected.y, { rtol: TOLERANCE.half, atol: TOLERANCE.half });
  }
});

Deno.test("convTranspose2d() equals PyTorch", () =>
  checkGolden(
    "convTranspose2d",
    ([x, w, bias], attrs) => convTranspose2d(x!, w!, { ...attrs as ConvTranspose2dOptions, bias }),
    { absolute: 1e-6 },
    "transformers",
  ));

Deno.test("convTranspose2d() of no images has gradients of zeros", async () => {
  const weight = requireGrad(ones([2, 2, 3, 4]));
  const y = convTranspose2d(zeros([0, 2, 2, 4]), weight);
  assertEquals(y.shape, [0, 3, 3, 3]);
  backward(y, { grad: zeros(y.shape) });
  assertEquals(await weight.grad!.data(), new Float32Array(48));
});

Deno.test("convTranspose2d() throws on what it cannot use", () => {
  const [x, w] = [ones([1, 2, 2, 4]), ones([3, 3, 2, 4])];
  const says = (options: ConvTranspose2dOptions, type: typeof TypeError | typeof RangeError, text: string) =>
    assertThrows(() => convTranspose2d(x, w, options), type, `Cannot compute convTranspose2d() as ${text}`);
  assertThrows(
    () => convTranspose2d(x, ones([3, 3, 4, 2])),
    TypeError,
    "Cannot compute convTranspose2d() as x must be [n, h, w, in] and weight [kh, kw, out / groups, in], not empty: " +
      "got x [1,2,2,4] and weight [3,3,4,2]",
  );
  says(
    { groups: 3 },
    RangeError,
    "groups must be an integer >= 1 that divides the input channels: got 3 for x [1,2,2,4]",
  );
  says({ stride: 0 }, RangeError, "stride must be one or two integers >= 1: got 0");
  says({ padding: [1, -1] }, RangeError, "padding must be one or two integers >= 0: got [1,-1]");
  says(
    { outputPadding: 2, stride: 2 },
    RangeError,
    "outputPadding must be less than the stride or the dilation: got [2,2] for stride [2,2] and dilation [1,1]",
  );
  says({ padding: 2 }, TypeError, "something of y must be left: got x [1,2,2,4] for y of [0,0] px");
  says({ bias: ones([4]) }, TypeError, "bias must be [2]: got bias [4]");
  assertThrows(() => convTranspose2d(x, ones([3, 3, 2, 4], { dtype: "i32" })), TypeError, "x must be f32: got i32");
});
