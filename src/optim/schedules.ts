import { answerNames } from "../checks/internal.ts";
import { checkOptions } from "../tensor/internal.ts";
import { improves } from "./improvement.ts";
import type { Optimizer } from "./optimizer.ts";

/** Sets an optimizer's learning rate by epoch. */
export abstract class Schedule {
  /** The optimizer. */
  readonly optimizer: Optimizer;
  /** Learning rate at the start. */
  readonly baseLr: number;
  #epoch = 0;

  static {
    answerNames(this.prototype, "a schedule", {
      get_last_lr: "optimizer.lr",
      state_dict: "schedule.epoch",
    });
  }

  /** Starts at epoch 0 from the optimizer's learning rate. */
  constructor(optimizer: Optimizer) {
    this.optimizer = optimizer;
    this.baseLr = optimizer.lr;
  }

  /** Epochs done. Setting it sets the learning rate too: a resumed run goes on exactly. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Goes to an epoch. */
  set epoch(epoch: number) {
    this.#epoch = epoch;
    this.optimizer.lr = this.at(epoch);
  }

  /** Ends an epoch. */
  step(): void {
    this.epoch = this.#epoch + 1;
  }

  /** Learning rate in epoch `epoch` (0-based). */
  abstract at(epoch: number): number;
}

/** Settings of {@linkcode CosineAnnealingLR}. */
export interface CosineAnnealingOptions {
  /** Epochs of half a cosine. */
  tMax: number;
  /** Learning rate at its end; 0 by default. */
  etaMin?: number;
  /** Epochs of linear warm-up before it; 0 by default. */
  warmUp?: number;
}

/**
 * Schedule `ηmin + (lr − ηmin)(1 + cos(π·epoch / tMax)) / 2`, in closed form so that it resumes rightly; after a linear
 * warm-up when asked for.
 *
 * @example Usage
 * ```ts
 * import { Device, requireGrad, tensor } from "@decoupled/uniformity";
 * import { CosineAnnealingLR, SGD } from "@decoupled/uniformity/optim";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const optimizer = new SGD([requireGrad(tensor([1]))], { lr: 0.3 });
 * const schedule = new CosineAnnealingLR(optimizer, { tMax: 400, etaMin: 1e-3 });
 * schedule.epoch = 200;
 * assertAlmostEquals(optimizer.lr, 0.1505);
 * ```
 *
 * @see `torch.optim.lr_scheduler.CosineAnnealingLR`; Loshchilov and Hutter, arXiv:1608.03983.
 */
export class CosineAnnealingLR extends Schedule {
  #options: Required<CosineAnnealingOptions>;

  /**
   * Takes the length.
   *
   * @throws {RangeError} If `tMax` is not > 0, `warmUp` not >= 0, or `etaMin` not >= 0 and finite.
   */
  constructor(optimizer: Optimizer, options: CosineAnnealingOptions) {
    checkOptions("make CosineAnnealingLR", options, ["tMax", "etaMin", "warmUp"]);
    super(optimizer);
    const { tMax, etaMin = 0, warmUp = 0 } = options;
    if (!(Math.fround(etaMin) >= 0 && Math.fround(etaMin) < Infinity)) {
      throw new RangeError(`Cannot make CosineAnnealingLR as etaMin must be >= 0 and finite: got ${etaMin}`);
    }
    if (!(tMax > 0) || !(warmUp >= 0)) {
      throw new RangeError(
        `Cannot make CosineAnnealingLR as tMax must be > 0 and warmUp >= 0: got ${tMax} and ${warmUp}`,
      );
    }
    this.#options = { tMax, etaMin, warmUp };
    this.epoch = 0;
  }

  /** Learning rate in an epoch. */
  override at(epoch: number): number {
    const { tMax, etaMin, warmUp } = this.#options;
    if (epoch < warmUp) return this.baseLr * (epoch + 1) / warmUp;
    return etaMin + (this.baseLr - etaMin) * (1 + Math.cos(Math.PI * (epoch - warmUp) / tMax)) / 2;
  }
}

/** Settings of {@linkcode ReduceLROnPlateau}. */
export interface ReduceLROnPlateauOptions {
  /** Factor of the learning rate; 0.1 by default. */
  factor?: number;
  /** Epochs without improvement that are borne; 10 by default. */
  patience?: number;
  /** Relative improvement that counts; 1e-4 by default. */
  threshold?: number;
  /** Smallest learning rate; 0 by default. */
  minLr?: number;
}

/**
 * Lowers the learning rate when a metric stops falling: when more than `patience` epochs in a row were not below
 * `best − threshold · |best|`. The metric may be negative, as decoupled uniformity is; NaN counts as no improvement.
 *
 * @example A loss that is negative
 * ```ts
 * import { Device, requireGrad, tensor } from "@decoupled/uniformity";
 * import { ReduceLROnPlateau, SGD } from "@decoupled/uniformity/optim";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const optimizer = new SGD([requireGrad(tensor([1]))], { lr: 1 });
 * const plateau = new ReduceLROnPlateau(optimizer, { factor: 0.5, patience: 0 });
 * for (const loss of [-1, -1.5, -1.49995]) plateau.step(loss); // the last one is no improvement
 * assertEquals(optimizer.lr, 0.5);
 * ```
 *
 * @see `torch.optim.lr_scheduler.ReduceLROnPlateau`, mode `min`, threshold mode `rel`, eps 1e-8; it takes a loss of
 * −1.49995 for an improvement on −1.5, which is mended here.
 */
export class ReduceLROnPlateau {
  #optimizer: Optimizer;
  #options: Required<ReduceLROnPlateauOptions>;
  #best = Infinity;
  #bad = 0;

  /**
   * Takes the settings.
   *
   * @throws {RangeError} If `factor` is not in (0, 1), `patience` or `minLr` not >= 0, or `threshold` not in [0, 1).
   */
  constructor(optimizer: Optimizer, options: ReduceLROnPlateauOptions = {}) {
    checkOptions("make ReduceLROnPlateau", options, ["factor", "patience", "threshold", "minLr"]);
    const { factor = 0.1, patience = 10, threshold = 1e-4, minLr = 0 } = options;
    if (!(factor > 0 && factor < 1)) {
      throw new RangeError(`Cannot make ReduceLROnPlateau as factor must be in (0, 1): got ${factor}`);
    }
    if (!(patience >= 0) || !(threshold >= 0 && threshold < 1) || !(minLr >= 0)) {
      throw new RangeError(
        "Cannot make ReduceLROnPlateau as patience and minLr must be >= 0 and threshold in [0, 1): " +
          `got ${patience}, ${minLr} and ${threshold}`,
      );
    }
    this.#optimizer = optimizer;
    this.#options = { factor, patience, threshold, minLr };
  }

  /** Ends an epoch with this metric. */
  step(metric: number): void {
    const { factor, patience, threshold, minLr } = this.#options;
    if (improves(metric, this.#best, threshold)) {
      this.#best = metric;
      this.#bad = 0;
    } else this.#bad++;
    if (this.#bad <= patience) return;
    this.#bad = 0;
    const lr = Math.max(this.#optimizer.lr * factor, minLr);
    if (this.#optimizer.lr - lr > 1e-8) this.#optimizer.lr = lr;
  }

  /** Best metric and bad epochs so far, for a checkpoint. */
  get state(): { best: number; bad: number } {
    return { best: this.#best, bad: this.#bad };
  }

  /** Restores a state that was read before. */
  set state(state: { best: number; bad: number }) {
    this.#best = state.best;
    this.#bad = state.bad;
  }
}
