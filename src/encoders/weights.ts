import { NORMALIZATION } from "../data/mod.ts";
import { quotedSome } from "../formats/internal.ts";
import { ConvNext } from "../nn/mod.ts";
import { type ConvNextOrigin, convnextState } from "../weights/mod.ts";
import {
  type EncoderFile,
  LoadedNetwork,
  loadInto,
  type NetworkEncoder,
  type NetworkEncoderOptions,
  readEncoderFile,
} from "./network_encoder.ts";
import { vitEncoder, type VitEncoderOptions } from "./vit.ts";
import { checkOptions } from "../tensor/internal.ts";

/** Side of the images of a ConvNeXt, px. */
const SIZE = 224;

/**
 * Loads a network's weights as an encoder, from safetensors or PyTorch's `.pth`, of which no code is run: a vision transformer
 * as {@linkcode loadVit}, or a ConvNeXt under the names of timm, torchvision, its authors or Hugging Face. Names and shapes
 * tell the network.
 *
 * A ConvNeXt's features are the pooled ones after the last normalisation; images are prepared as the family's own
 * programs do (224 px of 256, bicubic; torchvision's of 230 to 236, bilinear; ImageNet's mean and deviation).
 *
 * @param path The file.
 * @param options Choices that the file does not tell; `heads` and `pool` are of vision transformers.
 * @throws {SyntaxError} If the file is damaged.
 * @throws {TypeError} If it holds no such network, or weights are missing or unexpected.
 * @throws {RangeError} If an option is out of its range, or no name begins with `prefix`.
 *
 * @example Usage
 * ```ts no-assert ignore
 * import { loadImageNet100 } from "@decoupled/uniformity/data";
 * import { loadWeights } from "@decoupled/uniformity/encoders";
 * import { makeFeatures } from "@decoupled/uniformity/jobs";
 *
 * using encoder = await loadWeights("convnext_tiny.safetensors");
 * await makeFeatures(encoder, await loadImageNet100("./data/imagenet100"), "imagenet100_prior.npz"); // [n, 768]
 * ```
 */
export async function loadWeights(path: string, options: VitEncoderOptions = {}): Promise<NetworkEncoder> {
  checkOptions("loadWeights()", options, ["mean", "std", "size", "shortSide", "prefix", "device", "heads", "pool"]);
  const file = await readEncoderFile(path, options.prefix);
  const encoder = vitEncoder(file, options) ?? convnextEncoder(file, options);
  if (encoder) return encoder;
  throw new TypeError(
    `Cannot use "${path}" as it must hold the weights of a vision transformer or ConvNeXt under the names of timm, ` +
      `torchvision, CLIP, DINOv2 or Hugging Face: got ${quotedSome(file.weights.keys())}`,
  );
}

function convnextEncoder(
  { path, bytes, weights }: EncoderFile,
  options: NetworkEncoderOptions,
): NetworkEncoder | null {
  const found = convnextState(weights);
  if (!found) return null;
  const { state, layout, numClasses, origin } = found;
  const model = new ConvNext(layout, { numClasses, device: options.device }).eval();
  const { size, shortSide } = sizesOf(origin, model, options);
  const network = loadInto(model, state, path, "ConvNeXt");
  const interpolation = origin === "torchvision" ? "bilinear" : "bicubic";
  return new LoadedNetwork({
    ...{ network, origin, size, shortSide, channels: options },
    preparation: { channels: NORMALIZATION.imagenet, interpolation },
    note: `${origin} convnext ${bytes} bytes`,
    features: (convnext, images) => convnext.pooled(images),
  });
}

function sizesOf(
  origin: ConvNextOrigin,
  model: ConvNext,
  options: NetworkEncoderOptions,
): { size: number; shortSide: number } {
  const { size = SIZE } = options;
  const { shortSide = Math.floor(size * shortSideOf(origin, model) / SIZE) } = options;
  if (Number.isInteger(size) && size >= model.leastSize && Number.isInteger(shortSide) && shortSide >= size) {
    return { size, shortSide };
  }
  const least = model.leastSize;
  model.dispose();
  throw new RangeError(
    `Cannot load a ConvNext as size must be an integer of at least ${least}, and shortSide one of at least size: ` +
      `got ${size} and ${shortSide}`,
  );
}

/** Short side that a family resizes images to before 224 px are cut out; torchvision's differs by size of the network. */
function shortSideOf(origin: ConvNextOrigin, { layout: { depths, dims } }: ConvNext): number {
  if (origin !== "torchvision") return 256;
  if (dims[0]! > 96) return 232;
  return (depths[2] ?? 0) > 9 ? 230 : 236;
}
