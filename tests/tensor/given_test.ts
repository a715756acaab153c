import { assertThrows } from "@std/assert";
import { Device } from "../../src/device/mod.ts";
import { cosine, rbf, sumOf } from "../../src/kernels/mod.ts";
import { centroidWeights } from "../../src/kernels/mod.ts";
import { alignUniform, decoupledUniformity, infoNCE, supCon } from "../../src/losses/mod.ts";
import { batchNorm, cholesky, contrastiveTerm, hatMatrix, l2Normalize, pairTerm, rbfGram } from "../../src/ops/mod.ts";
import { GradScaler, LARS, SGD } from "../../src/optim/mod.ts";
import { eye, ones, type Tensor } from "../../src/tensor/mod.ts";
import { checkSetting } from "../../src/tensor/given.ts";

await Device.open();

Deno.test("checkSetting() takes what f32 holds, and says what it does not", () => {
  for (const value of [2 ** -126, 1, 3.4028234663852886e38]) checkSetting("go", "x", value);
  checkSetting("go", "x", 0, { orZero: true });
  checkSetting("go", "x", 7, { most: 7 });
  const refused: [number, Parameters<typeof checkSetting>[3], string][] = [
    [0, {}, "Cannot go as x must be > 0 and finite: current value is 0"],
    [-1, { orZero: true }, "Cannot go as x must be >= 0 and finite: current value is -1"],
    [NaN, { orZero: true }, "current value is NaN"],
    [Infinity, {}, "current value is Infinity"],
    [1e39, {}, "current value is 1e+39 (f32 holds no more than 3.4e+38)"],
    [1e-40, { orZero: true }, "current value is 1e-40 (f32 holds no less than 1.1754943508222875e-38)"],
    [8, { most: 7 }, "Cannot go as x must be > 0 and <= 7: current value is 8"],
  ];
  for (const [value, rule, message] of refused) {
    assertThrows(() => checkSetting("go", "x", value, rule), RangeError, message);
  }
  for (const [value, message] of [["2", 'got "2" (string)'], [null, "got null (object)"]] as const) {
    assertThrows(
      () => checkSetting("go", "x", value as never),
      TypeError,
      `Cannot go as x must be a number: ${message}`,
    );
  }
});

/** Settings > 0 of public functions, and those that may be 0. */
const POSITIVE: Record<string, (value: number) => unknown> = {
  "gamma of rbfGram": (gamma) => rbfGram(ones([2, 2]), ones([2, 2]), { gamma }),
  "temperature of contrastiveTerm": (temperature) => contrastiveTerm(ones([4, 4]), { views: 2, temperature }),
  "eps of l2Normalize": (eps) => l2Normalize(ones([2, 2]), { eps }),
  "t of pairTerm": (t) => pairTerm(ones([2, 2]), { t }),
  "eps of batchNorm": (eps) => batchNorm(ones([4, 2]), { weight: ones([2]), bias: ones([2]), training: true, eps }),
  "t of decoupledUniformity": (t) => decoupledUniformity(ones([2, 2, 2]), { t }),
  "temperature of infoNCE": (temperature) => infoNCE(ones([2, 2, 2]), { temperature }),
  "temperature of supCon": (temperature) => supCon(ones([2, 2, 2]), { temperature, labels: [0, 1] }),
  "alpha of alignUniform": (alpha) => alignUniform(ones([2, 2, 2]), { alpha }),
  "t of alignUniform": (t) => alignUniform(ones([2, 2, 2]), { t }),
  "sigma of rbf": (sigma) => rbf({ sigma }),
  "gamma of rbf": (gamma) => rbf({ gamma }),
  "weight of sumOf": (weight) => sumOf([cosine()], { weights: [weight] }),
  "eta of LARS": (eta) => new LARS([parameter()], { lr: 1, eta }),
  "initScale of GradScaler": (initScale) => new GradScaler({ initScale }),
};
const ZERO_TOO: Record<string, (value: number) => unknown> = {
  "ridge of cholesky": (ridge) => cholesky(eye(2), { ridge }),
  "ridge of hatMatrix": (ridge) => hatMatrix(eye(2), { ridge }),
  "ridge of centroidWeights": (ridge) => centroidWeights(ones([2, 2]), { kernel: rbf({ sigma: 1 }), ridge }),
  "alignWeight of alignUniform": (alignWeight) => alignUniform(ones([2, 2, 2]), { alignWeight }),
  "lr of SGD": (lr) => new SGD([parameter()], { lr }),
  "momentum of SGD": (momentum) => new SGD([parameter()], { lr: 1, momentum }),
  "weightDecay of LARS": (weightDecay) => new LARS([parameter()], { lr: 1, weightDecay }),
};

function parameter(): Tensor {
  const w = ones([2]);
  w.requiresGrad = true;
  return w;
}

for (const [name, use] of Object.entries({ ...POSITIVE, ...ZERO_TOO })) {
  Deno.test(`The ${name} must be in range as an f32`, () => {
    for (const value of [1e39, 1e-40, 1e-50, 1e300, -1, NaN, Infinity]) assertThrows(() => use(value), RangeError);
    use(1);
    if (name in ZERO_TOO) use(0);
    else assertThrows(() => use(0), RangeError);
  });
}
