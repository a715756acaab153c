import type { DType, Shape, Tensor } from "../tensor/mod.ts";

/** Rules of a node. */
export interface NodeRules {
  /** Computes the gradients of the inputs from the gradient of the output. */
  backward(grad: Tensor): readonly (Tensor | null)[];
  /** Whether `backward` adds a second gradient of the output to the first. */
  readonly addsGrads: boolean;
  /** Makes the output again from what was saved; null where it cannot, or need not. */
  readonly remake: (() => Tensor) | null;
  /** Offers to take the gradient of the output in another way; null where it does not. */
  readonly receives: () => Disposable | null;
}

/** Gradient that an input has so far, of other uses of it. */
export interface GradSoFar {
  /** The gradient: a backward may add its own to it in place, and return it. */
  readonly grad: Tensor;
  /** Wish of the op that made the input, for who completes its gradient; see `OpDefinition.receives`. */
  readonly receiver: Disposable | null;
}

/** Values that a backward is given, besides those that were saved. */
export interface Given {
  /** Whether no backward follows. */
  readonly last: boolean;
  /** Second gradient of the output, in a backward that adds gradients. */
  readonly otherGrad?: Tensor | null;
  /** Offer of the op for its gradient, where whoever completed that took it up. */
  readonly received?: Disposable | null;
  /** Finds the gradient that an input has so far. */
  readonly soFar?: (input: number) => GradSoFar | null;
}

/** Values that an op left for its backward: see {@linkcode OpContext}. */
export interface Saved {
  /** Shapes of the inputs. */
  readonly shapes: readonly Shape[];
  /** Runs a backward, perhaps the last one, with what was saved at hand. */
  open<T>(name: string, given: Given, body: () => T): T;
  /** Frees what was saved. */
  free(): void;
}

let nextId = 0;

/**
 * One op on the tape. It is held by its output tensor and by the nodes that used that output; when nobody holds it, or
 * once `backward` has passed it, it gives up what it saved.
 */
export class TapeNode {
  /** Serial number, which grows with creation: inputs come before outputs. */
  readonly id: number = nextId++;
  /** Name of the op. */
  readonly name: string;
  /** Shape of the output. */
  readonly shape: Shape;
  /** Dtype of the output, and so of its gradient. */
  readonly dtype: DType;
  /** Origins of the inputs: the node that made each, a leaf, or null when no gradient is wanted. */
  readonly parents: readonly (TapeNode | Tensor | null)[];
  /** Context that the op's backward reads. */
  readonly context: Saved;
  /** Whether the op takes two gradients of the output, to add them on its way. */
  readonly addsGrads: boolean;
  /** Function that makes the output again, where it is not kept. */
  readonly remake: (() => Tensor) | null;
  /** Function that offers to take the gradient of the output in another way. */
  readonly receives: () => Disposable | null;
  #spent = false;
  #backward: NodeRules["backward"];
  #refs = 1;

  /** Puts an op on the tape and holds the nodes of its inputs. */
  constructor(
    name: string,
    { shape, dtype }: Tensor,
    parents: readonly (TapeNode | Tensor | null)[],
    context: Saved,
    rules: NodeRules,
  ) {
    this.name = name;
    this.shape = shape;
    this.dtype = dtype;
    this.parents = parents;
    this.context = context;
    this.addsGrads = rules.addsGrads;
    this.remake = rules.remake;
    this.receives = rules.receives;
    this.#backward = rules.backward;
    for (const parent of parents) if (parent instanceof TapeNode) parent.#refs++;
  }

  /** Runs the backward; unless the graph is retained, it is the last one and gives up what was saved. */
  differentiate(grad: Tensor, given: Given): readonly (Tensor | null)[] {
    this.#checkUnspent();
    try {
      return this.context.open(this.name, given, () => this.#backward(grad));
    } finally {
      if (given.last) this.spend();
    }
  }

  /** Makes the output again; see {@linkcode TapeNode.remake}. */
  remakeOutput(): Tensor {
    this.#checkUnspent();
    return this.context.open(this.name, { last: false }, this.remake!);
  }

  /** Gives up what it saved. */
  spend(): void {
    this.#spent = true;
    this.context.free();
  }

  /** Drops a holder; the last one frees the node and, in turn, what it held. Not recursive: graphs are deep. */
  release(): void {
    const queue: TapeNode[] = [this];
    for (let node = queue.pop(); node; node = queue.pop()) {
      if (--node.#refs > 0) continue;
      node.spend();
      for (const parent of node.parents) if (parent instanceof TapeNode) queue.push(parent);
    }
  }

  #checkUnspent(): void {
    if (!this.#spent) return;
    throw new Error(
      `Cannot run backward() twice through ${this.name}(): what it saved is freed, pass retainGraph: true`,
    );
  }
}
