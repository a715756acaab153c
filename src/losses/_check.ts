import type { Tensor } from "../tensor/mod.ts";
import { checkSetting } from "../tensor/internal.ts";

/** Four times it, the largest exponent of unit vectors, and its inverse are still f32. */
const MOST = 8e37;

/** Checks that embeddings are f32 (or f16, which is read as f32) `[batch, views, features]` with a pair of samples and enough views of each. */
export function checkViews(loss: string, z: Tensor, leastViews = 1): void {
  if (z.rank !== 3 || (z.dtype !== "f32" && z.dtype !== "f16")) {
    throw new TypeError(
      `Cannot compute ${loss}() as z must be f32 [batch, views, features]: got z ${z.dtype} [${z.shape}]`,
    );
  }
  if (z.shape[0]! < 2) {
    throw new RangeError(`Cannot compute ${loss}() as a pair needs a batch of at least 2: got z [${z.shape}]`);
  }
  if (z.shape[1]! < leastViews) {
    const views = leastViews === 1 ? "1 view" : `${leastViews} views`;
    throw new RangeError(`Cannot compute ${loss}() as a sample needs at least ${views}: got z [${z.shape}]`);
  }
}

/** Checks embeddings of exactly two views. */
export function checkTwoViews(loss: string, z: Tensor): void {
  checkViews(loss, z);
  if (z.shape[1] !== 2) {
    throw new RangeError(`Cannot compute ${loss}() as there must be exactly 2 views: got z [${z.shape}]`);
  }
}

/** Checks that weights are f32, one for each pair of samples. */
export function checkWeights(loss: string, z: Tensor, weights: Tensor): void {
  const [batch] = z.shape;
  if (weights.rank === 2 && weights.shape[0] === batch && weights.shape[1] === batch && weights.dtype === "f32") return;
  throw new TypeError(
    `Cannot compute ${loss}() as weights must be f32 [${batch}, ${batch}]: ` +
      `got weights ${weights.dtype} [${weights.shape}] and z [${z.shape}]`,
  );
}

/** Checks that an option is >= 0. */
export function checkFactor(loss: string, name: string, value: number): void {
  checkSetting(`compute ${loss}()`, name, value, { orZero: true });
}

/** Checks that an option is > 0 as an f32, and small enough that the loss can be one. */
export function checkPositive(loss: string, name: string, value: number): void {
  checkSetting(`compute ${loss}()`, name, value, { most: MOST });
}
