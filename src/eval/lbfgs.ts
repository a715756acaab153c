/** Request of a minimiser: value and gradient at a point, or a preconditioned gradient. */
export interface LbfgsRequest {
  /** Kind of the request. */
  readonly kind: "evaluate" | "precondition";
  /** The point, or the gradient. */
  readonly vector: Float64Array;
}

/** The answer to a {@linkcode LbfgsRequest}. */
export interface LbfgsReply {
  /** Value at the point; not read for a preconditioned gradient. */
  readonly value: number;
  /** Gradient at the point, or the preconditioned one. */
  readonly vector: Float64Array;
}

/** Point where a minimiser ended. */
export interface Minimum {
  readonly point: Float64Array;
  readonly value: number;
  readonly iterations: number;
  readonly converged: boolean;
}

/** Settings of {@linkcode lbfgs}. */
export interface LbfgsOptions {
  /** Largest distance to the minimum, as a share of the value. */
  readonly tolerance: number;
  /** Largest number of steps. */
  readonly maxIterations: number;
  /** Change of a value that rounding may cause, as a share of the value. */
  readonly noise: number;
}

interface Pair {
  readonly step: Float64Array;
  readonly change: Float64Array;
  readonly product: number;
}

interface State {
  point: Float64Array;
  value: number;
  gradient: Float64Array;
}

type Asking<R> = Generator<LbfgsRequest, R, LbfgsReply>;

const MEMORY = 10;
/** Steps in a row that must be small before their smallness is believed. */
const PATIENCE = 4;

/**
 * L-BFGS for a function that is strongly convex with modulus 1 (but for a few directions), as a coroutine: many
 * problems can be run in step, their evaluations in one product.
 *
 * @see Nocedal and Wright, "Numerical Optimization", algorithms 7.4 and 3.5.
 */
export function* lbfgs(start: Float64Array, { tolerance, maxIterations, noise }: LbfgsOptions): Asking<Minimum> {
  const pairs: Pair[] = [];
  let state = at(start, yield { kind: "evaluate", vector: start });
  let small = 0;
  for (let iterations = 0; iterations < maxIterations; iterations++) {
    // Strong convexity: value − minimum ≤ |gradient|² / 2.
    const certain = dot(state.gradient, state.gradient) / 2 <= tolerance * Math.abs(state.value);
    if (certain || small >= PATIENCE) return { ...state, iterations, converged: true };
    const direction = yield* newton(state.gradient, pairs);
    let slope = dot(direction, state.gradient);
    if (!(slope < 0)) {
      pairs.length = 0;
      negate(direction, state.gradient);
      slope = -dot(state.gradient, state.gradient);
    }
    const next = yield* search(state, direction, slope, noise);
    if (next === null) {
      // No step lowers the value by more than rounding: try once more without history.
      if (pairs.length === 0) {
        return {
          ...state,
          iterations,
          converged: -slope / 2 <= 10 * Math.max(tolerance, noise) * Math.abs(state.value),
        };
      }
      pairs.length = 0;
      continue;
    }
    const gain = state.value - next.value;
    small = Math.max(-slope / 2, gain) <= tolerance * Math.abs(state.value) ? small + 1 : 0;
    remember(pairs, state, next);
    state = next;
  }
  return { ...state, iterations: maxIterations, converged: false };
}

/** The two loops: minus the approximate inverse Hessian times the gradient. */
function* newton(gradient: Float64Array, pairs: readonly Pair[]): Asking<Float64Array> {
  const q = gradient.slice();
  const shares = new Float64Array(pairs.length);
  for (let i = pairs.length - 1; i >= 0; i--) {
    const { step, change, product } = pairs[i]!;
    shares[i] = dot(step, q) / product;
    addScaled(q, change, -shares[i]!);
  }
  const { vector } = yield { kind: "precondition", vector: q };
  const r = vector.slice();
  const last = pairs.at(-1);
  if (last) {
    const { vector: scaled } = yield { kind: "precondition", vector: last.change };
    const scale = last.product / dot(last.change, scaled);
    for (let i = 0; i < r.length; i++) r[i]! *= scale;
  }
  pairs.forEach(({ step, change, product }, i) => addScaled(r, step, shares[i]! - dot(change, r) / product));
  negate(r, r);
  return r;
}

/** A step that meets Wolfe's conditions, or the best one found; null when none lowers the value. */
function* search(state: State, direction: Float64Array, slope: number, noise: number): Asking<State | null> {
  let [low, high, length] = [0, Infinity, 1];
  let best: State | null = null;
  const slack = noise * Math.abs(state.value);
  for (let trial = 0; trial < 25; trial++) {
    const point = state.point.slice();
    addScaled(point, direction, length);
    const tried = at(point, yield { kind: "evaluate", vector: point });
    const end = dot(tried.gradient, direction);
    const lower = tried.value <= state.value + 1e-4 * length * slope + slack;
    if (lower && Math.abs(end) <= 0.9 * -slope) return tried;
    if (lower && tried.value < (best?.value ?? state.value)) best = tried;
    if (!lower || end > 0) high = length;
    else low = length;
    length = high < Infinity ? (low + high) / 2 : 2 * length;
    if (high - low < 1e-12 * high) break;
  }
  return best;
}

function remember(pairs: Pair[], from: State, to: State): void {
  const step = to.point.map((v, i) => v - from.point[i]!);
  const change = to.gradient.map((v, i) => v - from.gradient[i]!);
  const product = dot(step, change);
  if (!(product > 1e-12 * dot(step, step))) return;
  pairs.push({ step, change, product });
  if (pairs.length > MEMORY) pairs.shift();
}

function at(point: Float64Array, { value, vector }: LbfgsReply): State {
  return { point, value, gradient: vector };
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

function addScaled(target: Float64Array, x: Float64Array, scale: number): void {
  for (let i = 0; i < target.length; i++) target[i]! += scale * x[i]!;
}

function negate(target: Float64Array, x: Float64Array): void {
  for (let i = 0; i < target.length; i++) target[i] = -x[i]!;
}
