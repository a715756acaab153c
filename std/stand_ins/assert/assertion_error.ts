/** Thrown when an assertion does not hold. */
export class AssertionError extends Error {
  /** Makes the error; `options.cause` is kept. */
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "AssertionError";
  }
}

/** Returns ": msg" to append to a message, or ".". */
export function suffix(msg: string | undefined): string {
  return msg ? `: ${msg}` : ".";
}
