import type { Products } from "./design.ts";
import { lbfgs, type LbfgsReply, type LbfgsRequest, type Minimum } from "./lbfgs.ts";
import type { Device } from "../device/mod.ts";

/** One fit of a grid. */
export interface LogisticProblem {
  /** Inverse weight of the penalty, > 0, as scikit-learn's `C`. */
  readonly C: number;
  /** Mask of the rows that are used, `[n]`, 1 or 0; all by default. */
  readonly rows?: Uint8Array;
}

/** Options of `logisticRegression()`. */
export interface LogisticOptions {
  /** Number of classes. */
  classes: number;
  /** Distance of the objective to its minimum, as a share; 1e-9 by default, 1e-7 for products on the device. */
  tolerance?: number;
  /** Largest number of steps; 2000 by default. */
  maxIterations?: number;
  /** Device; the default one by default. */
  device?: Device;
  /** Callback after each round with the problems that are solved. */
  onProgress?: (solved: number) => void;
}

/** A problem with the classes it has and where to start. */
export type LogisticTask = LogisticProblem & { readonly present: Uint8Array; readonly start: Float64Array };

interface Run {
  readonly task: LogisticTask;
  readonly steps: Generator<LbfgsRequest, Minimum, LbfgsReply>;
  request: LbfgsRequest | null;
  /** Approximate weight of a row in the Hessian, at the last point. */
  curvature: number;
  minimum: Minimum | null;
}

/** Runs the minimisers in step: in each round, all that ask for the same thing are answered by one product. */
export async function solve(
  design: Products,
  labels: ArrayLike<number>,
  tasks: readonly LogisticTask[],
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
function residual(z: Float64Array, at: number, label: number, { present }: LogisticTask, used: boolean): number {
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
