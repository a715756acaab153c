// Layers of a network as nodes of an ONNX graph. Images are [n, c, h, w] there, tokens [n, tokens, features].
import {
  attribute,
  constant,
  floatAttribute,
  hwioToOihw,
  node,
  type OnnxField,
  onnxModel,
  type OnnxSignature,
} from "../formats/internal.ts";
import { ndarray, toF32 } from "../formats/mod.ts";
import type { Conv2d, Module } from "../nn/mod.ts";
import type { GeluOptions } from "../ops/mod.ts";

/** A tensor of a module's state on the host, in this library's layout. */
interface Weight {
  readonly shape: readonly number[];
  readonly data: Float32Array<ArrayBuffer>;
}

/** A graph of a module's layers; each adds nodes and gives the name of their output. */
export class OnnxGraph {
  readonly #weights: ReadonlyMap<string, Weight>;
  readonly #parts: OnnxField[] = [];
  readonly #written = new Set<string>();
  #count = 0;

  private constructor(weights: ReadonlyMap<string, Weight>) {
    this.#weights = weights;
  }

  /** Makes an empty graph, and reads a module's parameters and buffers back. */
  static async of(module: Module): Promise<OnnxGraph> {
    const entries = [...module.stateDict()].map(async ([name, tensor]) =>
      [name, { shape: tensor.shape, data: Float32Array.from(await tensor.data()) }] as const
    );
    return new OnnxGraph(new Map(await Promise.all(entries)));
  }

  /** Tells whether the module has a parameter or buffer. */
  has(name: string): boolean {
    return this.#weights.has(name);
  }

  /** Adds an op of ONNX. */
  op(name: string, inputs: readonly string[], attributes: readonly OnnxField[] = []): string {
    const output = `${name.toLowerCase()}_${this.#count++}`;
    this.#parts.push(node(name, inputs, output, attributes));
    return output;
  }

  /** Adds whole numbers, such as a shape, as a constant. */
  integers(values: readonly number[], shape: readonly number[] = [values.length]): string {
    const name = `shape_${values.join("_")}_${shape.length}`;
    if (this.#isNew(name)) this.#parts.push(constant(name, shape, BigInt64Array.from(values, BigInt)));
    return name;
  }

  /** Adds a number. */
  scalar(value: number): string {
    const name = `number_${value}`;
    if (this.#isNew(name)) this.#parts.push(constant(name, [], Float32Array.of(value)));
    return name;
  }

  /** Adds a parameter or buffer as it is, or with another shape. */
  weight(name: string, shape?: readonly number[]): string {
    const { data, shape: own } = this.#weights.get(name)!;
    if (this.#isNew(name)) this.#parts.push(constant(name, shape ?? own, data));
    return name;
  }

  /** A convolution of [n, c, h, w]; its weight is turned into [out, in / groups, kh, kw]. */
  conv(x: string, name: string, { options }: Conv2d): string {
    const { shape, data } = this.#weights.get(`${name}.weight`)!;
    const weight = hwioToOihw(ndarray([...shape], "f32", data));
    if (this.#isNew(`${name}.weight`)) this.#parts.push(constant(`${name}.weight`, weight.shape, toF32(weight)));
    const both = (value: number | readonly number[] = 1) => typeof value === "number" ? [value, value] : value;
    const padding = both(options.padding ?? 0);
    const bias = this.has(`${name}.bias`) ? [this.weight(`${name}.bias`)] : [];
    return this.op("Conv", [x, `${name}.weight`, ...bias], [
      attribute("kernel_shape", shape.slice(0, 2)),
      attribute("strides", both(options.stride)),
      attribute("pads", [...padding, ...padding]),
      attribute("dilations", both(options.dilation)),
      attribute("group", options.groups ?? 1),
    ]);
  }

  /** Batch normalisation by the running statistics. */
  batchNorm(x: string, name: string, eps: number): string {
    const parts = ["weight", "bias", "running_mean", "running_var"].map((part) => this.weight(`${name}.${part}`));
    return this.op("BatchNormalization", [x, ...parts], [floatAttribute("epsilon", eps)]);
  }

  /** Layer normalisation of the last axis. */
  layerNorm(x: string, name: string, eps: number): string {
    const parts = [this.weight(`${name}.weight`), this.weight(`${name}.bias`)];
    return this.op("LayerNormalization", [x, ...parts], [attribute("axis", -1), floatAttribute("epsilon", eps)]);
  }

  /** A linear layer of the last axis. */
  linear(x: string, name: string): string {
    const y = this.op("MatMul", [x, this.weight(`${name}.weight`)]);
    return this.has(`${name}.bias`) ? this.op("Add", [y, this.weight(`${name}.bias`)]) : y;
  }

  /** GELU of a form, from ops of opset 17, which has none. */
  gelu(x: string, form: NonNullable<GeluOptions["approximate"]>): string {
    const times = (a: string, factor: number) => this.op("Mul", [a, this.scalar(factor)]);
    if (form === "sigmoid") return this.op("Mul", [x, this.op("Sigmoid", [times(x, 1.702)])]);
    const cubed = () => this.op("Mul", [this.op("Mul", [x, x]), x]);
    const inner = form === "none"
      ? this.op("Erf", [times(x, Math.SQRT1_2)])
      : this.op("Tanh", [times(this.op("Add", [x, times(cubed(), 0.044715)]), Math.sqrt(2 / Math.PI))]);
    return this.op("Mul", [times(x, 0.5), this.op("Add", [inner, this.scalar(1)])]);
  }

  /** Serialises the model; `output` becomes the output of the signature. */
  finish(output: string, signature: OnnxSignature): Uint8Array<ArrayBuffer> {
    const [[name]] = signature.outputs as [[string, unknown]];
    return onnxModel([...this.#parts, node("Identity", [output], name)], signature);
  }

  #isNew(name: string): boolean {
    if (this.#written.has(name)) return false;
    this.#written.add(name);
    return true;
  }
}
