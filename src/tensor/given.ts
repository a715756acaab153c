/** Describes what was given where a tensor was wanted, for messages; an array is what most try. */
export function describeGiven(value: unknown): string {
  return Array.isArray(value) || ArrayBuffer.isView(value) ? "an array; tensor() makes one of it" : String(value);
}
