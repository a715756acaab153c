import { escapeCommands, printable } from "../formats/internal.ts";

/** Contents of a progress line. */
export interface Progress {
  /** Name of the run, for example `no prior`. */
  label: string;
  /** Share done, in [0, 1]. */
  done: number;
  /** Values with their names, already formatted, in order. */
  values: readonly (readonly [name: string, value: string])[];
}

/**
 * Shows progress: one line that is redrawn in a terminal, and plain lines (at most one every few seconds) otherwise.
 */
export class ProgressDisplay {
  #terminal: boolean;
  #write: (text: string) => void;
  #interval: number;
  #start = performance.now();
  #last = -Infinity;
  #open = false;
  #from = 0;

  /** Writes to stderr, so that stdout stays for results. */
  constructor(options: { terminal?: boolean; write?: (text: string) => void; interval?: number } = {}) {
    this.#terminal = options.terminal ?? Deno.stderr.isTerminal();
    this.#write = options.write ?? ((text) => Deno.stderr.writeSync(new TextEncoder().encode(text)));
    this.#interval = options.interval ?? (this.#terminal ? 100 : 5000);
  }

  /** Starts the clock of the time left anew, for work of which a share is done already. */
  restart(from = 0): void {
    this.#from = from;
    this.#start = performance.now();
    this.#last = -Infinity;
  }

  /** Shows a state; states that come too soon after another are left out, except the last one (`done` = 1). */
  update(progress: Progress): void {
    const now = performance.now();
    if (now - this.#last < this.#interval && progress.done < 1) return;
    this.#last = now;
    const seconds = (now - this.#start) / 1000;
    const done = progress.done - this.#from;
    const left = done > 0 ? seconds * (1 - progress.done) / done : NaN;
    const line = escapeCommands(formatLine(progress, left, this.#terminal));
    this.#write(this.#terminal ? `\r\x1b[2K${line}` : `${line}\n`);
    this.#open = this.#terminal;
  }

  /** Ends the line, and prints a message on one of its own. */
  print(message: string): void {
    this.#write(`${this.#open ? "\n" : ""}${printable(message)}\n`);
    this.#open = false;
  }
}

/** One line of progress. */
export function formatLine({ label, done, values }: Progress, secondsLeft: number, bar: boolean): string {
  const width = 20;
  const filled = Math.round(width * done);
  const head = bar ? `${label} ${"█".repeat(filled)}${"░".repeat(width - filled)}` : label;
  const parts = values.map(([name, value]) => `${name} ${value}`);
  return [head, `${Math.round(100 * done)} %`, ...parts, `${formatDuration(secondsLeft)} left`].join("  ");
}

/** Formats a duration as `7 s`, `2 min 05 s` or `3 h 04 min`; `?` when it is unknown. */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return "?";
  const s = Math.round(seconds);
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${String(s % 60).padStart(2, "0")} s`;
  return `${Math.floor(s / 3600)} h ${String(Math.floor((s % 3600) / 60)).padStart(2, "0")} min`;
}
