import { MAP_READ, USAGE } from "./usage.ts";

/** GPU time of one kind of dispatch. */
export interface ProfileRow {
  /** Op and shader, for example `conv2d matmul.forward`. */
  readonly name: string;
  /** Dispatches. */
  readonly count: number;
  /** GPU time in milliseconds. */
  readonly milliseconds: number;
}

const SLOTS = 2048;

/** Times every dispatch, or what follows each other under one label, in a pass of its own with timestamp queries. */
export class Profiler {
  /** Whether a label is timed as a whole. */
  readonly groups: boolean;
  #gpu: GPUDevice;
  #queries: GPUQuerySet;
  #resolved: GPUBuffer;
  #names: string[] = [];
  #pending: Promise<void>[] = [];
  #totals = new Map<string, { count: number; nanoseconds: number }>();

  /** Needs a device with the feature `timestamp-query`. */
  constructor(gpu: GPUDevice, groups = false) {
    this.#gpu = gpu;
    this.groups = groups;
    this.#queries = gpu.createQuerySet({ type: "timestamp", count: SLOTS });
    this.#resolved = gpu.createBuffer({
      size: SLOTS * 8,
      usage: USAGE.QUERY_RESOLVE | USAGE.COPY_SRC,
    });
  }

  /** True when the next dispatch needs a submit first. */
  get full(): boolean {
    return this.#names.length * 2 >= SLOTS;
  }

  /** The timestamp writes of the next pass. */
  begin(name: string): GPUComputePassTimestampWrites {
    const index = this.#names.push(name) * 2 - 2;
    return { querySet: this.#queries, beginningOfPassWriteIndex: index, endOfPassWriteIndex: index + 1 };
  }

  /** Records the copy of the timestamps; `read` is called after the submit. */
  resolve(encoder: GPUCommandEncoder): (() => void) | null {
    const names = this.#names;
    if (names.length === 0) return null;
    this.#names = [];
    const size = names.length * 16;
    const staging = this.#gpu.createBuffer({ size, usage: USAGE.MAP_READ | USAGE.COPY_DST });
    encoder.resolveQuerySet(this.#queries, 0, names.length * 2, this.#resolved, 0);
    encoder.copyBufferToBuffer(this.#resolved, 0, staging, 0, size);
    return () => this.#pending.push(this.#read(staging, names));
  }

  /** Totals so far, the longest first. */
  async rows(): Promise<ProfileRow[]> {
    await Promise.all(this.#pending);
    this.#pending = [];
    const rows = [...this.#totals].map(([name, { count, nanoseconds }]) => ({
      name,
      count,
      milliseconds: nanoseconds / 1e6,
    }));
    return rows.sort((a, b) => b.milliseconds - a.milliseconds);
  }

  /** Frees the query set and its buffer. */
  destroy(): void {
    this.#queries.destroy();
    this.#resolved.destroy();
  }

  async #read(staging: GPUBuffer, names: string[]): Promise<void> {
    await staging.mapAsync(MAP_READ);
    const times = new BigUint64Array(staging.getMappedRange().slice(0));
    staging.destroy();
    names.forEach((name, i) => {
      const total = this.#totals.get(name) ?? { count: 0, nanoseconds: 0 };
      total.count++;
      total.nanoseconds += Number(times[2 * i + 1]! - times[2 * i]!);
      this.#totals.set(name, total);
    });
  }
}
