import { fileSize } from "../formats/internal.ts";
import type { DecodeSpec, RgbImage } from "../data/mod.ts";
import { sampleBilinear } from "./bilinear.ts";
import { type ImageEncoder, type Normalization, normalized } from "./image_encoder.ts";
import {
  checkGiven,
  featureRows,
  type ImageLayout,
  inputOf,
  loadRuntime,
  outputOf,
  type Session,
  type TensorClass,
  toNchw,
} from "./onnx_session.ts";
import { checkOptions } from "../tensor/internal.ts";

/** Options of {@linkcode openOnnx}. */
export interface OnnxOptions extends Partial<Normalization> {
  /** Side of the images, px; that of the graph's input by default, or 224 where it leaves it open. */
  readonly size?: number;
  /**
   * Resizing of images to `size`. `"crop"` (the default): short side to `size`, antialiased bilinear, then the middle
   * square. `"squash"`: bilinear without antialiasing, whatever the shape, as TensorFlow's `tf.image.resize`.
   */
  readonly resize?: "crop" | "squash";
  /** Short side, with `"crop"`, before the middle `size` px are cut out; `size` by default (256 for many encoders). */
  readonly shortSide?: number;
  /** Order of the input's dimensions; told from its shape by default. */
  readonly layout?: ImageLayout;
  /** Name of the output; not needed when there is only one. */
  readonly output?: string;
}

/** An image encoder in an ONNX graph. */
export interface OnnxEncoder extends ImageEncoder, AsyncDisposable {
  /** Side of the images, px. */
  readonly size: number;
  /** Order of the input's dimensions. */
  readonly layout: ImageLayout;
}

/**
 * Opens an image encoder in the ONNX format (CLIP, DINOv2, BigBiGAN, …) through npm's `onnxruntime-node`, which is loaded
 * here and nowhere else; the graph runs on the CPU.
 *
 * The graph must have one input of images, f32 `[n, size, size, 3]` or `[n, 3, size, size]`. Of an output `[n, dim]` a
 * row is the features; of one `[n, tokens, dim]` it is the first token (the class token of vision transformers).
 *
 * @param path The graph.
 * @param options Preparation of the images (mean and deviation are ImageNet's by default), output.
 * @throws {Deno.errors.NotFound} If the graph, or npm's `onnxruntime-node`, cannot be found.
 * @throws {SyntaxError} If the graph cannot be read.
 * @throws {TypeError} If input or output are not as said above; the message lists what there is.
 * @throws {RangeError} If an option is out of range.
 *
 * @example Usage
 * ```ts no-assert ignore
 * import { loadFolder } from "@decoupled/uniformity/data";
 * import { makeFeatures } from "@decoupled/uniformity/jobs";
 * import { openOnnx } from "@decoupled/uniformity/encoders";
 *
 * await using encoder = await openOnnx("dinov2_small.onnx", { size: 224, shortSide: 256 });
 * await makeFeatures(encoder, await loadFolder("./photos"), "photos_prior.npz");
 * ```
 */
export async function openOnnx(path: string, options: OnnxOptions = {}): Promise<OnnxEncoder> {
  checkOptions("openOnnx()", options, ["mean", "std", "size", "resize", "shortSide", "layout", "output"]);
  checkSizing(options);
  const bytes = await fileSize(path);
  const runtime = await loadRuntime();
  let session: Session;
  try {
    session = await runtime.InferenceSession.create(path);
  } catch (cause) {
    throw new SyntaxError(`Cannot read "${path}" as an ONNX graph: ${(cause as Error).message}`, { cause });
  }
  try {
    const input = inputOf(session, path, options);
    const output = outputOf(session, path, options.output);
    return new Onnx(session, runtime.Tensor, { ...input, output, path }, options, bytes);
  } catch (error) {
    await session.release();
    throw error;
  }
}

/**
 * Opens BigBiGAN's image encoder, exported from TensorFlow Hub to ONNX: input NHWC 256 px in [−1, 1], output
 * `bn_crelu_feat`, 4096 features.
 *
 * @param path The graph.
 * @param options `resize`: `"crop"` (the default here, as the authors' notebook, though bilinear where that is bicubic),
 *   or `"squash"`, as the code of the paper on priors.
 *
 * @example Usage
 * ```ts no-assert ignore
 * import { loadImageNet100 } from "@decoupled/uniformity/data";
 * import { makeFeatures } from "@decoupled/uniformity/jobs";
 * import { openBigBiGan } from "@decoupled/uniformity/encoders";
 *
 * await using encoder = await openBigBiGan("bigbigan.onnx");
 * await makeFeatures(encoder, await loadImageNet100("./data/imagenet100"), "imagenet100_prior.npz"); // [n, 4096]
 * ```
 *
 * @see Donahue and Simonyan, "Large Scale Adversarial Representation Learning", arXiv:1907.02544.
 */
export function openBigBiGan(path: string, options: Pick<OnnxOptions, "resize" | "output"> = {}): Promise<OnnxEncoder> {
  checkOptions("openBigBiGan()", options, ["resize", "output"]);
  const { resize = "crop", output = "bn_crelu_feat" } = options;
  const half = [0.5, 0.5, 0.5] as const; // byte / 127.5 − 1
  return openOnnx(path, { size: 256, layout: "nhwc", mean: half, std: half, resize, output });
}

const IMAGENET: Normalization = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };

function checkSizing({ size, shortSide, resize = "crop", std, mean }: OnnxOptions): void {
  checkGiven("size", size);
  checkGiven("shortSide", shortSide);
  if (resize !== "crop" && resize !== "squash") {
    throw new RangeError(`Cannot open an ONNX encoder as resize must be "crop" or "squash": got "${resize}"`);
  }
  if (shortSide !== undefined && shortSide < (size ?? 1)) {
    throw new RangeError(
      `Cannot open an ONNX encoder as shortSide must be at least size: got shortSide ${shortSide} and size ${size}`,
    );
  }
  if (std?.every((s) => s > 0) === false || mean?.every(Number.isFinite) === false) {
    throw new RangeError(
      `Cannot open an ONNX encoder as mean must be finite and std > 0: got mean ${mean ?? "default"} and std ${
        std ?? "default"
      }`,
    );
  }
}

interface Ends {
  readonly path: string;
  readonly input: string;
  readonly output: string;
  readonly size: number;
  readonly layout: ImageLayout;
  readonly maxBatch?: number;
}

class Onnx implements OnnxEncoder {
  readonly id: string;
  readonly decode: DecodeSpec;
  readonly size: number;
  readonly layout: ImageLayout;
  readonly maxBatch?: number;
  readonly #session: Session;
  readonly #tensor: TensorClass;
  readonly #ends: Ends;
  readonly #squash: boolean;
  readonly #normalization: Normalization;

  constructor(
    session: Session,
    tensor: TensorClass,
    ends: Ends,
    options: OnnxOptions,
    bytes: number,
  ) {
    const { mean = IMAGENET.mean, std = IMAGENET.std, resize = "crop" } = options;
    const shortSide = options.shortSide ?? ends.size;
    this.#session = session;
    this.#tensor = tensor;
    this.#ends = ends;
    this.#squash = resize === "squash";
    this.#normalization = { mean, std };
    this.size = ends.size;
    this.layout = ends.layout;
    this.maxBatch = ends.maxBatch;
    this.decode = this.#squash ? {} : { resize: { shortSide }, centerCrop: ends.size };
    this.id = `onnx ${bytes} bytes, ${ends.output}, ${ends.size} px, ${resize} ${shortSide}, ${mean}, ${std}`;
  }

  prepare(image: RgbImage): Float32Array<ArrayBuffer> {
    const pixels = normalized(image, this.#normalization);
    const size = { height: this.size, width: this.size };
    const square = this.#squash ? sampleBilinear(pixels, image, size, { alignCorners: false }) : pixels;
    return this.layout === "nhwc" ? square : toNchw(square);
  }

  async encode(images: readonly Float32Array<ArrayBuffer>[]) {
    const length = this.size * this.size * 3;
    const data = new Float32Array(images.length * length);
    images.forEach((image, i) => data.set(image, i * length));
    const { size, layout } = this;
    const shape = layout === "nhwc" ? [images.length, size, size, 3] : [images.length, 3, size, size];
    const { path, input, output } = this.#ends;
    const results = await this.#session.run({ [input]: new this.#tensor("float32", data, shape) }, [output]);
    return featureRows(results[output]!, images.length, output, path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session.release();
  }
}
