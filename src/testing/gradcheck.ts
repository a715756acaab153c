import { backward, detach, requireGrad } from "../autograd/mod.ts";
import { key, scope, type Shape, sizeOf, Tensor, tensor } from "../tensor/mod.ts";
import { checkOptions, philox } from "../tensor/internal.ts";
import { TOLERANCE } from "./tolerance.ts";

/** Options of {@linkcode gradcheck}. */
export interface GradcheckOptions {
  /** Finite-difference step, relative to inputs of order 1; 2⁻⁸ by default (smaller ones drown in f32 rounding). */
  step?: number;
  /** Largest relative error allowed. */
  rtol?: number;
  /** Seed of the direction and of the output's gradient. */
  seed?: number;
}

/**
 * Checks an op's gradient by central differences along one random direction:
 * `⟨v, (f(x + hd) − f(x − hd)) / 2h⟩` must equal `⟨vjp(v), d⟩`, both sums in float64 on the host.
 *
 * @param fn A function of the inputs, differentiable near them: keep them away from kinks.
 * @param inputs Tensors, f32; the gradient with respect to each is checked.
 * @throws {Error} If the two numbers differ by more than `rtol`; the message gives both.
 *
 * @example Usage
 * ```ts
 * import { Device, square, tensor } from "@decoupled/uniformity";
 * import { gradcheck } from "@decoupled/uniformity/testing";
 *
 * await using _device = await Device.open();
 * await gradcheck((x) => square(x), tensor([1, -2, 3]));
 * ```
 *
 * @see JAX's `check_grads`, which probes one random direction too.
 */
export async function gradcheck(
  fn: (...inputs: Tensor[]) => Tensor,
  inputs: Tensor | readonly Tensor[],
  options: GradcheckOptions = {},
): Promise<void> {
  checkOptions("run gradcheck()", options, ["step", "rtol", "seed"]);
  const { step = 2 ** -8, rtol = TOLERANCE.gradient, seed = 0 } = options;
  const list = inputs instanceof Tensor ? [inputs] : inputs;
  for (let which = 0; which < list.length; which++) {
    const { analytic, numeric, scale } = await compare(fn, list, which, step, seed);
    const error = Math.abs(analytic - numeric);
    const magnitude = Math.max(Math.abs(analytic), Math.abs(numeric), scale);
    if (!(error <= rtol * magnitude)) { // also when either is NaN
      throw new Error(
        `Gradient of input ${which} is wrong: analytic ${analytic}, numeric ${numeric}, ` +
          `relative error ${error / magnitude} > ${rtol}`,
      );
    }
  }
}

async function compare(
  fn: (...inputs: Tensor[]) => Tensor,
  inputs: readonly Tensor[],
  which: number,
  step: number,
  seed: number,
): Promise<{ analytic: number; numeric: number; scale: number }> {
  const { device, shape } = inputs[which]!;
  const values = await inputs[which]!.data();
  const direction = noise(shape, seed * 31 + which * 2 + 1);
  const moved = (sign: number) =>
    tensor(Float32Array.from(values, (v, i) => v + sign * step * direction[i]!), { shape, device });
  const call = (x: Tensor) => fn(...inputs.map((input, i) => i === which ? x : detach(input)));
  using _ = scope();
  const [plus, minus] = [moved(+1), moved(-1)];
  const [high, low, xPlus, xMinus] = await Promise.all([
    call(plus).data(),
    call(minus).data(),
    plus.data(),
    minus.data(),
  ]);
  const x = requireGrad(tensor(Float32Array.from(values), { shape, device }));
  const y = call(x);
  const v = noise(y.shape, seed * 31 + which * 2 + 2);
  backward(y, { grad: tensor(v, { shape: y.shape, device }) });
  const gradX = await x.grad!.data();
  // The step as it was rounded to f32, and the scale of the terms, so that cancelling sums are judged fairly.
  let [analytic, numeric, scale] = [0, 0, 0];
  for (let i = 0; i < gradX.length; i++) analytic += gradX[i]! * (xPlus[i]! - xMinus[i]!) / (2 * step);
  for (let i = 0; i < v.length; i++) numeric += v[i]! * (high[i]! - low[i]!) / (2 * step);
  for (let i = 0; i < gradX.length; i++) scale += (gradX[i]! * direction[i]!) ** 2;
  return { analytic, numeric, scale: Math.sqrt(scale) };
}

/** Numbers in ±[0.25, 1]: none is so small that its part is lost. */
function noise(shape: Shape, seed: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: sizeOf(shape) }, (_, i) => {
    const [a, b] = philox([i, 0, 0, 0], key(seed));
    return (b & 1 ? 1 : -1) * (0.25 + 0.75 * a / 2 ** 32);
  });
}
