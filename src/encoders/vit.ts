import { noGrad } from "../autograd/mod.ts";
import { type DecodeSpec, NORMALIZATION, type RgbImage } from "../data/mod.ts";
import { imagesAtOnce } from "../data/internal.ts";
import type { Device } from "../device/mod.ts";
import { fileSize, quotedSome } from "../formats/internal.ts";
import { Vit } from "../nn/mod.ts";
import { type Tensor, tensor, tidy } from "../tensor/mod.ts";
import { withPrefix } from "../train/internal.ts";
import { loadState, readCheckpoint, type VitOrigin, vitState } from "../train/mod.ts";
import { type ImageEncoder, type Normalization, normalized } from "./image_encoder.ts";

/** Options of {@linkcode loadVit}. */
export interface VitEncoderOptions extends Partial<Normalization> {
  /** Heads; one for every 64 features by default, as all the published ones have. */
  readonly heads?: number;
  /** Side of the images, px; that of the positions by default, and 224 for DINOv2. */
  readonly size?: number;
  /** Short side before the middle square is cut out, px; that of the network's own preparation by default. */
  readonly shortSide?: number;
  /** Features of the class token, or the mean of the patches; what the names say by default. */
  readonly pool?: "token" | "mean";
  /** Beginning of the network's names in the file, such as `model.visual_trunk`; looked for by default. */
  readonly prefix?: string;
  /** Device; the default one by default. */
  readonly device?: Device;
}

/** A vision transformer's features of images, computed with WebGPU. */
export interface VitEncoder extends ImageEncoder, Disposable {
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
const PREPARATION: Readonly<
  Record<VitOrigin, { channels: Normalization; interpolation: "bilinear" | "bicubic"; shortSide: number }>
> = {
  clip: { channels: CLIP, interpolation: "bicubic", shortSide: 1 },
  dinov2: { channels: IMAGENET, interpolation: "bicubic", shortSide: 256 / 224 },
  timm: { channels: HALF, interpolation: "bicubic", shortSide: 1 / 0.9 },
  torchvision: { channels: IMAGENET, interpolation: "bilinear", shortSide: 256 / 224 },
  huggingface: { channels: HALF, interpolation: "bilinear", shortSide: 1 },
};

/** Images at once, where the adapter takes them. */
const MOST = 256;

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
  const bytes = await fileSize(path);
  const { weights: all } = await readCheckpoint(path, { foreign: true });
  const weights = options.prefix === undefined ? all : withPrefix(path, all, options.prefix);
  const found = vitState(weights, { heads: options.heads, pool: options.pool });
  if (!found) {
    throw new TypeError(
      `Cannot use "${path}" as it must hold the weights of a vision transformer under the names of timm, torchvision, ` +
        `CLIP, DINOv2 or Hugging Face: got ${quotedSome(weights.keys())}`,
    );
  }
  const { state, layout, numClasses, origin } = found;
  const { size, shortSide } = sizesOf(origin, layout.imageSize!, layout.patchSize!, options);
  const network = new Vit(layout, { numClasses, device: options.device }).eval();
  try {
    loadState(network, state);
  } catch (cause) {
    network.dispose();
    if (!(cause instanceof TypeError)) throw cause;
    throw new TypeError(`Cannot use "${path}" as a vision transformer: ${cause.message}`, { cause });
  }
  return new LoadedVit(network, origin, { size, shortSide, bytes }, options);
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

class LoadedVit implements VitEncoder {
  readonly network: Vit;
  readonly origin: VitOrigin;
  readonly id: string;
  readonly decode: DecodeSpec;
  readonly maxBatch: number;
  readonly #size: number;
  readonly #channels: Normalization;

  constructor(
    network: Vit,
    origin: VitOrigin,
    { size, shortSide, bytes }: { size: number; shortSide: number; bytes: number },
    options: VitEncoderOptions,
  ) {
    const { channels, interpolation } = PREPARATION[origin];
    this.network = network;
    this.origin = origin;
    this.#size = size;
    this.#channels = { mean: options.mean ?? channels.mean, std: options.std ?? channels.std };
    this.decode = { resize: { shortSide }, interpolation, centerCrop: size };
    this.maxBatch = imagesAtOnce(network.fc.weight.device, (images) => this.#features(images), size, MOST);
    const { mean, std } = this.#channels;
    this.id = `${origin} vit ${bytes} bytes, ${network.layout.pool}, ${size} px of ${shortSide}, ${mean}, ${std}`;
  }

  prepare(image: RgbImage): Float32Array<ArrayBuffer> {
    return normalized(image, this.#channels);
  }

  async encode(images: readonly Float32Array<ArrayBuffer>[]) {
    const side = this.#size;
    const data = new Float32Array(images.length * side * side * 3);
    images.forEach((image, i) => data.set(image, i * side * side * 3));
    const { device } = this.network.fc.weight;
    using features = noGrad(() =>
      tidy(() => this.#features(tensor(data, { shape: [images.length, side, side, 3], device })))
    );
    return { data: Float32Array.from(await features.data()), dim: features.shape[1]! };
  }

  /** CLIP's embedding goes through its projection. */
  #features(images: Tensor): Tensor {
    return this.origin === "clip" ? this.network.forward(images) : this.network.pooled(images);
  }

  [Symbol.dispose](): void {
    this.network.dispose();
  }
}
