import { noGrad } from "../autograd/mod.ts";
import { type DecodeSpec, NORMALIZATION, type RgbImage } from "../data/mod.ts";
import type { Device } from "../device/mod.ts";
import { fileSize } from "../formats/internal.ts";
import { type NdArray, ndarray, type PickleValue, readFrom, readTorch, stateDict } from "../formats/mod.ts";
import { type ResNet, resnet18 } from "../nn/mod.ts";
import { tensor, tidy } from "../tensor/mod.ts";
import { imagesAtOnce } from "../data/internal.ts";
import { loadState } from "../weights/mod.ts";
import { gloriaSquare } from "./area.ts";
import { sampleBilinear } from "./bilinear.ts";
import { type ImageEncoder, type Normalization, normalized } from "./image_encoder.ts";
import { checkOptions } from "../tensor/internal.ts";

/** Options of {@linkcode loadGloria}. */
export interface GloriaOptions {
  /**
   * Preprocessing of the images. `"original"` (the default), as the paper's code: squash to 224 px, mean 0.5024,
   * deviation 0.2898. `"gloria"`, as GLoRIA itself: long side to 256 px by area, zeros to a square, middle 224 px, mean
   * and deviation 0.5.
   */
  readonly preprocessing?: "original" | "gloria";
  /** Device; the default one by default. */
  readonly device?: Device;
}

/** GLoRIA's image encoder: 512 features of an X-ray. */
export interface GloriaEncoder extends ImageEncoder, Disposable {
  /** Torchvision's ResNet-18, in eval mode; its `fc` is not used. */
  readonly network: ResNet;
}

const PREFIX = "gloria.img_encoder.model.";
/** Side of the prepared images, and of what the network sees, px. */
const [SIDE, SEEN] = [224, 299];

/**
 * Loads the image encoder of GLoRIA's `chexpert_resnet18.ckpt` (a PyTorch Lightning checkpoint; its configuration and
 * whatever other objects it holds are read as inert records, nothing is executed, and its text encoder is not read).
 *
 * The network is a ResNet-18 in eval mode, after a bilinear upsampling to 299 px with aligned corners and before any
 * embedding, so a feature is the global average of the last map, `[512]`. In the paper's code the network was left in
 * training mode, so that its features depended on the other images of a batch; here they do not.
 *
 * @param path The checkpoint.
 * @param options Preparation of the images, device.
 * @throws {SyntaxError} If the file is damaged.
 * @throws {TypeError} If it is no checkpoint of GLoRIA with a ResNet-18.
 * @throws {RangeError} If `preprocessing` is another one.
 *
 * @example Usage
 * ```ts no-assert ignore
 * import { loadCheXpert } from "@decoupled/uniformity/data";
 * import { loadGloria } from "@decoupled/uniformity/encoders";
 * import { makeFeatures } from "@decoupled/uniformity/jobs";
 *
 * using encoder = await loadGloria("chexpert_resnet18.ckpt");
 * await makeFeatures(encoder, await loadCheXpert("./data/chexpert"), "chexpert_prior.npz"); // [n, 512]
 * ```
 *
 * @see Huang et al., "GLoRIA: A Multimodal Global-Local Representation Learning Framework for Label-efficient Medical
 *   Image Recognition", ICCV 2021.
 */
export async function loadGloria(path: string, options: GloriaOptions = {}): Promise<GloriaEncoder> {
  checkOptions("loadGloria()", options, ["preprocessing", "device"]);
  const { preprocessing = "original", device } = options;
  if (preprocessing !== "original" && preprocessing !== "gloria") {
    throw new RangeError(`Cannot load GLoRIA as preprocessing must be "original" or "gloria": got "${preprocessing}"`);
  }
  const size = await fileSize(path);
  const weights = await readWeights(path);
  const network = resnet18({ numClasses: 1, device }).eval();
  try {
    loadState(network, weights);
  } catch (cause) {
    network.dispose();
    throw new TypeError(`Cannot load GLoRIA from "${path}": ${(cause as Error).message}`, { cause });
  }
  return new Gloria(network, preprocessing, `gloria ${preprocessing}, ${size} bytes`);
}

/** Reads the weights of the ResNet; GLoRIA has no `fc`, so ours is zero. */
async function readWeights(path: string): Promise<Map<string, NdArray>> {
  const checkpoint = await readFrom(
    path,
    (source) => readTorch(source, { stubs: [""], keep: (name) => name.startsWith(`state_dict.${PREFIX}`) }),
  );
  const weights = selected(checkpoint, path);
  for (const name of [...weights.keys()]) if (name.startsWith("fc.")) weights.delete(name);
  weights.set("fc.weight", ndarray([1, 512], "f32", new Float32Array(512)));
  weights.set("fc.bias", ndarray([1], "f32", new Float32Array(1)));
  return weights;
}

function selected(checkpoint: PickleValue, path: string): Map<string, NdArray> {
  try {
    return stateDict(checkpoint, { at: "state_dict", select: PREFIX });
  } catch (cause) {
    if (!(cause instanceof RangeError || cause instanceof TypeError)) throw cause;
    throw new TypeError(
      `Cannot load GLoRIA from "${path}" as its state_dict must have names "${PREFIX}…": it has none`,
      {
        cause,
      },
    );
  }
}

/** Maximum number of images encoded at once. */
const MOST = 256;

class Gloria implements GloriaEncoder {
  readonly network: ResNet;
  readonly id: string;
  readonly decode: DecodeSpec;
  readonly maxBatch: number;
  readonly #own: boolean;
  readonly #normalization: Normalization;

  constructor(network: ResNet, preprocessing: "original" | "gloria", id: string) {
    this.network = network;
    this.id = id;
    this.maxBatch = imagesAtOnce(network.fc.weight.device, (images) => network.pooled(images), SEEN, MOST);
    this.#own = preprocessing === "gloria";
    this.decode = this.#own ? { grayscale: true } : { grayscale: true, resize: { height: SIDE, width: SIDE } };
    this.#normalization = this.#own ? { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] } : NORMALIZATION.chexpert;
  }

  prepare(image: RgbImage): Float32Array<ArrayBuffer> {
    const square = this.#own ? gloriaSquare(image, { side: 256, crop: SIDE }) : image;
    const size = { height: SIDE, width: SIDE };
    const seen = { height: SEEN, width: SEEN };
    return sampleBilinear(normalized(square, this.#normalization), size, seen, { alignCorners: true });
  }

  async encode(images: readonly Float32Array<ArrayBuffer>[]) {
    const size = SEEN * SEEN * 3;
    const data = new Float32Array(images.length * size);
    images.forEach((image, i) => data.set(image, i * size));
    const { device } = this.network.fc.weight;
    using features = noGrad(() =>
      tidy(() => this.network.pooled(tensor(data, { shape: [images.length, SEEN, SEEN, 3], device })))
    );
    return { data: Float32Array.from(await features.data()), dim: features.shape[1]! };
  }

  [Symbol.dispose](): void {
    this.network.dispose();
  }
}
