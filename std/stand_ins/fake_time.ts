/**
 * Stand-in for `@std/testing/time` on networks without JSR: what this repository uses of it.
 *
 * @module
 */
const REAL = globalThis.Date;

/** Time that passes in `Date` only when a test says so, until it is disposed of. */
export class FakeTime {
  #now: number;

  /** Starts at a time. */
  constructor(start: number | string | Date) {
    if (globalThis.Date !== REAL) throw new TypeError("Cannot construct FakeTime: time is already faked");
    this.#now = new REAL(start).valueOf();
    const now = () => this.#now;
    globalThis.Date = new Proxy(REAL, {
      construct: (target, args: unknown[]) => Reflect.construct(target, args.length === 0 ? [now()] : args),
      get: (target, key) => key === "now" ? now : Reflect.get(target, key),
    });
  }

  /** Lets time pass, ms. */
  tick(ms: number): void {
    this.#now += ms;
  }

  /** Puts the real time back. */
  [Symbol.dispose](): void {
    globalThis.Date = REAL;
  }
}
