/**
 * Stand-in for `@std/testing/time` on networks without JSR: time that passes only when a test says so.
 *
 * @module
 */

/** Thrown when time is misused. */
export class TimeError extends Error {
  /** Makes the error. */
  constructor(message: string) {
    super(message);
    this.name = "TimeError";
  }
}

type Callback = (...args: unknown[]) => void;

interface Timer {
  due: number;
  /** Order among timers that are due together. */
  order: number;
  interval: number | undefined;
  run(): void;
}

const REAL = {
  Date: globalThis.Date,
  setTimeout: globalThis.setTimeout,
  clearTimeout: globalThis.clearTimeout,
  setInterval: globalThis.setInterval,
  clearInterval: globalThis.clearInterval,
};

let active: FakeTime | undefined;

/** Replaces `Date`, `setTimeout()` and `setInterval()` until it is restored or disposed of. */
export class FakeTime {
  readonly #start: number;
  #now: number;
  #next = 1;
  readonly #timers = new Map<number, Timer>();

  /** Starts at a time, by default the real one. */
  constructor(start?: number | string | Date | null) {
    if (active !== undefined) throw new TimeError("Cannot construct FakeTime: time is already faked");
    this.#start = this.#now = new REAL.Date(start ?? REAL.Date.now()).valueOf();
    if (Number.isNaN(this.#start)) throw new TypeError(`Cannot construct FakeTime: invalid start time NaN`);
    active = this;
    this.#install();
  }

  /** Puts the real time back. */
  static restore(): void {
    if (active === undefined) throw new TimeError("Cannot restore time: time is already restored");
    active.restore();
  }

  /** The fake time; setting it runs what falls due. */
  get now(): number {
    return this.#now;
  }

  set now(value: number) {
    if (value < this.#now) throw new RangeError(`Cannot set current time in the past, time must be >= ${this.#now}`);
    for (let timer = this.#earliest(); timer !== undefined && timer[1].due <= value; timer = this.#earliest()) {
      this.#fire(...timer);
    }
    this.#now = value;
  }

  /** The time at which this began. */
  get start(): number {
    return this.#start;
  }

  /** Lets time pass. */
  tick(ms = 0): void {
    this.now += ms;
  }

  /** Runs what promises wait for, then lets time pass. */
  async tickAsync(ms = 0): Promise<void> {
    await this.runMicrotasks();
    this.now += ms;
  }

  /** Passes on to the next timer; `false` when there is none. */
  next(): boolean {
    const timer = this.#earliest();
    if (timer !== undefined) this.now = timer[1].due;
    return timer !== undefined;
  }

  /** Runs what promises wait for, then passes on to the next timer. */
  async nextAsync(): Promise<boolean> {
    await this.runMicrotasks();
    return this.next();
  }

  /** Passes on until no timer is left. */
  runAll(): void {
    while (this.next());
  }

  /** Passes on until no timer is left, with what promises wait for between. */
  async runAllAsync(): Promise<void> {
    while (await this.nextAsync());
  }

  /** Runs what promises wait for. */
  async runMicrotasks(): Promise<void> {
    await new Promise<void>((resolve) => REAL.setTimeout(resolve, 0));
  }

  /** Puts the real time back. */
  restore(): void {
    if (active !== this) throw new TimeError("Cannot restore time: time is already restored");
    active = undefined;
    this.#timers.clear();
    Object.assign(globalThis, REAL);
  }

  /** Puts the real time back. */
  [Symbol.dispose](): void {
    this.restore();
  }

  #install(): void {
    const now = (): number => this.#now;
    const clear = (id?: number): void => void this.#timers.delete(Number(id));
    Object.assign(globalThis, {
      Date: fakeDate(now),
      setTimeout: (run: Callback, ms?: number, ...args: unknown[]) => this.#add(run, ms, args, false),
      setInterval: (run: Callback, ms?: number, ...args: unknown[]) => this.#add(run, ms, args, true),
      clearTimeout: clear,
      clearInterval: clear,
    });
  }

  #add(run: Callback, ms = 0, args: unknown[], repeat: boolean): number {
    const id = this.#next++;
    const wait = Math.max(ms, repeat ? 1 : 0);
    this.#timers.set(id, {
      due: this.#now + wait,
      order: id,
      interval: repeat ? wait : undefined,
      run: () => run(...args),
    });
    return id;
  }

  #earliest(): [number, Timer] | undefined {
    let first: [number, Timer] | undefined;
    for (const entry of this.#timers) {
      const [{ due, order }, best] = [entry[1], first?.[1]];
      if (best === undefined || due < best.due || (due === best.due && order < best.order)) first = entry;
    }
    return first;
  }

  #fire(id: number, timer: Timer): void {
    this.#now = timer.due;
    if (timer.interval === undefined) this.#timers.delete(id);
    else this.#timers.set(id, { ...timer, due: timer.due + timer.interval, order: this.#next++ });
    timer.run();
  }
}

function fakeDate(now: () => number): DateConstructor {
  return new Proxy(REAL.Date, {
    apply: () => new REAL.Date(now()).toString(),
    construct: (target, args: unknown[]) => Reflect.construct(target, args.length === 0 ? [now()] : args),
    get: (target, key) => key === "now" ? now : Reflect.get(target, key),
  });
}
