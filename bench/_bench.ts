import { type Device, scope } from "../mod.ts";
import { type Ceilings, ceilings, gpuTime } from "./_ceilings.ts";
import { percent, short, table } from "./_table.ts";
import { trace } from "./_trace.ts";
import { type Work, workOf } from "./_work.ts";

/** Settings of a {@linkcode Bench}. */
export interface BenchSettings extends Pick<Deno.BenchDefinition, "group" | "baseline" | "n" | "warmup"> {
  /** Runs of the body that share one wait; 1 by default. A wait costs up to 13 ms, which small work would drown in. */
  readonly repeat?: number;
  /** Wrapper of every run: `policy.with()` and the like. */
  readonly within?: (run: () => Promise<void>) => Promise<void>;
  /** Numbers that an optimizer of the body updates. */
  readonly parameters?: number;
}

/** Registers a bench of a body that records ops; what the body makes is freed after each run. */
export type Bench = (name: string, body: () => void, settings?: BenchSettings) => Promise<void>;

/**
 * Registers a `Deno.bench` that knows the work: it counts FLOPs and least bytes of the ops in the body, times them once
 * by timestamp queries, and prints them after the file's benches beside the device's measured ceilings.
 */
export async function benchOn(device: Device): Promise<Bench> {
  const limits = await ceilings(device);
  const rows: string[][] = [];
  globalThis.addEventListener("unload", () => {
    console.log(`\n${device.info.description}: ${title(limits)}\n\n${table(HEAD, rows)}\n`);
  });
  return async (
    name,
    body,
    { repeat = 1, within = (run: () => Promise<void>) => run(), parameters = 0, ...options } = {},
  ) => {
    const once = () => {
      using _ = scope();
      body();
    };
    await within(async () => {
      const works = trace(device, once).map((op) => workOf(op, parameters));
      rows.push(row(name, sumOf(works), await gpuTime(device, once, 3), limits));
    });
    Deno.bench(repeat > 1 ? `${repeat} x ${name}` : name, options, () =>
      within(async () => {
        for (let i = 0; i < repeat; i++) once();
        await device.done();
      }));
  };
}

const HEAD = ["bench", "GFLOP", "MB", "GPU ms", "GFLOP/s", "GB/s", "of the ceiling"];

function title({ gigaflops, gigabytes }: Ceilings): string {
  return `ceilings ${gigaflops.toFixed(0)} GFLOP/s (FMA), ${gigabytes.toFixed(1)} GB/s (copy)`;
}

function sumOf(works: readonly Work[]): Work {
  return works.reduce((a, b) => ({ flop: a.flop + b.flop, bytes: a.bytes + b.bytes }), { flop: 0, bytes: 0 });
}

function row(name: string, { flop, bytes }: Work, milliseconds: number, limits: Ceilings): string[] {
  const [gigaflops, gigabytes] = [flop / milliseconds / 1e6, bytes / milliseconds / 1e6];
  const share = Math.max(gigaflops / limits.gigaflops, gigabytes / limits.gigabytes);
  return [name, ...[flop / 1e9, bytes / 1e6, milliseconds, gigaflops, gigabytes].map(short), percent(share)];
}
