import { Device, type Program } from "../device/mod.ts";
import { lib_flat, lib_philox, random as code } from "../device/shaders.gen.ts";
import { type CreateOptions, tensor } from "./create.ts";
import { type Key, shuffled } from "./philox.ts";
import type { Shape } from "./shape.ts";
import { Tensor } from "./tensor.ts";

const params = { size: "u32", key0: "u32", key1: "u32", a: "f32", b: "f32" } as const;
const UNIFORM: Program = {
  name: "random",
  code: [lib_flat, lib_philox, code],
  entryPoint: "uniform_numbers",
  params,
};
const NORMAL: Program = { ...UNIFORM, entryPoint: "normal_numbers" };

/** {@linkcode CreateOptions} and the key of the stream. */
export interface RandomOptions extends CreateOptions<"f32"> {
  /** Which numbers: the same key gives the same numbers. */
  key: Key;
}

/**
 * Uniform numbers in `[low, high)`, 24 random bits each, from Philox4x32-10.
 *
 * @param shape Any shape.
 * @param options `key`, and `low` (default 0) and `high` (default 1).
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
  return draw(UNIFORM, shape, options, options.low ?? 0, options.high ?? 1);
}

/**
 * Normal numbers by Box and Muller from Philox4x32-10.
 *
 * @param shape Any shape.
 * @param options `key`, and `mean` (default 0) and `std` (default 1).
 */
export function normal(shape: Shape, options: RandomOptions & { mean?: number; std?: number }): Tensor<"f32"> {
  return draw(NORMAL, shape, options, options.mean ?? 0, options.std ?? 1);
}

/** The integers 0 … n − 1 in random order, `u32` `[n]`. */
export function permutation(n: number, options: { key: Key; device?: Device }): Tensor<"u32"> {
  return tensor<"u32">(shuffled(n, options.key), { device: options.device });
}

function draw(program: Program, shape: Shape, options: RandomOptions, a: number, b: number): Tensor<"f32"> {
  const device = options.device ?? Device.current;
  const result = new Tensor<"f32">(device, shape);
  const { size } = result;
  device.run(program.entryPoint, [shape], () =>
    device.dispatch(program, {
      params: { size, key0: options.key[0], key1: options.key[1], a, b },
      buffers: { 1: result.storage },
      workgroups: device.groups(Math.ceil(size / 4), 64),
    }));
  return result;
}
