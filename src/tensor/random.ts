import { defineProgram, Device } from "../device/mod.ts";
import { lib_flat, lib_philox } from "../shaders/lib.ts";
import { random as code } from "../shaders/tensor.ts";
import { type CreateOptions, tensor } from "./create.ts";
import { checkKey, type Key, shuffled } from "./philox.ts";
import { checkOptions } from "../checks/internal.ts";
import { checkNumber } from "./given.ts";
import type { Shape } from "./shape.ts";
import { Tensor } from "./tensor.ts";

const UNIFORM = defineProgram({
  name: "random",
  code: [lib_flat, lib_philox, code],
  entryPoint: "uniform_numbers",
});
const NORMAL = { ...UNIFORM, entryPoint: "normal_numbers" };

/** Options of random tensors: {@linkcode CreateOptions} and the key of the stream. */
export interface RandomOptions extends CreateOptions<"f32"> {
  /** Key of the stream: the same key gives the same numbers. */
  key: Key;
}

/**
 * Uniform numbers in `[low, high)`, 24 random bits each, from Philox4x32-10: `low + (high − low) u`. Where that rounds to
 * `high` it is the f32 below, so that `high` never comes (JAX says the same of its own; PyTorch's may come on CPUs). With
 * `low = high` all are that number.
 *
 * @param shape Any shape.
 * @param options `key`, and `low` (default 0) and `high` (default 1).
 * @throws {RangeError} If `low > high`, or `high − low` is not a finite f32.
 *
 * @example Usage
 * ```ts
 * import { Device, key, uniform } from "@decoupled/uniformity";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const x = uniform([2, 3], { key: key(0) });
 * assertEquals(await x.data(), await uniform([2, 3], { key: key(0) }).data());
 * ```
 */
export function uniform(shape: Shape, options: RandomOptions & { low?: number; high?: number }): Tensor<"f32"> {
  checkOptions("draw uniform()", options, ["key", "low", "high", "dtype", "device"]);
  for (const value of [options.low ?? 0, options.high ?? 1]) checkNumber("draw uniform()", "low and high", value);
  const [low, high] = [Math.fround(options.low ?? 0), Math.fround(options.high ?? 1)];
  if (!(low <= high && Number.isFinite(Math.fround(high - low)))) {
    throw new RangeError(
      `Cannot draw uniform() as low must be <= high, and their difference finite: got ${options.low} and ${options.high}`,
    );
  }
  return draw(UNIFORM, shape, options, [low, high, low < high ? Math.max(low, below(high)) : low]);
}

/**
 * Normal numbers by Box and Muller from Philox4x32-10.
 *
 * @param shape Any shape.
 * @param options `key`, and `mean` (default 0) and `std` ≥ 0 (default 1).
 * @throws {RangeError} If `mean` is not finite, or `std` not ≥ 0 and finite.
 *
 * @example Usage
 * ```ts
 * import { Device, key, normal } from "@decoupled/uniformity";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const x = normal([1000], { key: key(0), mean: 5, std: 2 });
 * assertAlmostEquals((await x.data()).reduce((sum, v) => sum + v) / 1000, 5, 0.3);
 * ```
 */
export function normal(shape: Shape, options: RandomOptions & { mean?: number; std?: number }): Tensor<"f32"> {
  checkOptions("draw normal()", options, ["key", "mean", "std", "dtype", "device"]);
  const { mean = 0, std = 1 } = options;
  for (const value of [mean, std]) checkNumber("draw normal()", "mean and std", value);
  if (!(std >= 0 && Number.isFinite(Math.fround(std)) && Number.isFinite(Math.fround(mean)))) {
    throw new RangeError(`Cannot draw normal() as mean must be finite and std >= 0 and finite: got ${mean} and ${std}`);
  }
  return draw(NORMAL, shape, options, [mean, std, 0]);
}

/**
 * The integers 0 … n − 1 in random order, `u32` `[n]`.
 *
 * @throws {RangeError} If n is not an integer ≥ 0.
 *
 * @example Usage
 * ```ts
 * import { Device, key, permutation } from "@decoupled/uniformity";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const order = await permutation(4, { key: key(0) }).data();
 * assertEquals(order.toSorted(), new Uint32Array([0, 1, 2, 3]));
 * ```
 */
export function permutation(n: number, options: { key: Key; device?: Device }): Tensor<"u32"> {
  checkOptions("draw a permutation", options, ["key", "device"]);
  return tensor<"u32">(shuffled(n, options.key), { device: options.device });
}

function draw(
  program: typeof UNIFORM,
  shape: Shape,
  options: RandomOptions,
  [a, b, most]: readonly [number, number, number],
): Tensor<"f32"> {
  checkKey(options.key);
  const device = options.device ?? Device.current;
  const result = new Tensor<"f32">(device, shape);
  const { size } = result;
  device.run(program.entryPoint, [shape], () =>
    device.dispatch(program, {
      params: { size, key0: options.key[0], key1: options.key[1], a, b, most },
      buffers: { 1: result.storage },
      workgroups: device.groups(Math.ceil(size / 4), 64),
    }));
  return result;
}

/** The largest f32 below a finite one. */
function below(value: number): number {
  if (value === 0) return -(2 ** -126); // drivers take what is smaller for 0
  const words = new Int32Array(Float32Array.of(value).buffer);
  words[0]! += value > 0 ? -1 : 1;
  return new Float32Array(words.buffer)[0]!;
}
