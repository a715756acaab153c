import { stochasticDepth } from "../ops/mod.ts";
import { type Key, key, type Tensor } from "../tensor/mod.ts";
import { Module } from "./module.ts";
import { Draws } from "./parameter.ts";
import { checkOptions } from "../tensor/internal.ts";

/** Settings of a {@linkcode DropPath}. */
export interface DropPathOptions {
  /** Probability that a sample passes the branch by, 0 ≤ p < 1. */
  p: number;
  /** Key of the draws, but for their number: `key(…stream, number)`. */
  stream: readonly [seed: number, index: number, purpose: number];
}

/**
 * Stochastic depth of a residual branch, as timm's `DropPath`: in training each sample of `[n, …]` is 0 with probability p
 * and divided by 1 − p otherwise; in evaluation nothing changes. Every pass draws anew; checkpoints of a run keep the
 * count, so that one that goes on draws what it would have drawn.
 *
 * @example Usage
 * ```ts
 * import { Device, ones } from "@decoupled/uniformity";
 * import { DropPath } from "@decoupled/uniformity/nn";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const path = new DropPath({ p: 0.5, stream: [0, 0, 0] });
 * assertEquals(new Set(await path.forward(ones([20])).data()), new Set([0, 2]));
 * assertEquals(path.draws.count, 1);
 * ```
 */
export class DropPath extends Module {
  /** Count of passes in training. */
  readonly draws: Draws = new Draws();
  #p: number;
  #next: () => Key;

  /**
   * Makes the layer.
   *
   * @throws {RangeError} If p is not in [0, 1).
   */
  constructor(options: DropPathOptions) {
    super();
    checkOptions("make DropPath", options, ["p", "stream"]);
    const { p, stream: [seed, index, purpose] } = options;
    if (!(p >= 0 && Math.fround(p) < 1)) {
      throw new RangeError(`Cannot make a DropPath as p must be in [0, 1): current value is ${p}`);
    }
    this.#p = p;
    this.#next = () => key(seed, index, purpose, this.draws.next());
  }

  /** Leaves out some samples of `[n, …]` in training. */
  override forward(x: Tensor): Tensor<"f32"> {
    if (!this.training || this.#p === 0) return x as Tensor<"f32">;
    return stochasticDepth(x, { p: this.#p, key: this.#next });
  }

  /** The probability. */
  override extraRepr(): string {
    return `${this.#p}`;
  }
}

/** The probability of a block among others: it grows from 0 at the first to `most` at the last. */
export function dropPathOf(most: number, index: number, depth: number): number {
  return depth > 1 ? most * index / (depth - 1) : most;
}
