import { assert, assertEquals, assertThrows } from "@std/assert";
import { backward, requireGrad } from "../../../src/autograd/mod.ts";
import { compile } from "../../../src/compile/mod.ts";
import { Device } from "../../../src/device/mod.ts";
import { interpolate, type InterpolateOptions, square, sum } from "../../../src/ops/mod.ts";
import { key, normal, ones, type Tensor, tensor, tidy, zeros } from "../../../src/tensor/mod.ts";
import { assertClose, gradcheck } from "../../../src/testing/mod.ts";
import { checkGolden } from "../shared/_golden.ts";

const device = await Device.open();

Deno.test("interpolate() equals PyTorch in every mode, with its gradient", () =>
  checkGolden("interpolate", ([x], attrs) => interpolate(x!, attrs as unknown as InterpolateOptions), {
    value: 5e-6, // PyTorch adds up antialiased weights in f32 steps
    absolute: 1e-6,
  }, "transformers"));

Deno.test("interpolate() gradient matches finite differences, and a line stays a line", async () => {
  await gradcheck((x) => interpolate(x, { size: [7, 3], mode: "bicubic" }), normal([2, 4, 5, 3], { key: key(1) }));
  const x = tensor(Float32Array.from({ length: 8 }, (_, i) => i), { shape: [1, 1, 8, 1] });
  const y = await interpolate(x, { size: [1, 15], mode: "bicubic", alignCorners: true }).data();
  // Past the border the border's pixel counts again, so the second and the last but one place leave the line.
  assertClose(y.subarray(2, 13), Array.from({ length: 11 }, (_, i) => i / 2 + 1));
});

Deno.test("interpolate() spreads a pixel that is NaN or infinite as far as its windows reach, as PyTorch does", async () => {
  const cases: [InterpolateOptions, string][] = [ // of five pixels in a row, the third of them NaN
    [{ size: [1, 5] }, "..x.."],
    [{ size: [1, 5], mode: "bicubic" }, "xxxx."],
    [{ size: [1, 10] }, "...xxxx..."],
    [{ size: [1, 10], mode: "bicubic" }, ".xxxxxxxx."],
    [{ size: [1, 9], alignCorners: true }, "..xxxx..."],
    [{ size: [1, 3] }, ".x."],
    [{ size: [1, 3], alignCorners: true }, ".x."],
    [{ size: [1, 3], mode: "bicubic", alignCorners: true }, "xx."],
    [{ size: [1, 2], antialias: true }, "xx"],
    [{ size: [1, 5], antialias: true }, ".xx.."],
    [{ size: [1, 10], mode: "nearest" }, "....xx...."],
  ];
  for (const channels of [1, 4]) {
    const pixels = Float32Array.from({ length: 5 * channels }, (_, i) => Math.floor(i / channels) === 2 ? NaN : i);
    const row = tensor(pixels, { shape: [1, 1, 5, channels] });
    const column = tensor(pixels, { shape: [1, 5, 1, channels] });
    for (const [options, expected] of cases) {
      const { size: [, length], ...how } = options;
      for (const y of [interpolate(row, options), interpolate(column, { ...how, size: [length, 1] })]) {
        const bad = [...await y.data()].filter((_, i) => i % channels === channels - 1).map(Number.isNaN);
        assertEquals(bad.map((is) => is ? "x" : ".").join(""), expected, JSON.stringify(options));
      }
    }
  }
  const edge = tensor(Float32Array.of(1, 2, Infinity), { shape: [1, 1, 3, 1] });
  assertEquals([...await interpolate(edge, { size: [1, 6] }).data()], [1, 1.25, 1.75, Infinity, Infinity, Infinity]);
});

Deno.test("interpolate() adds up windows of more pixels than one dispatch does", async () => {
  const long = tensor(Float32Array.from({ length: 5000 }, (_, i) => i % 7), { shape: [1, 1, 5000, 1] });
  const weights = Array.from({ length: 5000 }, (_, k) => 1 - Math.abs((k + 0.5 - 2500) / 5000));
  const total = weights.reduce((a, b) => a + b);
  const mean = weights.reduce((sum, weight, k) => sum + weight * (k % 7), 0) / total;
  assertClose(await interpolate(long, { size: [1, 1], antialias: true }).data(), [mean], { rtol: 1e-5 });
  const short = requireGrad(ones([1, 3, 1, 1]));
  backward(sum(interpolate(short, { size: [30_000, 1] })));
  assertClose(await short.grad!.data(), [1e4, 1e4, 1e4], { rtol: 1e-4 }); // sums of 20,000 terms, one after the other
});

Deno.test("interpolate() throws on what it cannot use", () => {
  const x = ones([1, 2, 2, 1]);
  assertEquals(interpolate(zeros([0, 2, 2, 1]), { size: [3, 3] }).shape, [0, 3, 3, 1]);
  assertThrows(
    () => interpolate(ones([2, 2, 1]), { size: [1, 1] }),
    TypeError,
    "x must be [n, h, w, c] with h and w >= 1: got x [2,2,1]",
  );
  assertThrows(() => interpolate(x, { size: [0, 1] }), RangeError, "size must be two positive integers: got [0,1]");
  assertThrows(
    () => interpolate(x, { size: [1, 1], mode: "area" as "nearest" }),
    RangeError,
    'Cannot compute interpolate() as mode must be "nearest", "bilinear" or "bicubic": got "area"',
  );
  const size = [1, 1] as const;
  for (const [scaleFactor, alignCorners] of [[[0, 1], false], [[1, 2], true]] as const) {
    assertThrows(
      () => interpolate(x, { size, scaleFactor, alignCorners }),
      RangeError,
      `scaleFactor must be two numbers > 0, without alignCorners: got [${scaleFactor}]`,
    );
  }
  assertThrows(
    () => interpolate(x, { size, alignCorners: true, antialias: true }),
    RangeError,
    "bilinear takes one of alignCorners and antialias: got both",
  );
  assertThrows(
    () => interpolate(x, { size, mode: "nearest", antialias: true }),
    RangeError,
    "nearest takes neither of alignCorners and antialias: got antialias",
  );
});

Deno.test("interpolate() is replayed, also where it was rehearsed first", async () => {
  const resize = (x: Tensor) => interpolate(x, { size: [3, 5], mode: "bicubic", antialias: true });
  const x = requireGrad(normal([1, 4, 7, 2], { key: key(4) }));
  device.rehearse(() => void resize(x));
  const step = compile(() => {
    const y = tidy(() => resize(x));
    backward(sum(square(y)));
    const grad = x.grad!.alias();
    x.grad!.dispose();
    x.grad = null;
    return grad;
  }, { check: "never" });
  const seen = [];
  for (let i = 0; i < 6; i++) seen.push([...await step().data()]);
  for (let size = 3; size < 70; size++) interpolate(x, { size: [size, 1] }); // its matrices make room for others
  for (let i = 0; i < 4; i++) seen.push([...await step().data()]);
  assertEquals(seen.map((each) => `${each}`), Array(10).fill(`${seen[0]}`));
  assert(step.replays > 0 && seen[0]!.some((each) => each !== 0));
});
