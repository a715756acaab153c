/**
 * Makes other libraries' names of members throw an error that names ours, where they would be undefined; a member of a
 * subclass takes precedence.
 *
 * @param of What has no such member, for the message: `an optimizer`.
 * @param instead What does the same here, by the other names, which spaces part.
 * @param canSet Whether an object may be given a member of such a name; otherwise that is told, too.
 */
export function answerNames(
  prototype: object,
  of: string,
  instead: Readonly<Record<string, string>>,
  canSet = false,
): void {
  for (const [names, use] of Object.entries(instead)) {
    for (const name of names.split(" ")) {
      const get = () => {
        throw new TypeError(`Cannot use ${name} of ${of} as it is called otherwise here: use ${use}`);
      };
      const set = function (this: object, value: unknown) {
        Object.defineProperty(this, name, { value, writable: true, enumerable: true });
      };
      Object.defineProperty(prototype, name, { get, set: canSet ? set : get, configurable: true });
    }
  }
}
