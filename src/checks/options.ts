/**
 * Checks options by their names: one that is misspelt, or another library's, would be left out in silence.
 *
 * @param task What cannot be done otherwise, for the message: `compute sum()`.
 * @param names The names of all options.
 * @throws {TypeError} If the options are no object, or one has another name.
 */
export function checkOptions<T extends object>(task: string, options: T, names: readonly (keyof T & string)[]): void {
  const wanted = () => names.length < 2 ? names.join() : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    const shown = Array.isArray(options) ? `[${options}]` : String(options);
    throw new TypeError(`Cannot ${task} as its options must be an object of ${wanted()}: got ${shown}`);
  }
  for (const name in options) {
    if (names.includes(name)) continue;
    const { constructor } = options;
    const shown = constructor === Object || constructor === undefined ? name : `a ${constructor.name}`;
    throw new TypeError(`Cannot ${task} as its options are ${wanted()}: got ${shown}`);
  }
}
