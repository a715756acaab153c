import { type FloatDType, keep, ones, sameShape, scope, Tensor } from "../tensor/mod.ts";
import { accumulate, addPair, castTo, checkOptions } from "../tensor/internal.ts";
import { fullPrecision } from "./autocast.ts";
import { noGrad } from "./mode.ts";
import { type GradSoFar, TapeNode } from "./node.ts";
import { showResult } from "./watch.ts";

/** Options of {@linkcode backward}. */
export interface BackwardOptions {
  /** Gradient of the output; ones by default, which needs a scalar output. Shape: that of the output. */
  grad?: Tensor;
  /** Keep what the graph saved, so that it can be differentiated again; false by default. */
  retainGraph?: boolean;
  /** Callback as soon as the gradient of a leaf is complete, while earlier layers still wait. */
  onGrad?: (leaf: Tensor) => void;
}

/**
 * Adds to `grad` of every leaf with `requiresGrad` the gradient of `output` with respect to it, and frees what the graph
 * saved as it goes. Gradients outlive scopes; `optimizer.step()` uses them up, `zeroGrad()` drops them.
 *
 * @param output A scalar (one element), or any tensor with `options.grad`.
 * @throws {TypeError} If nothing differentiable led to `output`, or its shape does not match `grad`.
 * @throws {Error} If what the graph saved is already gone, or was changed in place since (a parameter by
 *   `optimizer.step()`, a tensor by `write()`), as PyTorch refuses it.
 *
 * @example Usage
 * ```ts
 * import { backward, Device, square, sum, tensor } from "@decoupled/uniformity";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const x = tensor([1, 2, 3]);
 * x.requiresGrad = true;
 * backward(sum(square(x)));
 * assertEquals(await x.grad!.data(), new Float32Array([2, 4, 6]));
 * ```
 */
export function backward(output: Tensor, options: BackwardOptions = {}): void {
  checkOptions("run backward()", options, ["grad", "retainGraph", "onGrad"]);
  if (!(output instanceof Tensor)) throw new TypeError(`Cannot run backward() of what is no tensor: got ${output}`);
  const root = output.link;
  if (!(root instanceof TapeNode)) {
    throw new TypeError(
      `Cannot run backward() as no op led from a tensor with requiresGrad to this output [${output.shape}]`,
    );
  }
  const seed = options.grad ?? unit(output);
  if (!sameShape(seed.shape, output.shape)) {
    throw new TypeError(
      `Cannot run backward() as grad must have the shape of the output: got [${seed.shape}] for [${output.shape}]`,
    );
  }
  using _ = noGrad();
  const pending = new Pending(root, options.onGrad);
  pending.add(root, seed);
  try {
    fullPrecision(() => {
      for (let next = pending.next(); next; next = pending.next()) visit(next, pending, options);
    });
  } finally {
    pending.dispose();
    if (!options.grad) seed.dispose();
  }
}

function unit(output: Tensor): Tensor {
  if (output.size === 1) return ones(output.shape, { device: output.device, dtype: output.dtype });
  throw new TypeError(
    `Cannot run backward() as the output must be a scalar unless grad is given: got [${output.shape}]`,
  );
}

function visit({ node, grad, other, received }: Visit, pending: Pending, options: BackwardOptions): void {
  {
    using _ = scope();
    const shapes = node.context.shapes;
    const found: (GradSoFar | null)[] = [];
    const soFar = (input: number) => found[input] ??= pending.soFar(node.parents[input]!);
    const given = { last: !options.retainGraph, otherGrad: other, received, soFar };
    const grads = grad.device.run(`${node.name} grad`, shapes, () => node.differentiate(grad, given));
    for (const used of [grad, other, received]) used?.[Symbol.dispose]();
    node.parents.forEach((parent, i) => {
      const gradInput = grads[i];
      if (!parent) return;
      if (!gradInput || !sameShape(gradInput.shape, shapes[i]!)) {
        throw new Error(
          `Cannot use the gradient of ${node.name}() as input ${i} has shape [${shapes[i]}]: got ${
            gradInput ? `[${gradInput.shape}]` : "none"
          }`,
        );
      }
      showResult({ op: node.name, pass: "backward", shapes, tensor: gradInput });
      pending.add(parent, gradInput, found[i]);
    });
  }
  pending.done(node);
}

/** A node whose gradient is complete; `other` is yet to be added to it, by an op that does so itself. */
interface Visit {
  readonly node: TapeNode;
  readonly grad: Tensor;
  readonly other: Tensor | null;
  readonly received: Disposable | null;
}

/** Gradients on their way: of nodes until they are visited, of leaves in their `grad`. */
class Pending {
  #nodes = new Map<TapeNode, Tensor>();
  #others = new Map<TapeNode, Tensor>();
  #received = new Map<TapeNode, Disposable>();
  #uses = new Map<Tensor, number>();
  #onGrad?: (leaf: Tensor) => void;

  constructor(root: TapeNode, onGrad?: (leaf: Tensor) => void) {
    this.#onGrad = onGrad;
    if (onGrad) this.#countLeafUses(root);
  }

  /** The gradient that a node has so far, where nobody else holds it. */
  soFar(target: TapeNode | Tensor | null): GradSoFar | null {
    if (!(target instanceof TapeNode) || this.#others.has(target)) return null;
    const grad = this.#nodes.get(target);
    return grad?.storage.refs === 1 ? { grad, receiver: target.receives() } : null;
  }

  /**
   * Adds a gradient of any precision to that of a node or leaf, which has the dtype of its values; unless it is what the
   * target had so far, added to in place.
   */
  add(target: TapeNode | Tensor, given: Tensor, soFar?: GradSoFar | null): void {
    if (target instanceof TapeNode) this.#receive(target, given, soFar ?? null);
    if (given.storage === soFar?.grad.storage) return;
    const grad = given.dtype === target.dtype ? given : castTo(given, target.dtype as FloatDType);
    if (target instanceof TapeNode) {
      const first = this.#nodes.get(target) ?? null;
      if (first && target.addsGrads && !this.#others.has(target)) this.#others.set(target, keep(grad.alias()));
      else this.#nodes.set(target, plus(first, grad));
    } else target.grad = plus(target.grad, grad);
    if (grad !== given) grad.dispose();
  }

  /** Keeps what a target offered, if `given` is its gradient added to in place; gives up what is complete no more. */
  #receive(target: TapeNode, given: Tensor, soFar: GradSoFar | null): void {
    this.#received.get(target)?.[Symbol.dispose]();
    this.#received.delete(target);
    if (!soFar?.receiver) return;
    if (given.storage === soFar.grad.storage) this.#received.set(target, soFar.receiver);
    else soFar.receiver[Symbol.dispose]();
  }

  /** The node made last: all that used its output were visited before. */
  next(): Visit | null {
    let node: TapeNode | null = null;
    for (const each of this.#nodes.keys()) if (!node || each.id > node.id) node = each;
    if (!node) return null;
    const grad = this.#nodes.get(node)!;
    const other = this.#others.get(node) ?? null;
    const received = this.#received.get(node) ?? null;
    for (const each of [this.#nodes, this.#others, this.#received]) each.delete(node);
    return { node, grad, other, received };
  }

  done(node: TapeNode): void {
    if (!this.#onGrad) return;
    for (const parent of node.parents) {
      if (!parent || parent instanceof TapeNode) continue;
      const left = this.#uses.get(parent)! - 1;
      this.#uses.set(parent, left);
      if (left === 0) this.#onGrad(parent);
    }
  }

  dispose(): void {
    for (const each of [this.#nodes, this.#others, this.#received]) {
      for (const held of each.values()) held[Symbol.dispose]();
      each.clear();
    }
  }

  #countLeafUses(root: TapeNode): void {
    const seen = new Set<TapeNode>([root]);
    for (const node of seen) {
      for (const parent of node.parents) {
        if (parent instanceof TapeNode) seen.add(parent);
        else if (parent) this.#uses.set(parent, (this.#uses.get(parent) ?? 0) + 1);
      }
    }
  }
}

/** The sum, kept out of scopes; in place where nobody else holds the total. */
function plus(total: Tensor | null, grad: Tensor): Tensor {
  if (!total || total.disposed) return keep(grad.alias());
  if (total.storage.refs === 1) {
    accumulate(total, grad);
    return total;
  }
  const sum = keep(addPair(total, grad));
  total.dispose();
  return sum;
}
