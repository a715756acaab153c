/** A classifier: `scores = x · weight + bias`. */
export interface LinearClassifier {
  /** Weight `[dim, classes]`, row-major. */
  readonly weight: Float64Array<ArrayBuffer>;
  /** Bias `[classes]`; −∞ for a class without training samples. */
  readonly bias: Float64Array<ArrayBuffer>;
  /** Features. */
  readonly dim: number;
  /** Number of classes. */
  readonly classes: number;
}
