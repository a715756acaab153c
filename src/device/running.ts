import type { DeviceErrorDetails } from "./errors.ts";

type Shapes = readonly (readonly number[])[];

/** Description of what runs now, for errors and profiles. */
export class Running {
  #labelsShapes = false;
  #name = "";
  #shapes: Shapes = [];
  #group: string | undefined;

  /** Names what runs inside `body`. */
  run<T>(name: string, shapes: Shapes, body: () => T): T {
    const [nameBefore, shapesBefore] = [this.#name, this.#shapes];
    this.#name = name;
    this.#shapes = shapes;
    try {
      return body();
    } finally {
      this.#name = nameBefore;
      this.#shapes = shapesBefore;
    }
  }

  /** Lets labels tell the shapes, so that a profile keeps them apart, or no longer. */
  labelShapes(tell: boolean): void {
    this.#labelsShapes = tell;
  }

  /** Labels all that runs inside `body` alike. */
  runGroup<T>(group: string, body: () => T): T {
    const before = this.#group;
    this.#group = group;
    try {
      return body();
    } finally {
      this.#group = before;
    }
  }

  /** Name of a dispatch in a profile. */
  get label(): string {
    if (this.#group !== undefined) return this.#group;
    if (!this.#labelsShapes) return this.#name;
    return `${this.#name} ${this.#shapes.map((shape) => `[${shape}]`).join("")}`;
  }

  /** Details that an error gives of what runs. */
  get details(): DeviceErrorDetails {
    return this.#name ? { op: this.#name, shapes: this.#shapes } : {};
  }
}
