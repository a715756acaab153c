import { keep, Tensor } from "../tensor/mod.ts";

/**
 * A tensor that training changes: a leaf that wants a gradient and belongs to no scope.
 *
 * @example Usage
 * ```ts
 * import { Device, mul, type Tensor, tensor } from "@decoupled/uniformity";
 * import { Module, Parameter } from "@decoupled/uniformity/nn";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * class Scale extends Module {
 *   readonly factor = new Parameter(tensor([2]));
 *   override forward(x: Tensor) {
 *     return mul(x, this.factor);
 *   }
 * }
 * assertEquals([...new Scale().stateDict().keys()], ["factor"]);
 * ```
 */
export class Parameter extends Tensor<"f32"> {
  /** Takes over the elements of a tensor, which is disposed. */
  constructor(values: Tensor) {
    if (values.dtype !== "f32") throw new TypeError(`Cannot make a Parameter as it must be f32: got ${values.dtype}`);
    super(values.device, values.shape, { storage: values.storage.retain() });
    this.requiresGrad = true;
    keep(this);
    values.dispose();
  }
}

/** A parameter `[rows, features]` that is a table of rows, not a matrix: PyTorch keeps it in the same order of axes. */
export class Table extends Parameter {}

/** A count that belongs to a module's state, such as BatchNorm's `numBatchesTracked`. */
export class Counter {
  /** The count. */
  value = 0;
}

/**
 * Count of random draws of a module, such as a {@linkcode DropPath}'s, which makes the key of the next one. It belongs to a
 * run, not to the weights: checkpoints keep it beside them, and no file of weights has it.
 */
export class Draws {
  #count = 0;

  /** Draws so far. */
  get count(): number {
    return this.#count;
  }

  /** Number of the next draw. */
  next(): number {
    return this.#count++;
  }

  /** Goes on from so many draws, as a run that goes on does. */
  goTo(count: number): void {
    this.#count = count;
  }
}
