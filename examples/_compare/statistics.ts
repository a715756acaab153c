/** Mean and sample standard deviation (n − 1); the deviation of one value is 0. */
export function spread(values: readonly number[]): { mean: number; deviation: number } {
  const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
  const squares = values.reduce((sum, v) => sum + (v - mean) ** 2, 0);
  return { mean, deviation: values.length > 1 ? Math.sqrt(squares / (values.length - 1)) : 0 };
}

/** `0.265 ± 0.012`. */
export function plusMinus(values: readonly number[], signed = false): string {
  const { mean, deviation } = spread(values);
  return `${signed && mean >= 0 ? "+" : ""}${mean.toFixed(3)} ± ${deviation.toFixed(3)}`;
}
