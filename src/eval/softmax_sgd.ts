import { noGrad } from "../autograd/mod.ts";
import { Device } from "../device/mod.ts";
import { add, log, matmul, maximum, mul, reshape, softmax, sub, sum } from "../ops/mod.ts";
import { improves } from "../optim/internal.ts";
import { copyInto, fill, keep, key, shuffled, Tensor, tensor, tidy } from "../tensor/mod.ts";
import type { Features } from "../data/mod.ts";
import type { LinearClassifier } from "./linear_classifier.ts";
import { checkTrainingSet } from "./logistic.ts";
import { checkOptions, checkSetting, checkSizes } from "../tensor/internal.ts";

/** One fit of a grid. */
export interface SgdProblem {
  /** Weight decay, ≥ 0, of weights and biases, as PyTorch's `SGD`. */
  readonly weightDecay: number;
  /** Mask of the rows that are used, `[n]`, 1 or 0; all by default. */
  readonly rows?: Uint8Array;
}

/** A fitted {@linkcode SgdProblem}. */
export interface SgdFit extends LinearClassifier {
  /** Mean cross-entropy of the last epoch, as it went. */
  readonly loss: number;
  /** Epochs done. */
  readonly epochs: number;
}

/** Options of {@linkcode softmaxSgd}. */
export interface SoftmaxSgdOptions {
  /** Number of classes. */
  classes: number;
  /** Maximum number of epochs; 300 by default. */
  epochs?: number;
  /** Rows of a step that a problem uses, on average; 512 by default. */
  batchSize?: number;
  /** Learning rate at the start; 0.1 by default. */
  lr?: number;
  /** Momentum; 0.9 by default. */
  momentum?: number;
  /** Seed of the order; 0 by default. */
  seed?: number;
  /** Device; the default one by default. */
  device?: Device;
  /** Callback after each epoch with the epochs done. */
  onProgress?: (epochs: number) => void;
}

/** State that all problems of a run share, side by side in the columns of one weight matrix. */
interface Run {
  readonly features: Features;
  readonly labels: ArrayLike<number>;
  readonly problems: readonly SgdProblem[];
  readonly classes: number;
  readonly device: Device;
  /** Weights `[dim + 1, problems · classes]`. */
  readonly weights: Tensor;
  readonly velocity: Tensor;
  /** Learning rate of each column; 0 once a problem has ended. */
  readonly lr: Tensor;
  readonly decay: Tensor;
  /** Sum of the losses of each problem in this epoch. */
  readonly losses: Tensor;
  readonly momentum: number;
}

/** Epochs of {@linkcode softmaxSgd} at most, where nothing else is said. */
export const SGD_EPOCHS = 300;

const OPTIONS = ["classes", "epochs", "batchSize", "lr", "momentum", "seed", "device", "onProgress"] as const;

/**
 * Softmax regression by stochastic gradient descent, as the original does it with 20,000 samples or more: learning rate
 * divided by 10 when the training loss has not fallen for 10 epochs, ended when it has been the same (to 1e-4) for 10
 * epochs after the 20th.
 *
 * All problems (the weight decays times the folds) take the same order of rows: a step takes one block of features for
 * all of them, a problem averages over those rows of it that it uses. So a block has `batchSize` rows for a problem
 * that uses them all, and on average for one that uses a part.
 *
 * @param features `[n, dim]`, finite.
 * @param labels Classes `[n]`, integers in [0, classes).
 * @returns A fit for each problem; one that went astray (a learning rate too large for its features) has weights and a
 *   loss of NaN.
 * @throws {TypeError} If there is not one label for each row.
 * @throws {RangeError} If a feature is not finite, a label or a setting out of range.
 */
export async function softmaxSgd(
  features: Features,
  labels: ArrayLike<number>,
  problems: readonly SgdProblem[],
  options: SoftmaxSgdOptions,
): Promise<SgdFit[]> {
  checkOptions("compute softmaxSgd()", options, OPTIONS);
  const { classes, epochs = SGD_EPOCHS, batchSize = 512, lr = 0.1, momentum = 0.9, seed = 0, device = Device.current } =
    options;
  checkTrainingSet("softmaxSgd", features, labels, classes);
  checkSizes("compute softmaxSgd()", { epochs, batchSize });
  checkSettings(problems, { lr, momentum });
  const n = labels.length;
  const counts = problems.map(({ rows }) => rows ? rows.reduce((a, b) => a + b, 0) : n);
  const most = counts.reduce((a, b) => Math.max(a, b), 0);
  const size = Math.min(n, Math.round(batchSize * n / most));
  using state = new RunState(features, labels, problems, { classes, device, momentum });
  const schedules = problems.map(() => new Plateau(lr));
  let done = 0;
  while (done < epochs && schedules.some(({ ended }) => !ended)) {
    state.setLearningRates(schedules.map((schedule) => schedule.ended ? 0 : schedule.lr));
    const order = shuffled(n, key(seed, done));
    for (let from = 0; from < n; from += size) state.step(order.subarray(from, from + size));
    done++;
    const sums = await state.takeLosses();
    schedules.forEach((schedule, p) => schedule.ended || schedule.record(sums[p]! / counts[p]!));
    options.onProgress?.(done);
  }
  return await state.classifiers(schedules);
}

function checkSettings(problems: readonly SgdProblem[], settings: Record<string, number>): void {
  checkSetting("compute softmaxSgd()", "lr", settings.lr!);
  if (!(settings.momentum! >= 0 && settings.momentum! < 1)) {
    throw new RangeError(`Cannot compute softmaxSgd() as momentum must be in [0, 1): got ${settings.momentum}`);
  }
  for (const { weightDecay } of problems) {
    if (weightDecay >= 0 && Math.fround(weightDecay) < Infinity) continue;
    throw new RangeError(`Cannot compute softmaxSgd() as weightDecay must be >= 0: got ${weightDecay}`);
  }
}

/** Learning rate and end of one problem, by its training loss. */
class Plateau {
  lr: number;
  losses: number[] = [];
  ended = false;
  #best = Infinity;
  #bad = 0;

  constructor(lr: number) {
    this.lr = lr;
  }

  record(loss: number): void {
    this.losses.push(loss);
    if (improves(loss, this.#best, 1e-4)) {
      this.#best = loss;
      this.#bad = 0;
    } else if (++this.#bad > 10) {
      this.#bad = 0;
      if (this.lr * 0.9 > 1e-8) this.lr *= 0.1;
    }
    const last = this.losses.slice(-10);
    const mean = last.reduce((a, b) => a + b, 0) / last.length;
    const still = last.every((each) => Math.abs(each - mean) < 1e-4);
    this.ended = (this.losses.length > 20 && still) || !Number.isFinite(loss);
  }
}

/** The tensors of a run. */
class RunState {
  readonly #run: Run;
  readonly #held: Tensor[];

  constructor(
    features: Features,
    labels: ArrayLike<number>,
    problems: readonly SgdProblem[],
    { classes, device, momentum }: { classes: number; device: Device; momentum: number },
  ) {
    const width = problems.length * classes;
    const make = (...shape: number[]) => {
      const zero = keep(new Tensor(device, shape));
      fill(zero, 0);
      return zero;
    };
    const columns = features.dim + 1;
    const [weights, velocity, lr, losses] = [
      make(columns, width),
      make(columns, width),
      make(1, width),
      make(problems.length),
    ];
    const decay = keep(tensor(perColumn(problems.map(({ weightDecay }) => weightDecay), classes), { device }));
    this.#held = [weights, velocity, lr, decay, losses];
    this.#run = { features, labels, problems, classes, device, weights, velocity, lr, decay, losses, momentum };
  }

  setLearningRates(rates: readonly number[]): void {
    this.#run.lr.write(perColumn(rates, this.#run.classes));
  }

  /** One step of all problems on some rows. */
  step(rows: Uint32Array): void {
    const { weights, velocity, lr, decay, losses, momentum, classes, problems, device } = this.#run;
    noGrad(() =>
      tidy(() => {
        const { x, targets, masks } = this.#batch(rows);
        const shape = [rows.length, problems.length, classes];
        const shares = softmax(reshape(matmul(x, weights), shape), 2);
        const wanted = tensor(targets, { shape: [rows.length, 1, classes], device });
        const own = sum(mul(shares, wanted), { dim: 2 });
        // [rows, problems]: used or not, then the same divided by the rows of the step that the problem uses.
        const used = tensor(masks.used, { shape: shape.slice(0, 2), device });
        const scale = tensor(masks.scale, { shape: [rows.length, problems.length, 1], device });
        copyInto(losses, sub(losses, sum(mul(log(maximum(own, 1e-30)), used), { dim: 0 })));
        const residual = reshape(mul(sub(shares, wanted), scale), [rows.length, problems.length * classes]);
        const gradient = add(matmul(x, residual, { transposeA: true }), mul(weights, decay));
        const next = add(mul(velocity, momentum), gradient);
        copyInto(velocity, next);
        copyInto(weights, sub(weights, mul(next, lr)));
      })
    );
    device.flush();
  }

  /** Reads the sums of the losses and sets them to 0. */
  async takeLosses(): Promise<Float32Array> {
    const sums = await this.#run.losses.data() as Float32Array;
    fill(this.#run.losses, 0);
    return sums;
  }

  async classifiers(schedules: readonly Plateau[]): Promise<SgdFit[]> {
    const { weights, classes, features: { dim } } = this.#run;
    const values = await weights.data() as Float32Array;
    const width = schedules.length * classes;
    return schedules.map(({ losses }, p) => {
      const pick = (j: number, c: number) => values[j * width + p * classes + c]!;
      const weight = Float64Array.from(
        { length: dim * classes },
        (_, i) => pick(Math.floor(i / classes), i % classes),
      );
      const bias = Float64Array.from({ length: classes }, (_, c) => pick(dim, c));
      return { weight, bias, dim, classes, loss: losses.at(-1)!, epochs: losses.length };
    });
  }

  [Symbol.dispose](): void {
    for (const each of this.#held) each.dispose();
  }

  #batch(rows: Uint32Array) {
    const { features: { data, dim }, labels, problems, classes, device } = this.#run;
    const values = new Float32Array(rows.length * (dim + 1)).fill(1);
    const targets = new Float32Array(rows.length * classes);
    const used = new Float32Array(rows.length * problems.length);
    rows.forEach((row, i) => {
      values.set(data.subarray(row * dim, (row + 1) * dim), i * (dim + 1));
      targets[i * classes + labels[row]!] = 1;
      problems.forEach((problem, p) => used[i * problems.length + p] = problem.rows?.[row] ?? 1);
    });
    const counts = problems.map((_, p) => used.reduce((a, v, i) => i % problems.length === p ? a + v : a, 0));
    const scale = used.map((v, i) => v / Math.max(1, counts[i % problems.length]!));
    return { x: tensor(values, { shape: [rows.length, dim + 1], device }), targets, masks: { used, scale } };
  }
}

function perColumn(values: readonly number[], classes: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: values.length * classes }, (_, i) => values[Math.floor(i / classes)]!);
}
