import type { Device } from "../device/mod.ts";
import { fullPrecision, noGrad } from "../autograd/mod.ts";
import { concat, matmul, mul, reshape, slice, square, sub, sum } from "../ops/mod.ts";
import { ones, type Tensor, tidy, zeros } from "../tensor/mod.ts";

/** View `view` of embeddings `[batch, views, features]`, `[batch, features]`. */
export function viewOf(z: Tensor, view: number): Tensor {
  return reshape(slice(z, [null, { start: view, stop: view + 1 }]), [z.shape[0]!, z.shape[2]!]);
}

/** The first and the second view. */
export function twoViews(z: Tensor): [Tensor, Tensor] {
  return [viewOf(z, 0), viewOf(z, 1)];
}

/** The identity `[n, n]`, made on the device: a recorded step uploads nothing. */
export function identity(n: number, device: Device): Tensor {
  // Rows of n + 1 elements that begin with a 1, read as rows of n: each 1 is one place further to the right.
  return noGrad(() =>
    tidy(() => {
      const rows = concat([ones([n, 1], { device }), zeros([n, n], { device })], 1);
      return reshape(slice(reshape(rows, [n * (n + 1)]), [{ start: 0, stop: n * n }]), [n, n]);
    })
  );
}

/**
 * Computes `Σᵢⱼ (xᵀy)ᵢⱼ²` of x and y `[batch, features]`: by the smaller of `[features, features]` and `[batch,
 * batch]`.
 */
export function crossSquares(x: Tensor, y: Tensor): Tensor {
  const [batch, features] = x.shape as [number, number];
  return fullPrecision(() => {
    if (features <= batch) return sum(square(matmul(x, y, { transposeA: true })));
    return sum(mul(matmul(x, x, { transposeB: true }), matmul(y, y, { transposeB: true })));
  });
}

/** Returns `s` without its diagonal: minus infinity in effect, as `exp` of it is 0. */
export function withoutSelf(s: Tensor, eye: Tensor): Tensor {
  return sub(s, mul(eye, 1e30));
}
