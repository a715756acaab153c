/** The tolerances of the project's tests, in one place; a test that needs more says why beside the number. */
export const TOLERANCE = {
  /** Relative error of an op's values against float64, per element of the largest magnitude. */
  value: 2e-6,
  /** Relative error of sums of many terms (matmul, conv, reductions). */
  sum: 2e-5,
  /** Relative error of an op that gives f16, against float64 of the same f16 inputs: rounding to 11 bits is 5e-4. */
  half: 6e-4,
  /** Relative error of a gradient against finite differences in f32. */
  gradient: 2e-3,
  /** Relative error of a gradient against PyTorch's float64 value. */
  goldenGradient: 5e-5,
  /** Relative error of training losses over ten steps: f32 sums in another order. */
  trainingLoss: 2e-3,
  /** Relative error of training losses over ten steps in mixed precision, against f32's. */
  mixedLoss: 2e-2,
  /** Tolerance of losses in mixed precision at learning rates where the loss only falls: at most 2e-3 was seen. */
  calmMixedLoss: 5e-3,
  /**
   * Error of a parameter's gradient in mixed precision against f32's: length of the difference by that of the gradient.
   * Rounding only the images to f16 moves f32's own by up to 5e-2, as the masks of ReLU jump; 9e-2 was seen in six runs.
   */
  mixedGradient: 1e-1,
  /** Tolerance of gradients in mixed precision without ReLU, where they change smoothly: at most 1.9e-3 in six runs. */
  smoothMixedGradient: 3e-3,
} as const;
