/**
 * A map that forgets what was not used for long: it holds the `most` latest entries, and at most twice as many. A hit
 * among the latest ones costs what it costs in a plain map.
 */
export class RecentMap<V> {
  #most: number;
  #latest = new Map<string, V>();
  #earlier = new Map<string, V>();

  /** Holds at least the `most` entries used latest. */
  constructor(most: number) {
    this.#most = most;
  }

  /** Entries that are held; one that came back counts twice. */
  get size(): number {
    return this.#latest.size + this.#earlier.size;
  }

  /** The value of a key, which counts as used now; undefined where there is none. */
  get(key: string): V | undefined {
    const found = this.#latest.get(key);
    if (found !== undefined) return found;
    const earlier = this.#earlier.get(key);
    if (earlier !== undefined) this.set(key, earlier);
    return earlier;
  }

  /** Puts a value; forgets those that `most` others were used after. */
  set(key: string, value: V): void {
    if (this.#latest.size >= this.#most && !this.#latest.has(key)) {
      this.#earlier = this.#latest;
      this.#latest = new Map();
    }
    this.#latest.set(key, value);
  }

  /** Forgets a key. */
  delete(key: string): void {
    this.#latest.delete(key);
    this.#earlier.delete(key);
  }

  /** Values that are held, each once or, where it came back, twice. */
  *values(): Generator<V> {
    yield* this.#earlier.values();
    yield* this.#latest.values();
  }

  /** Forgets everything. */
  clear(): void {
    this.#latest.clear();
    this.#earlier.clear();
  }
}
