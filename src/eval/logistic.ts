import { checkClasses, checkClassLabels } from "./class_labels.ts";
import { Device } from "../device/mod.ts";
import { checkFinite, checkRows } from "./check_finite.ts";
import type { Features } from "../data/mod.ts";
import type { Rows } from "./retrieval.ts";
import { DeviceDesign, type Products } from "./design.ts";
import { HostDesign } from "./host_design.ts";
import type { Minimum } from "./lbfgs.ts";
import type { LinearClassifier } from "./linear_classifier.ts";
import { type LogisticOptions, type LogisticProblem, type LogisticTask, solve } from "./logistic_solver.ts";
import { rowSpan } from "./row_span.ts";
import { checkOptions } from "../tensor/internal.ts";

/** A fitted {@linkcode LogisticProblem}. */
export interface LogisticFit extends LinearClassifier {
  /** Objective at the end: `C · Σ cross-entropy + |weight|² / 2`. */
  readonly objective: number;
  /** Steps. */
  readonly iterations: number;
  /** Whether the objective is known to be within the tolerance of its minimum. */
  readonly converged: boolean;
}

/** Values of all weights that are fitted at once, so that host memory stays bounded. */
const MOST_WEIGHTS = 4_000_000;
/** Features times classes up to which products take less time on the host than waiting for the device. */
const MOST_ON_HOST = 1_500_000;
/** Logits of one product. */
const MOST_LOGITS = 30_000_000;

const OPTIONS = ["classes", "tolerance", "maxIterations", "device", "onProgress"] as const;

/**
 * Multinomial logistic regression with an L2 penalty: minimises `C · Σᵢ cross-entropy(xᵢ W + b, yᵢ) + |W|² / 2`, the
 * bias without penalty: scikit-learn's objective with `multi_class="multinomial"`.
 *
 * Problems with the same C (the folds) are solved in step: each has an L-BFGS of its own in float64 on the host, and
 * one pair of matrix products on the device evaluates them all; a larger C starts from the minimum of the next smaller
 * one. The inverse of `s XᵀX + I`, factored on the device, with s following the curvature, is the preconditioner.
 * Products on the device are f32, so the objective is within a few 1e-7 of its minimum, as a share; small problems stay
 * on the host, in float64. With at most a quarter as many rows as features, the weights are sought in the space that
 * the rows span, where they are: the same minimum in `n` instead of `dim` coordinates.
 *
 * Differs from the original: its `saga` of scikit-learn stops after 150 passes, which on features that are not
 * standardised is far from the minimum, the more so the larger C is; what it scores is then a weaker penalty's
 * classifier in name only. Here every fit ends at the minimum (`converged`), so that C means what it says.
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
 * import { linearScores, logisticRegression } from "@decoupled/uniformity/eval";
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
  checkOptions("compute logisticRegression()", options, OPTIONS);
  const { classes, device = Device.current } = options;
  checkTrainingSet("logisticRegression", features, labels, classes);
  problems.forEach(checkPenalty);
  const present = problems.map(({ rows }) => presentClasses(labels, classes, rows));
  const span = 4 * features.data.length <= features.dim ** 2 ? rowSpan(features) : null;
  using design = designOf(span?.features ?? features, classes, device);
  const weights = design.columns * classes;
  const most = Math.max(1, Math.min(MOST_WEIGHTS / weights, MOST_LOGITS / (labels.length * classes)));
  const fits = new Array<LogisticFit>(problems.length);
  const before = new Map<Uint8Array | undefined, Float64Array>(); // the minimum for the next smaller C, by rows
  const order = Array.from(problems.keys()).sort((a, b) => problems[a]!.C - problems[b]!.C);
  let solved = 0;
  for (const same of Map.groupBy(order, (i) => problems[i]!.C).values()) {
    for (let from = 0; from < same.length; from += Math.floor(most)) {
      const part = same.slice(from, from + Math.floor(most));
      const tasks = part.map((i): LogisticTask => ({
        ...problems[i]!,
        present: present[i]!,
        start: before.get(problems[i]!.rows) ?? new Float64Array(weights),
      }));
      const minima = await solve(design, labels, tasks, options, solved);
      solved += minima.length;
      minima.forEach((minimum, t) => {
        const fit = fitOf(minimum, design, classes, tasks[t]!.present);
        fits[part[t]!] = span ? span.lift(fit) : fit;
        before.set(tasks[t]!.rows, minimum.point);
      });
    }
  }
  return fits;
}

function checkPenalty({ C }: LogisticProblem): void {
  if (C > 0 && Number.isFinite(C)) return;
  throw new RangeError(`Cannot compute logisticRegression() as C must be > 0: got ${C}`);
}

function designOf(rows: Rows, classes: number, device: Device): Products {
  return rows.data.length * classes <= MOST_ON_HOST ? new HostDesign(rows) : new DeviceDesign(rows, device);
}

/**
 * Scores of a linear classifier, in float64.
 *
 * @returns `[n, classes]`, row-major.
 * @throws {TypeError} If the widths differ, or the classifier has more or fewer values.
 */
export function linearScores(
  { weight, bias, dim, classes }: LinearClassifier,
  features: Features,
): Float64Array<ArrayBuffer> {
  if (features.dim !== dim) {
    throw new TypeError(`Cannot classify as the features must be ${dim} wide: got ${features.dim}`);
  }
  checkRows("classify", features);
  if (weight.length !== dim * classes || bias.length !== classes) {
    throw new TypeError(
      `Cannot classify as the weight must be [${dim}, ${classes}] and the bias [${classes}]: got ${weight.length} and ` +
        `${bias.length} values`,
    );
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
  checkFinite(`compute ${op}()`, features);
  checkClasses(`compute ${op}()`, classes);
  checkClassLabels(op, labels, classes);
}

/** Finds the classes that are in the rows. */
function presentClasses(labels: ArrayLike<number>, classes: number, rows?: Uint8Array): Uint8Array {
  const present = new Uint8Array(classes);
  for (let i = 0; i < labels.length; i++) if (!rows || rows[i]) present[labels[i]!] = 1;
  const count = present.reduce((sum, each) => sum + each, 0);
  if (count >= 2) return present;
  throw new RangeError(
    `Cannot compute logisticRegression() as the rows must have at least two classes: got ${count} of ${classes}`,
  );
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
