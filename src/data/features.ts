/** Features of `n` samples. */
export interface Features {
  /** Values `[n, dim]`, row-major. */
  readonly data: Float32Array<ArrayBuffer>;
  /** Features a sample. */
  readonly dim: number;
}
