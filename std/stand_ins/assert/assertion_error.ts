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

/** Stops with `Failed assertion`. */
export function fail(msg?: string): never {
  throw new AssertionError(`Failed assertion${suffix(msg)}`);
}

/** Marks what is not implemented. */
export function unimplemented(msg?: string): never {
  throw new AssertionError(`Unimplemented${suffix(msg)}`);
}

/** Marks what must not be reached. */
export function unreachable(msg?: string): never {
  throw new AssertionError(`Unreachable${suffix(msg)}`);
}
