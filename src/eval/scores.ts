/** Whether a value can be compared as a score: a number, not NaN; of untyped code, no blank either, as `undefined > 0` is false. */
export function isScore(value: unknown): value is number {
  return typeof value === "number" && !Number.isNaN(value);
}

/** Error that a score is none. */
export function scoreError(op: string, score: unknown, where: string): RangeError {
  return new RangeError(`Cannot compute ${op}() as every score must be a number: got ${score} ${where}`);
}
