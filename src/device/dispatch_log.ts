import { environment } from "./environment.ts";
import type { DispatchOptions } from "./dispatch.ts";
import type { Program } from "./program.ts";
import type { Running } from "./running.ts";

/**
 * Prints dispatches to stderr, as the variable `DEBUG` asks when the device is opened: `1` each kind once (op, shapes,
 * form of the shader, workgroups), `2` every dispatch, `3` with its parameters and constants.
 */
export class DispatchLog {
  #level: number;
  #seen = new Set<string>();
  #count = 0;

  private constructor(level: number) {
    this.#level = level;
  }

  /** A log where `DEBUG` is 1, 2 or 3; null otherwise. */
  static open(): DispatchLog | null {
    const level = Number(environment("DEBUG"));
    return level === 1 || level === 2 || level === 3 ? new DispatchLog(level) : null;
  }

  /** Takes note of a dispatch inside what runs. */
  add(program: Program, { workgroups, params, constants }: DispatchOptions, running: Running): void {
    this.#count++;
    const { op = "", shapes = [] } = running.details;
    const what = `${op} ${shapes.map((shape) => `[${shape}]`).join("")}`.trim();
    const form = program.form ? `, form ${program.form}` : "";
    const shader = `${program.name}.${program.entryPoint}`;
    const line = `${what && `${what}: `}${shader}, ${workgroups.join(" x ")} workgroups${form}`;
    if (this.#level === 1) {
      if (this.#seen.has(line)) return;
      this.#seen.add(line);
    }
    console.error(`${this.#count} ${line}${this.#level === 3 ? `, ${values({ ...params, ...constants })}` : ""}`);
  }
}

function values(given: Readonly<Record<string, unknown>>): string {
  return Object.entries(given).map(([name, value]) => `${name} = ${value}`)
    .join(", ");
}
