import type { Device } from "../device/mod.ts";
import type { Exchange } from "../distributed/mod.ts";
import { isRecomputing } from "../autograd/internal.ts";
import { addNorms, addsNormalized, batchNormOf, isRemade, type TrainingNorm } from "../ops/internal.ts";
import type { Conv2d, Convolved } from "./conv2d.ts";
import { keep, ones, type Tensor, zeros } from "../tensor/mod.ts";
import { checkOptions, checkSetting, checkSizes } from "../tensor/internal.ts";
import { jointBatchNorm } from "./_joint_batch_norm.ts";
import { syncBatchNormOp } from "./_sync_batch_norm_op.ts";
import { Module } from "./module.ts";
import { Counter, Parameter } from "./parameter.ts";

/** Settings of a {@linkcode BatchNorm2d}. */
export interface BatchNorm2dOptions {
  /** Channels. */
  numFeatures: number;
  /** Term added to the variance; 1e-5 by default. */
  eps?: number;
  /** Weight of the newest batch in the running statistics; 0.1 by default. */
  momentum?: number;
  /** Device; the default one by default. */
  device?: Device;
}

/** Ops that can be fused into a {@linkcode BatchNorm2d}. */
export interface BatchNormFusion {
  /** Tensor added to the normalised values, same shape as x. */
  residual?: Tensor;
  /** Apply ReLU at the end. */
  relu?: boolean;
  /** Moments of x per channel that the convolution left on its way, `[slices, 3, numFeatures]`; used in training. */
  moments?: Tensor | null;
}

/**
 * Batch normalisation over all axes but the last, as PyTorch's `nn.BatchNorm2d`.
 *
 * @example Usage
 * ```ts
 * import { Device, key, mean, normal } from "@decoupled/uniformity";
 * import { BatchNorm2d } from "@decoupled/uniformity/nn";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const layer = new BatchNorm2d({ numFeatures: 4 });
 * const y = layer.forward(normal([8, 2, 2, 4], { key: key(0), mean: 3 }));
 * assertAlmostEquals(await mean(y).item(), 0, 1e-5);
 * layer.eval(); // from here on by the running statistics
 * ```
 */
export class BatchNorm2d extends Module {
  /** Scale, `[numFeatures]`, ones at first. */
  readonly weight: Parameter;
  /** Shift, `[numFeatures]`, zeros at first. */
  readonly bias: Parameter;
  /** Running mean, `[numFeatures]`. */
  readonly runningMean: Tensor;
  /** Running variance (unbiased), `[numFeatures]`. */
  readonly runningVar: Tensor;
  /** Batches seen in training. */
  readonly numBatchesTracked: Counter = new Counter();
  #eps: number;
  #momentum: number;
  #exchange: Exchange | null = null;
  #tracks = true;

  /**
   * Makes scale, shift and running statistics.
   *
   * @throws {RangeError} If `eps` is not > 0 as an f32, or `momentum` not in [0, 1].
   */
  constructor(options: BatchNorm2dOptions) {
    super();
    checkOptions("make BatchNorm2d", options, ["numFeatures", "eps", "momentum", "device"]);
    const { numFeatures, eps = 1e-5, momentum = 0.1, device } = options;
    checkSizes("make BatchNorm2d", { numFeatures });
    checkSetting("make BatchNorm2d", "eps", eps);
    if (!(momentum >= 0 && momentum <= 1)) {
      throw new RangeError(`Cannot make BatchNorm2d as momentum must be in [0, 1]: got ${momentum}`);
    }
    this.weight = new Parameter(ones([numFeatures], { device }));
    this.bias = new Parameter(zeros([numFeatures], { device }));
    this.runningMean = keep(zeros([numFeatures], { device }));
    this.runningVar = keep(ones([numFeatures], { device }));
    this.#eps = eps;
    this.#momentum = momentum;
  }

  /** Term added to the variance. */
  get eps(): number {
    return this.#eps;
  }

  /** Takes the statistics of training over the batches of all ranks; with null, over the batch of this one. */
  synchronize(exchange: Exchange | null): void {
    this.#exchange = exchange;
  }

  /** Whether training moves the running statistics and counts; see {@linkcode withoutTracking}. */
  get tracks(): boolean {
    return this.#tracks;
  }

  /** Lets training move the running statistics and counts, or leave them. */
  track(mode: boolean): void {
    this.#tracks = mode;
  }

  /** Normalises `[…, numFeatures]`; then adds a residual and applies ReLU where asked. */
  override forward(x: Tensor, fusion: BatchNormFusion = {}): Tensor<"f32"> {
    const training = this.#begin(x);
    if (training && this.#exchange) return this.#together(x, fusion, this.#exchange);
    const { moments, ...fused } = fusion;
    const options = {
      weight: this.weight,
      bias: this.bias,
      runningMean: this.runningMean,
      runningVar: this.runningVar,
      training,
      eps: this.#eps,
      momentum: this.#running.momentum,
      ...fused,
    };
    return batchNormOf(x, options, moments);
  }

  /**
   * Normalises a batch `[…, numFeatures]` that comes in parts by the statistics of all of them while training; the running
   * ones move once. Then adds residuals and applies ReLU where asked.
   */
  override forwardParts(
    parts: readonly Tensor[],
    fusion: { residuals?: readonly Tensor[]; relu?: boolean; moments?: readonly (Tensor | null)[] } = {},
  ): Tensor<"f32">[] {
    const { residuals = null, relu = false, moments = parts.map(() => null) } = fusion;
    if (parts.length < 2 || !this.training) {
      return parts.map((x, i) => this.forward(x, { residual: residuals?.[i], relu, moments: moments[i] }));
    }
    this.#begin(parts[0]!);
    parts.forEach((x, i) => this.#check(x, residuals?.[i]));
    const { weight, bias } = this;
    const options = { affine: { weight, bias }, running: this.#running, eps: this.#eps, relu, residuals, moments };
    return jointBatchNorm(parts, { ...options, exchange: this.#exchange });
  }

  /**
   * Computes `conv.forwardWithMoments()` of `relu(forward(y))` in training, by a convolution that normalises what it reads;
   * null, and nothing is done, where the adapter or the shape does not suit, ranks share statistics, or a hook wants what
   * lies between.
   *
   * @internal
   */
  forwardInto(conv: Conv2d, { y, moments }: Convolved): Convolved | null {
    const plain = this.training && !this.#exchange && !this.hasForwardHooks && !conv.hasForwardHooks;
    return plain && conv.readsNormalized(y) ? conv.forwardNormalized(y, this.#norm(y, moments)) : null;
  }

  /**
   * Computes `relu(forward(y) + other.forward(otherY))` in training, both normalised as they are added; null, and nothing is
   * done, as by {@linkcode BatchNorm2d.forwardInto}.
   *
   * @internal
   */
  forwardAdded(
    { y, moments }: Convolved,
    other: BatchNorm2d,
    { y: otherY, moments: others }: Convolved,
  ): Tensor<"f32"> | null {
    const plain = [this, other].every((norm) => norm.training && !norm.#exchange && !norm.hasForwardHooks);
    return plain && addsNormalized(y, otherY)
      ? addNorms(y, this.#norm(y, moments), otherY, other.#norm(otherY, others))
      : null;
  }

  /** Normalisation of y in training, which is counted. */
  #norm(y: Tensor, moments: Tensor | null): TrainingNorm {
    this.#begin(y);
    const { weight, bias } = this;
    return { weight, bias, running: this.#running, eps: this.#eps, moments };
  }

  /** Channels, and what differs from the defaults. */
  override extraRepr(): string {
    const eps = this.#eps === 1e-5 ? "" : `, eps=${this.#eps}`;
    return `${this.weight.size}${eps}${this.#momentum === 0.1 ? "" : `, momentum=${this.#momentum}`}`;
  }

  /** True: the parts of a batch share statistics. */
  override get joinsParts(): boolean {
    return true;
  }

  /** Tells whether the layer trains, and counts the batch then. */
  #begin(x: Tensor): boolean {
    const { recordings } = x.device;
    const mode = recordings.depend(() => this.training ? this.#tracks ? "tracks" : "trains" : "evaluates", this);
    if (mode === "tracks" && !isRecomputing()) recordings.repeat(() => this.numBatchesTracked.value++);
    return mode !== "evaluates";
  }

  get #running() {
    const moves = this.#tracks && !isRecomputing();
    return { mean: this.runningMean, variance: this.runningVar, momentum: moves ? this.#momentum : 0 };
  }

  #together(x: Tensor, { residual, relu = false, moments }: BatchNormFusion, exchange: Exchange): Tensor<"f32"> {
    this.#check(x, residual);
    const { weight, bias } = this;
    const running = this.#running;
    const inputs = residual ? [x, weight, bias, residual] : [x, weight, bias];
    const remake = isRemade(x, residual);
    return syncBatchNormOp(inputs, { exchange, running, eps: this.#eps, relu, moments: moments ?? undefined, remake });
  }

  #check(x: Tensor, residual?: Tensor): void {
    const { weight } = this;
    if (x.rank < 2 || x.shape.at(-1) !== weight.size || (residual && `${residual.shape}` !== `${x.shape}`)) {
      throw new TypeError(
        `Cannot compute syncBatchNorm() as x must be [..., ${weight.size}] and a residual like it: got x [${x.shape}]` +
          (residual ? ` and residual [${residual.shape}]` : ""),
      );
    }
  }
}
