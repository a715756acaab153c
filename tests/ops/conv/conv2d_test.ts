import { assertEquals, assertThrows } from "@std/assert";
import { backward, requireGrad } from "../../../src/autograd/mod.ts";
import { Device } from "../../../src/device/mod.ts";
import { type Conv2dFormName, conv2dFormName } from "../../../src/ops/conv/_conv2d_forms.ts";
import { geometryOf } from "../../../src/ops/conv/geometry.ts";
import { conv2d } from "../../../src/ops/conv/conv2d.ts";
import { ones, scope, tensor, zeros } from "../../../src/tensor/mod.ts";
import { assertClose, gradcheck, TOLERANCE } from "../../../src/testing/mod.ts";
import { type ConvCase, convReference } from "./_conv2d_reference.ts";
import { testWith } from "../../device/_features.ts";
import { distinct, formsOn, typical } from "../product/_forms.ts";
import { checkGolden } from "../shared/_golden.ts";
import { policyOf } from "../../../src/ops/shared/policy.ts";

const device = await Device.open();
const policy = policyOf(device);
const FORMS = formsOn(device);

/** Checks value and gradients of x, weight and bias. */
async function check(each: ConvCase): Promise<void> {
  using _ = scope();
  const want = convReference(each);
  const x = requireGrad(tensor(want.x, { shape: each.x }));
  const weight = requireGrad(tensor(want.weight, { shape: each.weight }));
  const bias = requireGrad(tensor(want.bias));
  const y = conv2d(x, weight, { ...each.options, bias });
  assertEquals(y.shape, want.outShape);
  backward(y, { grad: tensor(want.gradY, { shape: want.outShape }) });
  const got = await Promise.all([y, x.grad!, weight.grad!, bias.grad!].map((t) => t.data()));
  [want.y, want.gradX, want.gradWeight, want.gradBias].forEach((expected, i) => {
    try {
      assertClose(got[i]!, expected, { rtol: TOLERANCE.sum });
    } catch (cause) {
      const which = ["y", "gradX", "gradWeight", "gradBias"][i];
      throw new Error(`${which} of x [${each.x}] weight [${each.weight}] ${JSON.stringify(each.options)}`, { cause });
    }
  });
}

const SHAPES: Record<string, readonly ConvCase[]> = {
  "small sizes": [
    { x: [1, 1, 1, 1], weight: [1, 1, 1, 1], options: {} },
    { x: [2, 5, 7, 3], weight: [3, 3, 3, 5], options: {} },
    { x: [1, 9, 4, 8], weight: [3, 2, 8, 12], options: { padding: [1, 0] } },
  ],
  "odd sizes": [
    { x: [3, 6, 6, 5], weight: [1, 1, 5, 70], options: {} },
    { x: [2, 6, 6, 36], weight: [3, 3, 36, 34], options: { padding: 1 } },
  ],
  stride: [
    { x: [2, 8, 8, 4], weight: [3, 3, 4, 8], options: { stride: 2, padding: 1 } },
    { x: [1, 9, 7, 3], weight: [1, 1, 3, 6], options: { stride: 2 } },
    { x: [2, 9, 8, 68], weight: [1, 1, 68, 4], options: { stride: 2 } }, // more blocks of rows in x than in a phase of it
    { x: [1, 11, 13, 4], weight: [7, 7, 4, 4], options: { stride: 2, padding: 3 } },
    { x: [1, 10, 10, 4], weight: [2, 2, 4, 4], options: { stride: 3 } },
    { x: [1, 10, 9, 4], weight: [3, 4, 4, 4], options: { stride: [1, 4], padding: [2, 0] } },
    { x: [3, 15, 15, 40], weight: [1, 1, 40, 36], options: { stride: 2 } }, // several blocks of columns, 13 of rows a phase
  ],
  dilation: [
    { x: [1, 9, 9, 4], weight: [3, 3, 4, 4], options: { dilation: 2, padding: 2 } },
    { x: [1, 12, 11, 4], weight: [3, 3, 4, 4], options: { dilation: [2, 3], stride: [2, 2], padding: 3 } },
    { x: [1, 13, 13, 4], weight: [3, 3, 4, 4], options: { dilation: 2, stride: 4, padding: 1 } },
  ],
  groups: [
    { x: [2, 5, 5, 8], weight: [3, 3, 4, 16], options: { groups: 2, padding: 1 } },
    { x: [1, 5, 6, 6], weight: [3, 3, 1, 6], options: { groups: 6, padding: 1 } },
    { x: [1, 6, 6, 6], weight: [3, 3, 3, 10], options: { groups: 2, stride: 2 } },
    { x: [1, 4, 4, 12], weight: [1, 1, 4, 24], options: { groups: 3 } },
  ],
  "large padding": [
    { x: [1, 3, 3, 4], weight: [3, 3, 4, 4], options: { padding: 2 } },
    { x: [1, 2, 2, 4], weight: [3, 3, 4, 4], options: { padding: 5 } },
  ],
};

/** Shapes that fill no tile, of which one form of the tiles is enough. */
const SMALL = ["small sizes", "dilation", "groups", "large padding"];

for (const form of typical(FORMS)) {
  for (const [name, cases] of Object.entries(SHAPES)) {
    if (SMALL.includes(name) && !distinct(FORMS).includes(form)) continue;
    Deno.test(`conv2d() and its gradients agree with float64: ${name}, form ${form}`, async () => {
      for (const each of cases) await policy.with({ matmul: form }, () => check(each));
    });
  }
}

const WINOGRAD: readonly ConvCase[] = [
  { x: [1, 3, 3, 4], weight: [3, 3, 4, 4], options: {} },
  { x: [2, 6, 6, 4], weight: [3, 3, 4, 8], options: { padding: 1 } },
  { x: [3, 5, 9, 12], weight: [3, 3, 12, 7], options: { padding: [2, 1] } },
  { x: [2, 13, 4, 3], weight: [3, 3, 3, 36], options: { padding: [0, 2] } },
  { x: [1, 4, 5, 4], weight: [3, 3, 4, 4], options: { padding: 4 } },
];

for (const form of distinct(FORMS)) { // whose products are those of matmul()
  for (const name of ["winograd3", "winograd4"] satisfies Conv2dFormName[]) {
    Deno.test(`conv2d() and its gradients agree with float64: ${name}, form ${form}`, async () => {
      for (const each of WINOGRAD) await policy.with({ conv2d: name, matmul: form }, () => check(each));
    });
  }
}

const TAPS: readonly ConvCase[] = [
  { x: [2, 5, 7, 3], weight: [3, 3, 3, 5], options: { padding: 1 } },
  { x: [1, 17, 13, 3], weight: [7, 7, 3, 70], options: { stride: 2, padding: 3 } },
  { x: [1, 9, 8, 6], weight: [3, 2, 3, 8], options: { groups: 2, dilation: [2, 1], padding: [1, 2] } },
  { x: [70, 3, 3, 4], weight: [9, 9, 4, 4], options: { padding: 4 } },
];

for (const form of typical(FORMS)) {
  Deno.test(`conv2d() and its gradients agree with float64: taps, form ${form}`, async () => {
    for (const each of TAPS) await policy.with({ conv2d: "taps", matmul: form }, () => check(each));
  });
}

const DEPTHWISE: readonly ConvCase[] = [
  { x: [2, 9, 11, 8], weight: [7, 7, 1, 8], options: { groups: 8, padding: 3 } }, // strips and taps with a tail
  { x: [1, 5, 6, 6], weight: [3, 3, 1, 6], options: { groups: 6, padding: 1 } }, // no multiple of 4
  { x: [2, 9, 8, 4], weight: [3, 5, 1, 4], options: { groups: 4, stride: [2, 3], padding: [0, 2] } },
  { x: [1, 11, 12, 5], weight: [3, 4, 1, 5], options: { groups: 5, dilation: [2, 3], stride: [1, 2], padding: 4 } },
  { x: [1, 3, 4, 4], weight: [2, 1, 1, 4], options: { groups: 4, padding: 5 } }, // more padding than the window
  { x: [1, 1, 1, 1], weight: [1, 1, 1, 1], options: {} },
];

Deno.test("conv2d() and its gradients agree with float64: depthwise", async () => {
  for (const family of ["cpu", "gpu"] as const) {
    for (const each of DEPTHWISE) await policy.with({ conv2d: "depthwise", family }, () => check(each));
  }
});

testWith(device, "shader-f16", "conv2d() reads depthwise f32 weights unrounded beside f16 images", async () => {
  using _ = scope();
  const x = requireGrad(tensor(Float16Array.of(1, -1, 1), { shape: [1, 1, 3, 1] }));
  const y = conv2d(x, requireGrad(tensor([1 + 2 ** -14, 1], { shape: [1, 2, 1, 1] })));
  backward(y, { grad: tensor(Float16Array.of(1, -1), { shape: [1, 1, 2, 1] }) });
  assertEquals([...await y.data()], [2 ** -14, -(2 ** -14)]);
  assertEquals((await x.grad!.data())[1], -(2 ** -14));
});

Deno.test("conv2d() splits the long sums of a depthwise weight's gradient, also inside a line", async () => {
  await check({ x: [1, 2, 2600, 1], weight: [1, 3, 1, 1], options: { padding: [0, 1] } });
  await check({ x: [40, 9, 7, 4], weight: [3, 3, 1, 4], options: { groups: 4, padding: 1 } });
});

Deno.test("conv2d() by Winograd works through the images in chunks", async () => {
  // 20 x 20 tiles of 36 numbers and 64 channels, or 26 x 26 of 25: 3.7 or 4.3 MB an image, so two or one of them a chunk on
  // a CPU adapter.
  const each = { x: [5, 78, 78, 64], weight: [3, 3, 64, 4], options: { padding: 1 } } satisfies ConvCase;
  for (const name of ["winograd3", "winograd4"] satisfies Conv2dFormName[]) {
    await policy.with({ conv2d: name }, () => check(each));
  }
});

Deno.test("conv2d() with a 1 x 1 window agrees with the implicit product", async () => {
  for (const name of ["direct", "product"] satisfies Conv2dFormName[]) {
    await policy.with({ conv2d: name }, () => check({ x: [2, 5, 4, 6], weight: [1, 1, 6, 9], options: {} }));
  }
});

Deno.test("conv2dFormName() follows the shape", () => {
  const name = (...[x, weight, options]: Parameters<typeof geometryOf>) =>
    conv2dFormName(device, geometryOf(x, weight, options));
  assertEquals(name([16, 32, 32, 64], [3, 3, 64, 64], { padding: 1 }), "winograd4");
  assertEquals(name([16, 9, 9, 256], [3, 3, 256, 256], { padding: 1 }), "winograd3");
  assertEquals(name([16, 8, 8, 256], [3, 3, 256, 256], { padding: 1 }), "winograd4");
  assertEquals(name([16, 5, 5, 512], [3, 3, 512, 512], { padding: 1 }), "winograd3");
  assertEquals(name([16, 32, 32, 64], [3, 3, 64, 64], { stride: 2 }), "direct");
  assertEquals(name([16, 32, 32, 64], [3, 3, 64, 64], { dilation: 2 }), "direct");
  assertEquals(name([16, 32, 32, 64], [3, 3, 32, 64], { groups: 2 }), "direct");
  assertEquals(name([16, 32, 32, 64], [7, 7, 1, 64], { groups: 64 }), "depthwise");
  assertEquals(name([16, 32, 32, 64], [7, 7, 1, 128], { groups: 64 }), "taps"); // two outputs a channel
  assertEquals(name([1, 99, 99, 8], [99, 99, 1, 8], { groups: 8 }), "taps"); // too many taps for one loop
  assertEquals(name([16, 32, 32, 4], [3, 3, 4, 8], {}), "taps");
  const bytes = (4 * 64 * 36) / 16; // of a pixel's share of the transform of tiles of 4 × 4
  const large = Math.ceil(Math.sqrt(policy.limits.maxStorageBufferBindingSize / bytes)) + 4;
  assertEquals(name([1, large, large, 64], [3, 3, 64, 64], {}), "direct"); // one image's transform is past the limit
  assertEquals(name([16, 32, 32, 64], [1, 1, 64, 64], {}), "product");
  assertEquals(name([16, 32, 32, 64], [1, 1, 64, 64], { padding: 1 }), "direct");
  assertEquals(name([16, 32, 32, 4], [3, 3, 4, 64], { padding: 2 }), "taps");
  assertEquals(conv2dFormName(device, geometryOf([16, 32, 32, 4], [3, 3, 4, 64], {}), "weightGrad"), "direct");
  assertEquals(name([16, 32, 32, 8], [3, 3, 8, 64], { stride: 2 }), "direct");
  assertEquals(name([16, 32, 32, 4], [1, 1, 4, 64], { stride: 2 }), "direct");
});

Deno.test("conv2dFormName() takes Winograd for narrow layers on a CPU adapter", async () => {
  await policy.with({ family: "cpu" }, () => {
    const name = (n: number, size: number, channels: number) =>
      conv2dFormName(device, geometryOf([n, size, size, channels], [3, 3, channels, channels], { padding: 1 }));
    for (const channels of [16, 32, 48, 64]) assertEquals(name(512, 16, channels), "winograd4");
    for (const [n, size] of [[1, 4], [64, 2], [2, 8]] as const) assertEquals(name(n, size, 32), "direct");
  });
});

Deno.test("conv2d() splits long sums in the value and in the gradient of the weight", async () => {
  await check({ x: [1, 4, 4, 2000], weight: [3, 3, 2000, 4], options: { dilation: 1, stride: 3 } });
  await check({ x: [3, 70, 70, 1], weight: [3, 3, 1, 2], options: { dilation: [1, 2] } });
  await check({ x: [70, 5, 7, 4], weight: [3, 3, 4, 4], options: { stride: 2, padding: 1 } });
});

Deno.test("conv2d() gradients match finite differences", async () => {
  using _ = scope();
  for (
    const each of [
      { x: [2, 5, 6, 3], weight: [3, 3, 3, 5], options: { padding: 1 } },
      { x: [1, 7, 7, 4], weight: [3, 3, 2, 6], options: { stride: 2, groups: 2 } },
      { x: [1, 7, 6, 4], weight: [3, 3, 1, 4], options: { stride: 2, groups: 4, padding: 1 } },
    ] satisfies ConvCase[]
  ) {
    const { x, weight, bias } = convReference(each);
    const inputs = [tensor(x, { shape: each.x }), tensor(weight, { shape: each.weight }), tensor(bias)];
    await gradcheck((x, w, b) => conv2d(x!, w!, { ...each.options, bias: b! }), inputs);
  }
});

Deno.test("conv2d() with padding 1 keeps the size, and counts the taps inside", async () => {
  using _ = scope();
  const y = conv2d(ones([1, 3, 3, 1]), ones([3, 3, 1, 1]), { padding: 1 });
  assertEquals(await y.data(), new Float32Array([4, 6, 4, 6, 9, 6, 4, 6, 4]));
});

Deno.test("conv2d() of no images is empty and has zero gradients", async () => {
  using _ = scope();
  const weight = requireGrad(ones([3, 3, 4, 4]));
  const y = conv2d(zeros([0, 5, 5, 4]), weight);
  assertEquals(y.shape, [0, 3, 3, 4]);
  backward(y, { grad: zeros([0, 3, 3, 4]) });
  assertEquals(await weight.grad!.data(), new Float32Array(144));
});

Deno.test("conv2d() throws when the shapes do not match", () => {
  using _ = scope();
  const [x, weight] = [zeros([1, 5, 5, 4]), zeros([3, 3, 4, 8])];
  assertThrows(() => conv2d(zeros([5, 5, 4]), weight), TypeError, "got x [5,5,4] and weight [3,3,4,8]");
  assertThrows(() => conv2d(x, zeros([3, 4, 8])), TypeError, "weight [kh, kw, in / groups, out]: got x [1,5,5,4]");
  assertThrows(() => conv2d(zeros([1, 5, 5, 3]), weight), TypeError, "x must have 4 channels to match the weight: got");
  assertThrows(() => conv2d(x, weight, { groups: 2 }), TypeError, "x must have 4 channels in each of 2 groups");
  assertThrows(() => conv2d(x, zeros([3, 0, 4, 8])), TypeError, "weight must not be empty: got x [1,5,5,4]");
  assertThrows(
    () => conv2d(x, weight, { dilation: [2, 3] }),
    TypeError,
    "a window that spans [5,7] px must fit into the image padded by [0,0]",
  );
  assertThrows(() => conv2d(x, weight, { bias: zeros([4]) }), TypeError, "got bias [4] and weight [3,3,4,8]");
  assertThrows(
    () => conv2d(zeros([1, 5, 5, 4], { dtype: "i32" }), weight),
    TypeError,
    "must be f32: got i32 [1,5,5,4]",
  );
});

Deno.test("conv2d() throws when an option is out of range", () => {
  using _ = scope();
  const [x, weight] = [zeros([1, 5, 5, 4]), zeros([3, 3, 4, 8])];
  assertThrows(() => conv2d(x, weight, { stride: 0 }), RangeError, "stride must be one or two integers >= 1: got 0");
  assertThrows(() => conv2d(x, weight, { padding: [1, -1] }), RangeError, "integers >= 0: got [1,-1]");
  assertThrows(
    () => conv2d(x, weight, { dilation: 1.5 }),
    RangeError,
    "dilation must be one or two integers >= 1: got 1.5",
  );
  assertThrows(() => conv2d(x, weight, { groups: 3 }), RangeError, "divides the output channels: got 3");
  assertThrows(() => conv2d(x, weight, { groups: 0 }), RangeError, "got 0 for weight [3,3,4,8]");
});

for (const conv of ["direct", "product", "winograd3", "winograd4"] satisfies Conv2dFormName[]) {
  for (const form of distinct(FORMS)) { // each tile is compared with float64 above
    Deno.test(`conv2d() and its gradients agree with PyTorch: ${conv}, form ${form}`, async () => {
      const golden = () => checkGolden("conv2d", ([x, weight, bias], attrs) => conv2d(x!, weight!, { ...attrs, bias }));
      await policy.with({ conv2d: conv, matmul: form }, golden);
    });
  }
}

Deno.test("conv2d() and its gradients agree with PyTorch: depthwise", async () => {
  const golden = () => checkGolden("conv2d", ([x, weight, bias], attrs) => conv2d(x!, weight!, { ...attrs, bias }));
  await policy.with({ conv2d: "depthwise" }, golden);
});
