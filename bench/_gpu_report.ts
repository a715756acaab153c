import { percent, short, table } from "./_table.ts";

/** One measured line. */
export interface Line {
  /** Name of the work, the same here and in PyTorch. */
  readonly name: string;
  /** Milliseconds of a run when many follow each other. */
  readonly ms: number;
  /** Milliseconds of the host to record one. */
  readonly hostMs?: number;
  /** Arithmetic of a run; 0 where it is not counted. */
  readonly gflop?: number;
  /** Images of a run; 0 where there are none. */
  readonly images?: number;
  /** Peak device memory, in MB; absent where it cannot be told. */
  readonly peakMB?: number;
}

/** Report that `bench/gpu.ts --json` writes. */
export interface OursReport {
  readonly device: string;
  readonly date: string;
  readonly gigaflops: number;
  readonly gigabytes: number;
  readonly lines: readonly Line[];
}

/** Report that `bench/compare/pytorch_step.py --json` writes. */
export interface PyTorchReport {
  readonly device: string;
  readonly version: string;
  /** Lines by mode, the one without TF32 first. */
  readonly modes: Readonly<Record<string, readonly Line[]>>;
}

/** The table of this library alone. */
export function oursTable({ lines, gigaflops }: OursReport): string {
  const rows = lines.map((line) => [...oursCells(line, gigaflops), imagesOf(line), peakOf(line)]);
  return table(["work", "ms", "host ms", "GFLOP/s", "of the ceiling", "images/s", "peak MB"], rows);
}

/** Joins both tables: times, and how many times faster this library is. */
export function joinedTable(ours: OursReport, pytorch: PyTorchReport): string {
  const modes = Object.entries(pytorch.modes);
  const rows = ours.lines.map((line) => {
    const others = modes.map(([, lines]) => lines.find(({ name }) => name === baseName(line.name)));
    const times = others.flatMap((other) => other ? [short(other.ms), `${short(other.ms / line.ms)}×`] : ["", ""]);
    return [...oursCells(line, ours.gigaflops), ...times, imagesOf(line), peakOf(line), peakOf(others[0])];
  });
  const head = ["work", "ms", "host ms", "GFLOP/s", "of the ceiling"];
  const columns = modes.flatMap(([mode]) => [`PyTorch ${mode} ms`, "ours against it"]);
  return table([...head, ...columns, "images/s", "peak MB", "PyTorch peak MB"], rows);
}

/** An eager step is compared with the same line of PyTorch as the replayed one, and so is one with sums in f16. */
function baseName(name: string): string {
  return name.replace(/, (eager|sums in f16)$/, "");
}

function oursCells({ name, ms, hostMs, gflop = 0 }: Line, gigaflops: number): string[] {
  const rate = gflop / ms * 1000;
  return [
    name,
    short(ms),
    hostMs === undefined ? "" : short(hostMs),
    gflop > 0 ? rate.toFixed(0) : "",
    gflop > 0 ? percent(rate / gigaflops) : "",
  ];
}

function imagesOf({ images = 0, ms }: Line): string {
  return images > 0 ? (1000 * images / ms).toFixed(0) : "";
}

function peakOf(line: Line | undefined): string {
  return line?.peakMB === undefined ? "" : line.peakMB.toFixed(0);
}
