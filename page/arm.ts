import { arange, type Device, noGrad, scope, squeeze, type Tensor, tensor } from "@decoupled/uniformity";
import { augment, evalTransform, naturalRecipe } from "@decoupled/uniformity/augment";
import { rbf } from "@decoupled/uniformity/kernels";
import { type Contrastive, contrastive, ResNet } from "@decoupled/uniformity/nn";
import { captureCheckpoint, Pretraining, type PretrainReport, restoreCheckpoint } from "@decoupled/uniformity/train";
import { ResidentImages } from "@decoupled/uniformity/views";
import { type EmojiData, wordsOf } from "./emoji.ts";
import { type KernelSettings, SIDE, type Size } from "./types.ts";

const COLOURS = { size: SIDE, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] } as const;
const FEATURES = 64;
/** Images that are encoded at once. */
const CHUNK = 64;

/** One of the two networks, trained a report at a time by the library's own loop. */
export class Arm {
  #device: Device;
  #data: EmojiData;
  #size: Size;
  #model: Contrastive;
  #source: ResidentImages;
  #prior: Tensor | null = null;
  #run!: Pretraining;
  #reports!: AsyncGenerator<PretrainReport>;
  #next = { epoch: 0, step: 0 };

  /** A network at its start; with words where a kernel is given. */
  constructor(device: Device, data: EmojiData, size: Size, kernel: KernelSettings | null) {
    this.#device = device;
    this.#data = data;
    this.#size = size;
    const widths = Array.from({ length: size.stages }, (_, i) => size.width * 2 ** i);
    const layout = { block: "basic", layers: widths.map(() => 1), widths, smallStem: true } as const;
    this.#model = contrastive(new ResNet(layout, { numClasses: FEATURES }), { projection: 32 });
    this.#source = new ResidentImages(device, { data: data.train, height: SIDE, width: SIDE }, naturalRecipe(COLOURS));
    this.#begin(kernel);
  }

  #begin(kernel: KernelSettings | null): void {
    const { batch, epochs } = this.#size;
    this.#prior?.dispose();
    const { dim } = this.#data;
    this.#prior = kernel && tensor(wordsOf(this.#data, kernel.shuffle), { shape: [this.#source.length, dim] });
    this.#run = new Pretraining(this.#model, { source: this.#source, prior: this.#prior ?? undefined }, {
      epochs,
      batchSize: batch,
      lr: 0.3 * batch / 256,
      dropLast: true,
      printEvery: 2,
      start: this.#next,
      ...kernel && { kernel: rbf({ sigma: kernel.sigma }), ridge: kernel.ridge },
    });
    this.#reports = this.#run.reports();
  }

  /** Trains until the next report; null at the end. */
  async step(): Promise<PretrainReport | null> {
    const { value, done } = await this.#reports.next();
    if (done) return null;
    this.#next = value.next;
    return value;
  }

  /** Goes on with other words or another kernel: the weights and the optimizer's state stay. */
  async change(kernel: KernelSettings): Promise<void> {
    const notes = { network: null, position: this.#next, config: {}, optimizerKind: "sgd" };
    const kept = await captureCheckpoint(this.#model, this.#run.optimizer, notes);
    await this.#end();
    this.#begin(kernel);
    restoreCheckpoint(kept, this.#model, this.#run.optimizer);
  }

  /** Features of images `[n, 32, 32, 3]`, row-major, centred and of unit length. */
  async features(pixels: Uint8Array<ArrayBuffer>): Promise<Float32Array<ArrayBuffer>> {
    const bytes = SIDE * SIDE * 3;
    const count = pixels.length / bytes;
    const out = new Float32Array(count * FEATURES);
    this.#model.eval();
    for (let from = 0; from < count; from += CHUNK) {
      const rows = Math.min(CHUNK, count - from);
      const step = scope();
      const part = tensor(pixels.slice(from * bytes, (from + rows) * bytes), { shape: [rows, SIDE, SIDE, 3] });
      const indices = arange(0, rows, { dtype: "u32", device: this.#device });
      const images = squeeze(augment(part, { indices, recipe: evalTransform(COLOURS), views: 1 }), 1);
      out.set(await noGrad(() => this.#model.encoder.forward(images)).data(), from * FEATURES);
      step[Symbol.dispose]();
    }
    this.#model.train();
    return out;
  }

  /** Ends the run, and frees what it holds. */
  async dispose(): Promise<void> {
    await this.#end();
    for (const each of [this.#source, this.#model, this.#prior]) each?.dispose();
  }

  async #end(): Promise<void> {
    await this.#reports.return(undefined);
    this.#run.dispose();
  }
}

/** Numbers in a feature. */
export const WIDTH = FEATURES;
