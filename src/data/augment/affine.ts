/** torchvision's `RandomAffine`, beside the rotation: of a view's pixels, about its middle, black outside. */
export interface RandomAffine {
  /** Largest shift to the right and down, either way, as shares of the view's size in [0, 1]; in whole px. None when absent. */
  readonly translate?: readonly [number, number];
  /** Smallest and largest factor of the size; 1 when absent. */
  readonly scale?: readonly [number, number];
  /**
   * Degrees of shear in (−90, 90): `s` for [−s, s] parallel to the x axis, or its least and largest value, or those of
   * both axes, `[x, x, y, y]`. None when absent.
   */
  readonly shear?: number | readonly [number, number] | readonly [number, number, number, number];
}

/** Ranges of what a view draws of an affine map, as the shader takes them. */
export interface AffineRanges {
  /** Largest shift to the right and down, px. */
  readonly translate: readonly [number, number];
  /** Smallest and largest factor. */
  readonly scale: readonly [number, number];
  /** Least and largest shear along x and along y, degrees. */
  readonly shear: readonly [number, number, number, number];
}

/** Ranges of an affine map for views of this size; those of no map when it is absent. */
export function affineRanges(
  { translate = [0, 0], scale = [1, 1], shear = 0 }: RandomAffine = {},
  size = 1,
): AffineRanges {
  const [least, most, ...vertical] = typeof shear === "number" ? [-shear, shear] : shear;
  const [up = 0, down = 0] = vertical;
  return { translate: [translate[0] * size, translate[1] * size], scale, shear: [least, most, up, down] };
}

/** Lists the rules of an affine map, in the form of a recipe's check: whether one holds, what it is, and what was given. */
export function* affineRules(affine: RandomAffine): Generator<readonly [boolean, string, readonly number[]]> {
  const { translate, scale, shear } = affineRanges(affine);
  yield [translate.every((share) => share >= 0 && share <= 1), "affine.translate must be in [0, 1]", translate];
  const [least, most] = scale.map(Math.fround) as [number, number];
  const scales = least >= 2 ** -126 && most >= least && most < Infinity;
  yield [scales, "affine.scale must be 0 < min <= max", scale];
  const degrees = shear.every((angle) => Math.abs(angle) < 90) && shear[0] <= shear[1] && shear[2] <= shear[3];
  yield [degrees, "affine.shear must be -90 < min <= max < 90 degrees", shear];
}
