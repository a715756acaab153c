import { Device } from "../../device/mod.ts";
import type { Features } from "../retrieval.ts";
import { DeviceDesign, type Products } from "./design.ts";
import { HostDesign } from "./host_design.ts";
import { lbfgs, type LbfgsReply, type LbfgsRequest, type Minimum } from "./lbfgs.ts";

/** One fit of a grid. */
export interface LogisticProblem {
  /** Inverse weight of the penalty, > 0, as scikit-learn's `C`. */
  readonly C: number;
  /** Which rows are used, `[n]`, 1 or 0; all by default. */
  readonly rows?: Uint8Array;
}

/** A classifier: `scores = x · weight + bias`. */
export interface LinearClassifier {
  /** `[dim, classes]`, row-major. */
  readonly weight: Float64Array<ArrayBuffer>;
  /** `[classes]`; −∞ for a class without training samples. */
  readonly bias: Float64Array<ArrayBuffer>;
  /** Features. */
  readonly dim: number;
  /** Number of classes. */
  readonly classes: number;
}

/** A fitted {@linkcode LogisticProblem}. */
export interface LogisticFit extends LinearClassifier {
  /** `C · Σ cross-entropy + |weight|² / 2` at the end. */
  readonly objective: number;
  /** Steps. */
  readonly iterations: number;
  /** Whether the objective is known to be within the tolerance of its minimum. */
  readonly converged: boolean;
}

/** Options of {@linkcode logisticRegression}. */
export interface LogisticOptions {
  /** Number of classes. */
  classes: number;
  /** Distance of the objective to its minimum, as a share; 1e-9 by default, 1e-7 for products on the device. */
  tolerance?: number;
  /** Largest number of steps; 2000 by default. */
  maxIterations?: number;
  /** Device; the default one by default. */
  device?: Device;
  /** Called after each round with the problems that are solved. */
  onProgress?: (solved: number) => void;
}

/** Values of all weights that are fitted at once, so that host memory stays bounded. */
const MOST_WEIGHTS = 4_000_000;
/** Features times classes up to which products take less time on the host than waiting for the device. */
const MOST_ON_HOST = 1_500_000;
/** Logits of one product. */
const MOST_LOGITS = 30_000_000;

/**
 * Multinomial logistic regression with an L2 penalty: minimises `C · Σᵢ cross-entropy(xᵢ W + b, yᵢ) + |W|² / 2`, the bias
 * without penalty: scikit-learn's objective with `multi_class="multinomial"`.
 *
 * Problems with the same C (the folds) are solved in step: each has an L-BFGS of its own in float64 on the host, and one
 * pair of matrix products on the device evaluates them all; a larger C starts from the minimum of the next smaller one.
 * The inverse of `s XᵀX + I`, factored on the device, with s following the curvature, is the preconditioner. Products on
 * the device are f32, so the objective is within a few 1e-7 of its minimum, as a share; small problems stay on the host,
 * in float64.
 *
 * @param features `[n, dim]`, finite.
 * @param labels Classes `[n]`, integers in [0, classes).
 * @throws {TypeError} If there is not one label for each row.
 * @throws {RangeError} If a feature is not finite, a label out of range, C not > 0, or fewer than two classes are in the
 *   rows of a problem.
 *
 * @example Usage
 * ```ts
 * import { Device } from "@decoupled/uniformity";
 * import { linearScores, logisticRegression } from "@decoupled/uniformity/train";
 * import { assert } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const features = { data: Float32Array.of(0, 1, 2, 3), dim: 1 };
 * const [fit] = await logisticRegression(features, [0, 0, 1, 1], [{ C: 10 }], { classes: 2 });
 * const scores = linearScores(fit!, features);
 * assert(scores[0]! > scores[1]! && scores[6]! < scores[7]!);
 * ```
 *
 * @see `sklearn.linear_model.LogisticRegression`; Böhning, "Multinomial logistic regression algorithm" (1992), for the
 *   bound.
 */
export async function logisticRegression(
  features: Features,
  labels: ArrayLike<number>,
  problems: readonly LogisticProblem[],
  options: LogisticOptions,
): Promise<LogisticFit[]> {
  const { classes, device = Device.current } = options;
  checkTrainingSet("logisticRegression", features, labels, classes);
  const present = problems.map(({ C, rows }) => {
    if (!(C > 0 && Number.isFinite(C))) {
      throw new RangeError(`Cannot compute logisticRegression() as C must be > 0: got ${C}`);
    }
    return presentClasses(labels, classes, rows);
  });
  using design: Products = features.data.length * classes <= MOST_ON_HOST
    ? new HostDesign(features)
    : new DeviceDesign(features, device);
  const weights = design.columns * classes;
  const most = Math.max(1, Math.min(MOST_WEIGHTS / weights, MOST_LOGITS / (labels.length * classes)));
  const fits = new Array<LogisticFit>(problems.length);
  const before = new Map<Uint8Array | undefined, Float64Array>(); // the minimum for the next smaller C, by rows
  const order = Array.from(problems.keys()).sort((a, b) => problems[a]!.C - problems[b]!.C);
  let solved = 0;
  for (const same of Map.groupBy(order, (i) => problems[i]!.C).values()) {
    for (let from = 0; from < same.length; from += Math.floor(most)) {
      const part = same.slice(from, from + Math.floor(most));
      const tasks = part.map((i): Task => ({
        ...problems[i]!,
        present: present[i]!,
        start: before.get(problems[i]!.rows) ?? new Float64Array(weights),
      }));
      const minima = await solve(design, labels, tasks, options, solved);
      solved += minima.length;
      minima.forEach((minimum, t) => {
        fits[part[t]!] = fitOf(minimum, design, classes, tasks[t]!.present);
        before.set(tasks[t]!.rows, minimum.point);
      });
    }
  }
  return fits;
}

/**
 * Scores of a linear classifier, in float64.
 *
 * @returns `[n, classes]`, row-major.
 * @throws {TypeError} If the widths differ.
 */
export function linearScores(
  { weight, bias, dim, classes }: LinearClassifier,
  features: Features,
): Float64Array<ArrayBuffer> {
  if (features.dim !== dim) {
    throw new TypeError(`Cannot classify as the features must be ${dim} wide: got ${features.dim}`);
  }
  const { data } = features;
  const scores = new Float64Array(data.length / dim * classes);
  for (let i = 0; i * dim < data.length; i++) {
    const row = scores.subarray(i * classes, (i + 1) * classes);
    row.set(bias);
    for (let j = 0; j < dim; j++) {
      const x = data[i * dim + j]!;
      for (let c = 0; c < classes; c++) row[c]! += x * weight[j * classes + c]!;
    }
  }
  return scores;
}

/**
 * Checks what a classifier is fitted to.
 *
 * @throws {TypeError} If there is not one label for each row.
 * @throws {RangeError} If a feature is not finite or a label is out of range.
 */
export function checkTrainingSet(op: string, features: Features, labels: ArrayLike<number>, classes: number): void {
  const { data, dim } = features;
  if (data.length !== labels.length * dim || labels.length === 0) {
    throw new TypeError(
      `Cannot compute ${op}() as there must be a label for each row: got features [${
        data.length / dim
      }, ${dim}] and labels [${labels.length}]`,
    );
  }
  for (let i = 0; i < data.length; i++) {
    if (Number.isFinite(data[i])) continue;
    throw new RangeError(
      `Cannot compute ${op}() as every feature must be finite: got ${data[i]} in row ${Math.floor(i / dim)}`,
    );
  }
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i]!;
    if (Number.isInteger(label) && label >= 0 && label < classes) continue;
    throw new RangeError(
      `Cannot compute ${op}() as every label must be an integer in [0, ${classes}): got ${label} at ${i}`,
    );
  }
}

/** Which classes are in the rows. */
function presentClasses(labels: ArrayLike<number>, classes: number, rows?: Uint8Array): Uint8Array {
  const present = new Uint8Array(classes);
  for (let i = 0; i < labels.length; i++) if (!rows || rows[i]) present[labels[i]!] = 1;
  const count = present.reduce((sum, each) => sum + each, 0);
  if (count >= 2) return present;
  throw new RangeError(
    `Cannot compute logisticRegression() as the rows must have at least two classes: got ${count} of ${classes}`,
  );
}

type Task = LogisticProblem & { readonly present: Uint8Array; readonly start: Float64Array };

interface Run {
  readonly task: Task;
  readonly steps: Generator<LbfgsRequest, Minimum, LbfgsReply>;
  request: LbfgsRequest | null;
  /** About the weight of a row in the Hessian, at the last point. */
  curvature: number;
  minimum: Minimum | null;
}

/** Runs the minimisers in step: in each round, all that ask for the same thing are answered by one product. */
async function solve(
  design: Products,
  labels: ArrayLike<number>,
  tasks: readonly Task[],
  options: LogisticOptions,
  before: number,
): Promise<Minimum[]> {
  const { classes, tolerance = design.noise < 1e-9 ? 1e-9 : 1e-7, maxIterations = 2000, onProgress } = options;
  const runs = tasks.map((task): Run => {
    const steps = lbfgs(task.start, { tolerance, maxIterations, noise: design.noise });
    return { task, steps, request: steps.next().value as LbfgsRequest, curvature: 1 / classes, minimum: null };
  });
  for (;;) {
    const asking = runs.filter(({ request }) => request !== null);
    if (asking.length === 0) return runs.map(({ minimum }) => minimum!);
    const evaluated = asking.filter(({ request }) => request!.kind === "evaluate");
    const directed = asking.filter(({ request }) => request!.kind === "precondition");
    if (evaluated.length > 0) await evaluate(design, labels, evaluated, classes);
    for (const [scale, group] of Map.groupBy(directed, scaleOf)) await precondition(design, group, classes, scale);
    onProgress?.(before + runs.filter(({ minimum }) => minimum).length);
  }
}

function answer(run: Run, reply: LbfgsReply): void {
  const { value, done } = run.steps.next(reply);
  run.request = done ? null : value;
  if (done) run.minimum = value;
}

/** Weight of XᵀX in the Hessian, in powers of 4 so that few inverses are made. */
function scaleOf({ task: { C }, curvature }: Run): number {
  return 4 ** Math.round(Math.log2(C * Math.max(curvature, 1e-12)) / 2);
}

async function precondition(
  design: Products,
  runs: readonly Run[],
  classes: number,
  scale: number,
): Promise<void> {
  const { columns } = design;
  const width = runs.length * classes;
  const stacked = stack(runs, columns, classes);
  const product = await design.precondition(stacked, width, scale);
  runs.forEach((run, p) => {
    const vector = new Float64Array(columns * classes);
    for (let j = 0; j < columns; j++) {
      for (let c = 0; c < classes; c++) vector[j * classes + c] = product[j * width + p * classes + c]!;
    }
    answer(run, { value: 0, vector });
  });
}

async function evaluate(
  design: Products,
  labels: ArrayLike<number>,
  runs: readonly Run[],
  classes: number,
): Promise<void> {
  const width = runs.length * classes;
  const { rows, columns } = design;
  const values = await design.times(stack(runs, columns, classes), width); // logits, then residuals
  const losses = runs.map((run, p) => {
    const { task } = run;
    let loss = 0;
    for (let i = 0; i < rows; i++) {
      loss += residual(values, i * width + p * classes, labels[i]!, task, !task.rows || task.rows[i] === 1);
    }
    run.curvature = meanCurvature(values, labels, { at: p * classes, width, classes });
    return loss;
  });
  const pulled = await design.transposedTimes(values, width);
  runs.forEach((run, p) => {
    const { C } = run.task;
    const point = run.request!.vector;
    const vector = new Float64Array(point.length);
    let square = 0;
    for (let j = 0; j < columns; j++) {
      for (let c = 0; c < classes; c++) {
        const at = j * classes + c;
        const penalty = j < columns - 1 ? point[at]! : 0;
        square += penalty * penalty;
        vector[at] = C * pulled[j * width + p * classes + c]! + penalty;
      }
    }
    answer(run, { value: C * losses[p]! + square / 2, vector });
  });
}

/** Mean of `1 − p` of the right class, spread over the other classes: 1/k at the start, small once classes are told apart. */
function meanCurvature(
  residuals: Float64Array,
  labels: ArrayLike<number>,
  { at, width, classes }: { at: number; width: number; classes: number },
): number {
  let sum = 0;
  for (let i = 0; i < labels.length; i++) sum -= residuals[i * width + at + labels[i]!]!;
  return sum / labels.length / Math.max(1, classes - 1);
}

/** Points of all problems side by side, `[columns, problems * classes]`. */
function stack(runs: readonly Run[], columns: number, classes: number): Float64Array {
  const width = runs.length * classes;
  const stacked = new Float64Array(columns * width);
  runs.forEach(({ request }, p) => {
    for (let j = 0; j < columns; j++) {
      for (let c = 0; c < classes; c++) stacked[j * width + p * classes + c] = request!.vector[j * classes + c]!;
    }
  });
  return stacked;
}

/** Turns the logits of a row into `softmax − one-hot` and returns the cross-entropy, exact even where it is tiny. */
function residual(z: Float64Array, at: number, label: number, { present }: Task, used: boolean): number {
  const classes = present.length;
  if (!used) {
    z.fill(0, at, at + classes);
    return 0;
  }
  let top = -Infinity;
  for (let c = 0; c < classes; c++) if (present[c] && z[at + c]! > top) top = z[at + c]!;
  const own = z[at + label]!;
  let others = 0;
  for (let c = 0; c < classes; c++) if (present[c] && c !== label) others += Math.exp(z[at + c]! - top);
  const ownShare = Math.exp(own - top);
  const total = others + ownShare;
  for (let c = 0; c < classes; c++) z[at + c] = present[c] ? Math.exp(z[at + c]! - top) / total : 0;
  z[at + label] = -others / total;
  return ownShare > others ? Math.log1p(others / ownShare) : top - own + Math.log(total);
}

function fitOf(minimum: Minimum, design: Products, classes: number, present: Uint8Array): LogisticFit {
  const { point, value: objective, iterations, converged } = minimum;
  const dim = design.columns - 1;
  const weight = new Float64Array(point.subarray(0, dim * classes));
  const bias = Float64Array.from({ length: classes }, (_, c) => {
    if (!present[c]) return -Infinity;
    let value = point[dim * classes + c]!;
    for (let j = 0; j < dim; j++) value -= weight[j * classes + c]! * design.mean[j]!;
    return value;
  });
  return { weight, bias, dim, classes, objective, iterations, converged };
}
