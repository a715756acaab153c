import { checkpoint } from "../autograd/mod.ts";
import type { Tensor } from "../tensor/mod.ts";
import { Module } from "./module.ts";

/**
 * Modules one after the other, named `0`, `1`, ….
 *
 * @example Usage
 * ```ts
 * import { Device, ones } from "@decoupled/uniformity";
 * import { Linear, ReLU, Sequential } from "@decoupled/uniformity/nn";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const model = new Sequential(
 *   new Linear({ inFeatures: 4, outFeatures: 8 }),
 *   new ReLU(),
 *   new Linear({ inFeatures: 8, outFeatures: 2 }),
 * );
 * assertEquals(model.forward(ones([3, 4])).shape, [3, 2]);
 * assertEquals([...model.stateDict().keys()], ["0.weight", "0.bias", "2.weight", "2.bias"]);
 * ```
 */
export class Sequential extends Module {
  /** The modules in order. */
  readonly layers: readonly Module[];
  #checkpoint = false;

  /**
   * Runs `layers` in order.
   *
   * @throws {TypeError} If one is no module: `new Lambda(relu)` makes one of a function.
   */
  constructor(...layers: Module[]) {
    super();
    for (const layer of layers as unknown[]) {
      if (layer instanceof Module) continue;
      const shown = typeof layer === "function"
        ? `a function ${layer.name}; new Lambda(${layer.name || "fn"}) makes one of it`
        : Array.isArray(layer)
        ? "an array; ...layers hands them over"
        : String(layer);
      throw new TypeError(`Cannot make Sequential as its layers must be modules: got ${shown}`);
    }
    this.layers = layers;
  }

  /**
   * Makes a sequence whose layers are {@linkcode checkpoint}ed in training: less memory for one more forward pass. A batch in
   * several parts is not.
   */
  static checkpointed(...layers: Module[]): Sequential {
    const sequence = new Sequential(...layers);
    sequence.#checkpoint = true;
    return sequence;
  }

  /** Feeds `x` through every layer. */
  override forward(x: Tensor): Tensor<"f32"> {
    const through = (x: Tensor, layer: Module) =>
      this.#checkpoint && this.training ? checkpoint((x) => layer.forward(x!), x) : layer.forward(x);
    return this.layers.reduce(through, x) as Tensor<"f32">;
  }

  /** Feeds the parts of a batch through every layer. */
  override forwardParts(parts: readonly Tensor[]): Tensor<"f32">[] {
    if (this.#checkpoint && parts.length === 1) return [this.forward(parts[0]!)];
    return this.layers.reduce((y, layer) => layer.forwardParts(y), [...parts]) as Tensor<"f32">[];
  }

  /** The layers under their indices. */
  override *fields(): IterableIterator<[string, unknown]> {
    for (const [i, layer] of this.layers.entries()) yield [`${i}`, layer];
  }
}
