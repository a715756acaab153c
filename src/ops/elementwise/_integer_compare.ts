/** The comparisons. */
export type Comparison = "equal" | "notEqual" | "greater" | "greaterEqual" | "less" | "lessEqual";

/** The least and the largest integer of a dtype. */
const RANGES = { i32: [-(2 ** 31), 2 ** 31 - 1], u32: [0, 2 ** 32 - 1] } as const;

/** Comparisons with the sides exchanged. */
export const MIRRORED: Readonly<Record<Comparison, Comparison>> = {
  equal: "equal",
  notEqual: "notEqual",
  greater: "less",
  greaterEqual: "lessEqual",
  less: "greater",
  lessEqual: "greaterEqual",
};

/**
 * A comparison of integers `x` of a dtype with an integer of that dtype that is true for the same x as `name` with any
 * number: `x < 1.5` is `x <= 1`, `x > -1` is always true of u32.
 */
export function integerComparison(
  name: Comparison,
  number: number,
  dtype: keyof typeof RANGES,
): { name: Comparison; number: number } {
  const [least, most] = RANGES[dtype];
  const never = { name: "less", number: least } as const;
  const always = { name: "greaterEqual", number: least } as const;
  const [floor, ceil] = [Math.floor(number), Math.ceil(number)];
  switch (name) {
    case "equal":
      return floor === ceil && floor >= least && floor <= most ? { name, number } : never;
    case "notEqual":
      return floor === ceil && floor >= least && floor <= most ? { name, number } : always;
    case "greater":
      return floor < least ? always : floor < most ? { name, number: floor } : never;
    case "greaterEqual":
      return ceil <= least ? always : ceil <= most ? { name, number: ceil } : never;
    case "less":
      return ceil > most ? always : ceil > least ? { name, number: ceil } : never;
    case "lessEqual":
      return floor >= most ? always : floor >= least ? { name, number: floor } : never;
  }
}
