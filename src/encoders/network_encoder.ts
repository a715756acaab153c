// A network with WebGPU as an encoder of images.
import { noGrad } from "../autograd/mod.ts";
import type { DecodeSpec, RgbImage } from "../data/mod.ts";
import { imagesAtOnce } from "../data/internal.ts";
import type { Device } from "../device/mod.ts";
import { fileSize } from "../formats/internal.ts";
import type { Backbone } from "../nn/mod.ts";
import { type Tensor, tensor, tidy } from "../tensor/mod.ts";
import { withPrefix } from "../weights/internal.ts";
import { readCheckpoint } from "../checkpoints/mod.ts";
import { loadState, type StateDict } from "../weights/mod.ts";
import { type ImageEncoder, type Normalization, normalized } from "./image_encoder.ts";

/** Choices that a file of weights does not tell. */
export interface NetworkEncoderOptions extends Partial<Normalization> {
  /** Side of the images, px; that of the network's own preparation by default. */
  readonly size?: number;
  /** Short side before the middle square is cut out, px; that of the network's own preparation by default. */
  readonly shortSide?: number;
  /** Beginning of the network's names in the file, such as `model.visual_trunk`; looked for by default. */
  readonly prefix?: string;
  /** Device; the default one by default. */
  readonly device?: Device;
}

/** A network's features of images, computed with WebGPU. */
export interface NetworkEncoder extends ImageEncoder, Disposable {
  /** Network, in eval mode. */
  readonly network: Backbone;
  /** Family whose names the weights had. */
  readonly origin: string;
}

/** A family's own preparation of images: channels and filter. */
export interface Preparation {
  readonly channels: Normalization;
  readonly interpolation: "bilinear" | "bicubic";
}

/** A file's weights. */
export interface EncoderFile {
  readonly path: string;
  readonly bytes: number;
  readonly weights: StateDict;
}

/** Reads weights, those behind a prefix where one is given. */
export async function readEncoderFile(path: string, prefix?: string): Promise<EncoderFile> {
  const bytes = await fileSize(path);
  const { weights } = await readCheckpoint(path, { foreign: true });
  return { path, bytes, weights: prefix === undefined ? weights : withPrefix(path, weights, prefix) };
}

/** Puts weights into a network, which is freed where they are of another. */
export function loadInto<N extends Backbone>(network: N, state: StateDict, path: string, what: string): N {
  try {
    loadState(network, state);
    return network;
  } catch (cause) {
    network.dispose();
    if (!(cause instanceof TypeError)) throw cause;
    throw new TypeError(`Cannot use "${path}" as a ${what}: ${cause.message}`, { cause });
  }
}

/** Maximum number of images encoded at once. */
const MOST = 256;

/** Parts of an encoder. */
export interface NetworkEncoderParts<N extends Backbone, Origin extends string> {
  readonly network: N;
  readonly origin: Origin;
  /** Beginning of the encoder's `id`: what tells its features from another's beside size and channels. */
  readonly note: string;
  readonly size: number;
  readonly shortSide: number;
  readonly preparation: Preparation;
  readonly channels: Partial<Normalization>;
  features(network: N, images: Tensor): Tensor;
}

/** A network of a family as an encoder. */
export class LoadedNetwork<N extends Backbone, Origin extends string> implements ImageEncoder, Disposable {
  readonly network: N;
  readonly origin: Origin;
  readonly id: string;
  readonly decode: DecodeSpec;
  readonly maxBatch: number;
  readonly #size: number;
  readonly #channels: Normalization;
  readonly #features: (images: Tensor) => Tensor;

  constructor(parts: NetworkEncoderParts<N, Origin>) {
    const { network, origin, note, size, shortSide, preparation, channels } = parts;
    this.network = network;
    this.origin = origin;
    this.#size = size;
    this.#features = (images) => parts.features(network, images);
    const { mean = preparation.channels.mean, std = preparation.channels.std } = channels;
    this.#channels = { mean, std };
    this.decode = { resize: { shortSide }, interpolation: preparation.interpolation, centerCrop: size };
    this.maxBatch = imagesAtOnce(network.fc.weight.device, this.#features, size, MOST);
    this.id = `${note}, ${size} px of ${shortSide}, ${mean}, ${std}`;
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

  [Symbol.dispose](): void {
    this.network.dispose();
  }
}
