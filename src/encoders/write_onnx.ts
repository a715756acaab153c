import { type Backbone, ConvNext, ResNet, Vit } from "../nn/mod.ts";
import { convnextFeatures } from "./_onnx_convnext.ts";
import { OnnxGraph } from "./_onnx_graph.ts";
import { resnetFeatures } from "./_onnx_resnet.ts";
import { vitFeatures } from "./_onnx_vit.ts";
import { checkOptions } from "../tensor/internal.ts";

/** Settings of {@linkcode writeOnnx}. */
export interface WriteOnnxOptions {
  /** Output of the graph: what `forward` does, the outputs of the last linear layer (the default), or pooled features. */
  readonly output?: "outputs" | "features";
}

/**
 * Writes a network as an ONNX graph (opset 17), so that what was learnt here runs elsewhere, with ONNX Runtime for one. It
 * computes what the network does in evaluation, whether or not it is in training.
 *
 * Its input `images` is f32 `[n, channels, height, width]`, channels first as PyTorch's, normalised as in training; n is
 * open, and height and width too, where those of a vision transformer are what its positions are for. Its
 * output is `outputs [n, numClasses]`, or `features [n, pooledFeatures]`. Weights keep their names.
 *
 * @param encoder A {@linkcode ResNet}, {@linkcode Vit} or {@linkcode ConvNext}.
 * @param options `output`.
 * @returns The bytes of the file.
 * @throws {TypeError} If the network is of another class.
 * @throws {RangeError} If `output` is another word.
 *
 * @example Usage
 * ```ts
 * import { Device } from "@decoupled/uniformity";
 * import { writeOnnx } from "@decoupled/uniformity/encoders";
 * import { resnet18 } from "@decoupled/uniformity/nn";
 * import { assert } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const bytes = await writeOnnx(resnet18({ stem: "cifar", numClasses: 10 }));
 * assert(bytes.length > 4 * 11_000_000); // what encoder.onnx holds
 * ```
 */
export async function writeOnnx(encoder: Backbone, options: WriteOnnxOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
  checkOptions("writeOnnx()", options, ["output"]);
  const { output = "outputs" } = options;
  if (output !== "features" && output !== "outputs") {
    throw new RangeError(`Cannot write ONNX as output must be "outputs" or "features": got "${output}"`);
  }
  const { features: add, head, channels, sides } = partsOf(encoder);
  const graph = await OnnxGraph.of(encoder);
  const features = add(graph);
  const last = output === "features" ? features : graph.linear(features, head);
  const [inputs, outputs] = encoder.fc.weight.shape as [number, number];
  return graph.finish(last, {
    input: ["images", ["n", channels, ...sides]],
    outputs: [[output, ["n", output === "features" ? inputs : outputs]]],
  });
}

/** Nodes that a class of networks adds to a graph, the name of its last layer, and the images that it takes. */
interface Parts {
  features(graph: OnnxGraph): string;
  readonly head: string;
  readonly channels: number;
  readonly sides: readonly (number | string)[];
}

const ANY = ["height", "width"];

function partsOf(encoder: Backbone): Parts {
  if (encoder instanceof Vit) {
    const { inChannels: channels, layout: { imageSize } } = encoder;
    const features = (graph: OnnxGraph) => vitFeatures(graph, encoder, "images");
    return { features, head: "head", channels, sides: [imageSize, imageSize] };
  }
  if (encoder instanceof ConvNext) {
    const features = (graph: OnnxGraph) => convnextFeatures(graph, encoder, "images");
    return { features, head: "head.fc", channels: encoder.inChannels, sides: ANY };
  }
  if (encoder instanceof ResNet) {
    const features = (graph: OnnxGraph) => resnetFeatures(graph, encoder, "images");
    return { features, head: "fc", channels: encoder.conv1.options.inChannels, sides: ANY };
  }
  throw new TypeError(`Cannot write ONNX as the network must be a ResNet, Vit or ConvNext: got ${nameOf(encoder)}`);
}

function nameOf(value: unknown): string {
  return value instanceof Object ? value.constructor.name : String(value);
}
