// Activations as layers, for `Sequential`; in a `forward` of one's own, call the ops.
import { gelu, hardswish, leakyRelu, relu, sigmoid, silu, softplus, tanh } from "../ops/mod.ts";
import type { Tensor } from "../tensor/mod.ts";
import { checkOptions } from "../tensor/internal.ts";
import { Module } from "./module.ts";

/** Layer that computes `x Φ(x)`, as PyTorch's `nn.GELU`. */
export class GELU extends Module {
  /** Form of the function; see `gelu()`. */
  readonly approximate: "none" | "tanh" | "sigmoid";

  /**
   * Makes the layer; `"none"`, the exact form, by default.
   *
   * @throws {TypeError} If an option has another name.
   */
  constructor(options: { approximate?: "none" | "tanh" | "sigmoid" } = {}) {
    super();
    checkOptions("make GELU", options, ["approximate"]);
    this.approximate = options.approximate ?? "none";
  }

  /** Applies it to each element, of any shape. */
  override forward(x: Tensor): Tensor<"f32"> {
    return gelu(x, { approximate: this.approximate });
  }
}

/** Layer that computes `x · min(max(x + 3, 0), 6) / 6`, as PyTorch's `nn.Hardswish`. */
export class Hardswish extends Module {
  /** Applies it to each element, of any shape. */
  override forward(x: Tensor): Tensor<"f32"> {
    return hardswish(x);
  }
}

/** Layer that computes `max(x, 0) + negativeSlope · min(x, 0)`, as PyTorch's `nn.LeakyReLU`. */
export class LeakyReLU extends Module {
  /** Slope below 0. */
  readonly negativeSlope: number;

  /**
   * Makes the layer; `negativeSlope` is 0.01 by default.
   *
   * @throws {TypeError} If an option has another name.
   */
  constructor(options: { negativeSlope?: number } = {}) {
    super();
    checkOptions("make LeakyReLU", options, ["negativeSlope"]);
    this.negativeSlope = options.negativeSlope ?? 0.01;
  }

  /** Applies it to each element, of any shape. */
  override forward(x: Tensor): Tensor<"f32"> {
    return leakyRelu(x, { negativeSlope: this.negativeSlope });
  }
}

/**
 * Layer that computes `max(x, 0)`, as PyTorch's `nn.ReLU`.
 *
 * @example Usage
 * ```ts
 * import { Device, tensor } from "@decoupled/uniformity";
 * import { ReLU } from "@decoupled/uniformity/nn";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * assertEquals(await new ReLU().forward(tensor([-1, 2])).data(), new Float32Array([0, 2]));
 * ```
 */
export class ReLU extends Module {
  /** Applies it to each element, of any shape. */
  override forward(x: Tensor): Tensor<"f32"> {
    return relu(x);
  }
}

/** Layer that computes `1 / (1 + e⁻ˣ)`, as PyTorch's `nn.Sigmoid`. */
export class Sigmoid extends Module {
  /** Applies it to each element, of any shape. */
  override forward(x: Tensor): Tensor<"f32"> {
    return sigmoid(x);
  }
}

/** Layer that computes `x / (1 + e⁻ˣ)`, as PyTorch's `nn.SiLU`. */
export class SiLU extends Module {
  /** Applies it to each element, of any shape. */
  override forward(x: Tensor): Tensor<"f32"> {
    return silu(x);
  }
}

/** Layer that computes `log(1 + exp(beta · x)) / beta`, as PyTorch's `nn.Softplus`. */
export class Softplus extends Module {
  /** Sharpness of the bend at 0. */
  readonly beta: number;

  /**
   * Makes the layer; `beta` is 1 by default.
   *
   * @throws {TypeError} If an option has another name.
   */
  constructor(options: { beta?: number } = {}) {
    super();
    checkOptions("make Softplus", options, ["beta"]);
    this.beta = options.beta ?? 1;
  }

  /** Applies it to each element, of any shape. */
  override forward(x: Tensor): Tensor<"f32"> {
    return softplus(x, { beta: this.beta });
  }
}

/** Layer that computes the hyperbolic tangent, as PyTorch's `nn.Tanh`. */
export class Tanh extends Module {
  /** Applies it to each element, of any shape. */
  override forward(x: Tensor): Tensor<"f32"> {
    return tanh(x);
  }
}
