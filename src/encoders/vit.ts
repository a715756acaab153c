import { NORMALIZATION } from "../data/mod.ts";
import { quotedSome } from "../formats/internal.ts";
import { Vit } from "../nn/mod.ts";
import { type VitOrigin, vitState } from "../weights/mod.ts";
import type { Normalization } from "./image_encoder.ts";
import {
  type EncoderFile,
  LoadedNetwork,
  loadInto,
  type NetworkEncoder,
  type NetworkEncoderOptions,
  type Preparation,
  readEncoderFile,
} from "./network_encoder.ts";
import { checkOptions } from "../tensor/internal.ts";

/** Options of {@linkcode loadVit}; the side is that of the positions by default, and 224 px for DINOv2. */
export interface VitEncoderOptions extends NetworkEncoderOptions {
  /** Heads; one for every 64 features by default, as all the published ones have. */
  readonly heads?: number;
  /** Features of the class token, or the mean of the patches; what the names say by default. */
  readonly pool?: "token" | "mean";
}

/** A vision transformer's features of images, computed with WebGPU. */
export interface VitEncoder extends NetworkEncoder {
  /** Network, in eval mode. */
  readonly network: Vit;
  /** Family whose names the weights had. */
  readonly origin: VitOrigin;
}

const HALF: Normalization = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] };
const { imagenet: IMAGENET } = NORMALIZATION;
const CLIP: Normalization = {
  mean: [0.48145466, 0.4578275, 0.40821073],
  std: [0.26862954, 0.26130258, 0.27577711],
};

/** Each family's own preparation: channels, filter, and the short side by that of the square. */
const PREPARATION: Readonly<Record<VitOrigin, Preparation & { readonly shortSide: number }>> = {
  clip: { channels: CLIP, interpolation: "bicubic", shortSide: 1 },
  dinov2: { channels: IMAGENET, interpolation: "bicubic", shortSide: 256 / 224 },
  timm: { channels: HALF, interpolation: "bicubic", shortSide: 1 / 0.9 },
  torchvision: { channels: IMAGENET, interpolation: "bilinear", shortSide: 256 / 224 },
  huggingface: { channels: HALF, interpolation: "bilinear", shortSide: 1 },
};

/**
 * Loads a vision transformer as an encoder: ViT (timm's, torchvision's and Hugging Face's names), the image encoder of CLIP
 * (OpenAI's and Hugging Face's) or DINOv2 (its own names and Hugging Face's, with or without registers), from safetensors
 * or PyTorch's `.pth`, of which no code is run. Names and shapes tell the network.
 *
 * Features are CLIP's projected embedding, else those of the class token (or the mean of the patches) after the last
 * normalisation. Images are prepared as the family's own programs do: resized by their filter with antialiasing (bicubic,
 * torchvision's bilinear), the middle cut out, normalised by their mean and deviation. What names and shapes do not tell
 * is taken as most have it: QuickGELU for CLIP (OpenAI's), mean and deviation 0.5 for timm's (its DeiT and DINO have
 * ImageNet's: give `mean` and `std`).
 *
 * @param path The file.
 * @param options Choices that the file does not tell.
 * @throws {SyntaxError} If the file is damaged.
 * @throws {TypeError} If it holds no such network, or weights are missing or unexpected.
 * @throws {RangeError} If an option is out of its range, or no name begins with `prefix`.
 *
 * @example Usage
 * ```ts no-assert ignore
 * import { loadImageNet100 } from "@decoupled/uniformity/data";
 * import { loadVit } from "@decoupled/uniformity/encoders";
 * import { makeFeatures } from "@decoupled/uniformity/jobs";
 *
 * using encoder = await loadVit("clip_vit_b_32.safetensors");
 * await makeFeatures(encoder, await loadImageNet100("./data/imagenet100"), "imagenet100_prior.npz"); // [n, 512]
 * ```
 */
export async function loadVit(path: string, options: VitEncoderOptions = {}): Promise<VitEncoder> {
  checkOptions("loadVit()", options, ["mean", "std", "size", "shortSide", "prefix", "device", "heads", "pool"]);
  const file = await readEncoderFile(path, options.prefix);
  const encoder = vitEncoder(file, options);
  if (encoder) return encoder;
  throw new TypeError(
    `Cannot use "${path}" as it must hold the weights of a vision transformer under the names of timm, torchvision, ` +
      `CLIP, DINOv2 or Hugging Face: got ${quotedSome(file.weights.keys())}`,
  );
}

/** The encoder of a vision transformer's weights; null where they are of none. */
export function vitEncoder({ path, bytes, weights }: EncoderFile, options: VitEncoderOptions): VitEncoder | null {
  const found = vitState(weights, { heads: options.heads, pool: options.pool });
  if (!found) return null;
  const { state, layout, numClasses, origin } = found;
  const { size, shortSide } = sizesOf(origin, layout.imageSize!, layout.patchSize!, options);
  const model = new Vit(layout, { numClasses, device: options.device }).eval();
  const network = loadInto(model, state, path, "vision transformer");
  return new LoadedNetwork({
    ...{ network, origin, size, shortSide, preparation: PREPARATION[origin], channels: options },
    note: `${origin} vit ${bytes} bytes, ${network.layout.pool}`,
    // CLIP's embedding goes through its projection.
    features: (vit, images) => origin === "clip" ? vit.forward(images) : vit.pooled(images),
  });
}

function sizesOf(
  origin: VitOrigin,
  own: number,
  patch: number,
  options: VitEncoderOptions,
): { size: number; shortSide: number } {
  const { size = origin === "dinov2" && own > 224 ? 224 : own } = options;
  const { shortSide = Math.floor(size * PREPARATION[origin].shortSide) } = options;
  if (!Number.isInteger(size) || size < patch || size % patch !== 0) {
    throw new RangeError(`Cannot load a Vit as size must be a multiple of its patches' side, ${patch} px: got ${size}`);
  }
  if (!Number.isInteger(shortSide) || shortSide < size) {
    throw new RangeError(
      `Cannot load a Vit as shortSide must be an integer of at least size: got shortSide ${shortSide} and size ${size}`,
    );
  }
  return { size, shortSide };
}
