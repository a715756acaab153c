/**
 * Lets what other libraries call otherwise answer with what it is here, where it would be undefined; a member of that
 * name in a class below takes its place.
 *
 * @param of What has no such member, for the message: `an optimizer`.
 * @param instead What does the same here, by the other name.
 */
export function answerOtherNames(prototype: object, of: string, instead: Readonly<Record<string, string>>): void {
  for (const [name, use] of Object.entries(instead)) {
    const told = () => {
      throw new TypeError(`Cannot use ${name} of ${of} as it is called otherwise here: use ${use}`);
    };
    Object.defineProperty(prototype, name, { get: told, set: told, configurable: true });
  }
}
