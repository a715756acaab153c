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

/** One dispatch as Chrome's Trace Event Format has it. */
export interface TraceEvent {
  /** Op, shapes and shader. */
  readonly name: string;
  /** Category: `gpu`. */
  readonly cat: "gpu";
  /** A complete event: it has a start and a duration. */
  readonly ph: "X";
  /** Start in microseconds since the first dispatch. */
  readonly ts: number;
  /** Duration in microseconds. */
  readonly dur: number;
  /** Process, of which there is one. */
  readonly pid: 0;
  /** Queue, of which there is one. */
  readonly tid: 0;
}

/** Trace that Perfetto and Chrome's `about:tracing` read. */
export interface Trace {
  /** Unit of the ruler. */
  readonly displayTimeUnit: "ms";
  /** Dispatches in their order. */
  readonly traceEvents: readonly TraceEvent[];
}

/** Measurements of a profiler. */
export interface Profile {
  /** Totals, the longest first. */
  readonly rows: ProfileRow[];
  /** Each dispatch, where events were asked for. */
  readonly trace: Trace;
}

/** Options of what a profiler keeps. */
export interface ProfilerOptions {
  /** Time what runs in turn under one label as a whole; false by default. */
  readonly groups?: boolean;
  /** Keep when each dispatch ran, not only totals; false by default. */
  readonly keepsEvents?: boolean;
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
  #keepsEvents: boolean;
  #events: { name: string; start: bigint; end: bigint }[] = [];

  /** Needs a device with the feature `timestamp-query`. */
  constructor(gpu: GPUDevice, { groups = false, keepsEvents = false }: ProfilerOptions = {}) {
    this.#gpu = gpu;
    this.groups = groups;
    this.#keepsEvents = keepsEvents;
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

  /** Encodes the copy of the timestamps; `read` is called after the submit. */
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

  /** Reads what was measured so far. */
  async profile(): Promise<Profile> {
    await Promise.all(this.#pending);
    this.#pending = [];
    const rows = [...this.#totals].map(([name, { count, nanoseconds }]) => ({
      name,
      count,
      milliseconds: nanoseconds / 1e6,
    }));
    return { rows: rows.sort((a, b) => b.milliseconds - a.milliseconds), trace: this.#trace() };
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
      const [start, end] = [times[2 * i]!, times[2 * i + 1]!];
      total.count++;
      total.nanoseconds += Number(end - start);
      this.#totals.set(name, total);
      if (this.#keepsEvents) this.#events.push({ name, start, end });
    });
  }

  #trace(): Trace {
    const events = this.#events.sort((a, b) => Number(a.start - b.start));
    const first = events[0]?.start ?? 0n;
    const microseconds = (nanoseconds: bigint) => Number(nanoseconds) / 1000;
    return {
      displayTimeUnit: "ms",
      traceEvents: events.map(({ name, start, end }) => {
        const [ts, dur] = [microseconds(start - first), microseconds(end - start)];
        return { name, cat: "gpu", ph: "X", ts, dur, pid: 0, tid: 0 };
      }),
    };
  }
}
