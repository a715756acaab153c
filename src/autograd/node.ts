import type { DType, Shape, Tensor } from "../tensor/mod.ts";
import type { OpContext } from "./define_op.ts";

/** Computes the gradients of an op's inputs from the gradient of its output. */
export type Backward = (context: OpContext, grad: Tensor) => readonly (Tensor | null)[];

let nextId = 0;

/**
 * One recorded op. It is held by its output tensor and by the nodes that used that output; when nobody holds it, or
 * once `backward` has passed it, it gives up what it saved.
 */
export class Node {
  /** Grows with creation: inputs come before outputs. */
  readonly id: number = nextId++;
  /** Name of the op. */
  readonly name: string;
  /** Shape of the output. */
  readonly shape: Shape;
  /** Dtype of the output, and so of its gradient. */
  readonly dtype: DType;
  /** Where each input came from: the node that made it, a leaf, or null when no gradient is wanted. */
  readonly parents: readonly (Node | Tensor | null)[];
  /** What the op's backward needs. */
  readonly context: OpContext;
  /** The op's backward. */
  readonly backward: Backward;
  /** True once what it saved is gone. */
  spent = false;
  #refs = 1;

  /** Records an op and holds the nodes of its inputs. */
  constructor(
    name: string,
    { shape, dtype }: Tensor,
    parents: readonly (Node | Tensor | null)[],
    context: OpContext,
    backward: Backward,
  ) {
    this.name = name;
    this.shape = shape;
    this.dtype = dtype;
    this.parents = parents;
    this.context = context;
    this.backward = backward;
    for (const parent of parents) if (parent instanceof Node) parent.#refs++;
  }

  /** Gives up what it saved. */
  spend(): void {
    this.spent = true;
    for (const tensor of this.context.saved) tensor.dispose();
  }

  /** Drops a holder; the last one frees the node and, in turn, what it held. Not recursive: graphs are deep. */
  release(): void {
    const queue: Node[] = [this];
    for (let node = queue.pop(); node; node = queue.pop()) {
      if (--node.#refs > 0) continue;
      node.spend();
      for (const parent of node.parents) if (parent instanceof Node) queue.push(parent);
    }
  }
}
