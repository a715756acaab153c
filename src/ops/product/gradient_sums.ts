// Gradients that a product masks and sums on its way, for the batch normalisation and ReLU before it: their backward need
// not read the gradient for that.
import type { Device } from "../../device/mod.ts";
import { lib_gradient_sums } from "../../shaders/lib.ts";
import { keep, Tensor } from "../../tensor/mod.ts";

/** Tensor that tells where ReLU was 0: the output, where a residual was added; else scales and shifts of x, `[c / 4, 2, 4]`. */
export type Mask = { readonly output: Tensor } | { readonly reading: Tensor };

/** A normalisation whose output's gradient a product makes, of values in one precision; and the sums that it leaves. */
export class GradientSums implements Disposable {
  /** Input of the normalisation. */
  readonly x: Tensor;
  /** Moments `[1, 3, c]` of x, the means first. */
  readonly moments: Tensor;
  /** Tensor that tells where ReLU was 0. */
  readonly mask: Mask;
  #sums: Tensor | null = null;

  /** Sums that are yet to be made. */
  constructor(x: Tensor, moments: Tensor, mask: Mask) {
    this.x = x;
    this.moments = moments;
    this.mask = mask;
  }

  /** Sums of the masked gradient and of it times (x − mean), `[blocks of rows, 2, c]`; null where no product left them. */
  get sums(): Tensor | null {
    return this.#sums;
  }

  /** Makes room for the sums of `blocks` blocks of rows; they outlive scopes. */
  open(device: Device, blocks: number, channels: number): Tensor {
    return this.#sums = keep(new Tensor(device, [blocks, 2, channels]));
  }

  /** Frees the sums. */
  [Symbol.dispose](): void {
    this.#sums?.dispose();
    this.#sums = null;
  }
}

/** WGSL to join with a product in tiles, which finds the gradient where ReLU passed; `adds` to what c holds. */
export function gradientSumsCode({ mask }: GradientSums, adds: boolean): readonly [typeof lib_gradient_sums, string] {
  const value = "output" in mask ? "vec4f(y[i])" : "fma(input, norm[col].scale, norm[col].shift)";
  const sum = adds ? "sum + vec4f(c[i])" : "sum";
  const masked = `fn masked(i: u32, col: u32, sum: vec4f, input: vec4f) -> vec4f { return mask(${sum}, ${value}); }`;
  return [lib_gradient_sums, masked];
}
