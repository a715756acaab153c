import { assertClose, TOLERANCE } from "../../src/testing/mod.ts";
import { backward, requireGrad } from "../../src/autograd/mod.ts";
import { Device } from "../../src/device/mod.ts";
import { benchOn } from "../_bench.ts";
import type { Conv2dFormName } from "../../src/ops/conv/_conv2d_forms.ts";
import { conv2d } from "../../src/ops/conv/conv2d.ts";
import { key, normal, scope, type Shape, type Tensor } from "../../src/tensor/mod.ts";
import { policyOf } from "../../src/ops/shared/policy.ts";

const device = await Device.open();
const policy = policyOf(device);
const bench = await benchOn(device);

/** Right first: the corner and the centre of the last image against float64. */
async function check(y: Tensor, x: Tensor, weight: Tensor): Promise<void> {
  const [got, xs, ws] = await Promise.all([y.data(), x.data(), weight.data()]);
  const [n, h, w, c] = x.shape as [number, number, number, number];
  const out = weight.shape[3]!;
  const want: number[] = [];
  const have: number[] = [];
  for (const [oy, ox] of [[0, 0], [h >> 1, w >> 1]] as const) {
    const at = ((n - 1) * h + oy) * w + ox;
    have.push(...got.subarray(at * out, at * out + out));
    for (let j = 0; j < out; j++) {
      let sum = 0;
      for (let tap = 0; tap < 9; tap++) {
        const [dy, dx] = [Math.floor(tap / 3) - 1, tap % 3 - 1];
        if (oy + dy < 0 || ox + dx < 0 || oy + dy >= h || ox + dx >= w) continue;
        for (let i = 0; i < c; i++) sum += xs[(at + dy * w + dx) * c + i]! * ws[(tap * c + i) * out + j]!;
      }
      want.push(sum);
    }
  }
  assertClose(have, want, { rtol: TOLERANCE.sum });
}

/** A network's first convolution: 3 channels, CIFAR's stem and ImageNet's. */
const STEMS = [{ size: 32, window: 3, options: { padding: 2 } }, {
  size: 224,
  window: 7,
  options: { padding: 3, stride: 2 },
}] as const;

for (const { size, window, options } of STEMS) {
  const shape: Shape = [device.info.family === "gpu" ? 128 : 4, size, size, 3];
  const [x, weight] = [normal(shape, { key: key(1) }), normal([window, window, 3, 64], { key: key(2), std: 0.05 })];
  let expected: number[] | undefined;
  for (const form of ["taps", "direct"] satisfies Conv2dFormName[]) {
    const within = (run: () => Promise<void>) => policy.with({ conv2d: form }, run);
    await within(async () => {
      using _ = scope();
      const got = [...await conv2d(x, weight, options).data()];
      assertClose(got, expected ??= got, { rtol: TOLERANCE.sum }); // each form against the other
    });
    const name = `conv2d ${window}x${window} [${shape}] -> 64 ${form} forward`;
    await bench(name, () => conv2d(x, weight, options), { group: `conv2d stem @${size}`, within });
  }
}

/** ConvNeXt's convolutions of each channel by itself: value and gradients, each form against the other. */
for (const [size, channels] of [[28, 96], [7, 384]] as const) {
  const shape: Shape = [device.info.family === "gpu" ? 128 : 2, size, size, channels];
  const x = requireGrad(normal(shape, { key: key(1) }));
  const weight = requireGrad(normal([7, 7, 1, channels], { key: key(2), std: 0.05 }));
  const options = { groups: channels, padding: 3 };
  const grad = normal(shape, { key: key(3) });
  const drop = () => {
    for (const leaf of [x, weight]) {
      leaf.grad?.dispose();
      leaf.grad = null;
    }
  };
  let expected: (readonly number[])[] | undefined;
  for (const form of ["depthwise", "direct"] satisfies Conv2dFormName[]) {
    const within = (run: () => Promise<void>) => policy.with({ conv2d: form }, run);
    await within(async () => {
      using _ = scope();
      const y = conv2d(x, weight, options);
      backward(y, { grad });
      const got = await Promise.all([y, x.grad!, weight.grad!].map(async (t) => [...await t.data()]));
      got.forEach((values, i) => assertClose(values, (expected ??= got)[i]!, { rtol: TOLERANCE.sum }));
      drop();
    });
    const group = `conv2d depthwise ${channels} @${size}`;
    const name = `conv2d 7x7 depthwise [${shape}] ${form}`;
    await bench(`${name} forward`, () => conv2d(x, weight, options), { group, within });
    await bench(`${name} forward+backward`, () => {
      backward(conv2d(x, weight, options), { grad });
      drop();
    }, { group: `${group} f+b`, within });
  }
}

const N = device.info.family === "gpu" ? 256 : 16;
const SHAPES: readonly { size: number; channels: number }[] = [
  { size: 32, channels: 64 },
  { size: 16, channels: 128 },
  { size: 8, channels: 256 },
  { size: 4, channels: 512 },
];

for (const { size, channels } of SHAPES) {
  const shape: Shape = [N, size, size, channels];
  const x = requireGrad(normal(shape, { key: key(1) }));
  const weight = requireGrad(normal([3, 3, channels, channels], { key: key(2), std: 0.05 }));
  const grad = normal(shape, { key: key(3) });
  for (const form of ["winograd4", "winograd3", "direct"] satisfies Conv2dFormName[]) {
    const within = (run: () => Promise<void>) => policy.with({ conv2d: form }, run);
    const options = { group: `conv2d ${channels} @${size}`, within };
    const name = `conv2d 3x3 [${shape}] -> ${channels} ${form}`;
    await policy.with({ conv2d: form }, async () => {
      using _ = scope();
      await check(conv2d(x, weight, { padding: 1 }), x, weight);
    });
    await bench(`${name} forward`, () => conv2d(x, weight, { padding: 1 }), options);
    await bench(`${name} forward+backward`, () => {
      backward(conv2d(x, weight, { padding: 1 }), { grad });
      for (const leaf of [x, weight]) {
        leaf.grad?.dispose();
        leaf.grad = null;
      }
    }, options);
  }
}
