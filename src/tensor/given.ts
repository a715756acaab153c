/** Describes what was given where a tensor was wanted, for messages; most often it is an array. */
export function describeGiven(value: unknown): string {
  return Array.isArray(value) || ArrayBuffer.isView(value) ? "an array; tensor() makes one of it" : String(value);
}

/** Smallest f32 that no driver takes for 0. */
const LEAST = 2 ** -126;

/** Rule for a setting, beside being a number that f32 holds. */
export interface SettingRule {
  /** Whether 0 is allowed; false by default. */
  readonly orZero?: boolean;
  /** The largest value; that of f32 by default. */
  readonly most?: number;
}

/**
 * Checks a setting that shaders read: > 0 (or ≥ 0) and finite as an f32, not only as a number of JavaScript. What lies
 * between 0 and 2⁻¹²⁶ is 0 for some drivers, and what exceeds 3.4e38 is infinite.
 *
 * @param task What cannot be done otherwise, for the message: `compute rbfGram()`.
 * @param name Name of the setting.
 * @throws {TypeError} If it is no number.
 * @throws {RangeError} If it is out of range.
 */
export function checkSetting(task: string, name: string, value: number, rule: SettingRule = {}): void {
  const { orZero = false, most = Infinity } = rule;
  checkNumber(task, name, value);
  const held = Math.fround(value);
  if ((held >= LEAST && held <= most && held < Infinity) || (orZero && value === 0)) return;
  const wanted = `${orZero ? ">= 0" : "> 0"} and ${most === Infinity ? "finite" : `<= ${most}`}`;
  const least = value > 0 && held < LEAST ? ` (f32 holds no less than ${LEAST})` : "";
  const largest = Number.isFinite(value) && held === Infinity ? " (f32 holds no more than 3.4e+38)" : "";
  throw new RangeError(`Cannot ${task} as ${name} must be ${wanted}: current value is ${value}${least || largest}`);
}

/**
 * Checks the type alone: "1", true and null would pass for numbers.
 *
 * @throws {TypeError} If it is no number.
 */
export function checkNumber(task: string, name: string, value: unknown): asserts value is number {
  if (typeof value === "number") return;
  const shown = typeof value === "string" ? JSON.stringify(value) : String(value);
  throw new TypeError(`Cannot ${task} as ${name} must be a number: got ${shown} (${typeof value})`);
}

/**
 * Checks sizes that something is made with.
 *
 * @throws {RangeError} If one, or an element of one that is a list, is no integer ≥ 1.
 */
export function checkSizes(task: string, sizes: Readonly<Record<string, unknown>>): void {
  for (const [name, size] of Object.entries(sizes)) {
    if ([size].flat().every((each) => Number.isInteger(each) && Number(each) >= 1)) continue;
    throw new RangeError(`Cannot ${task} as ${name} must be an integer >= 1: got ${size}`);
  }
}
