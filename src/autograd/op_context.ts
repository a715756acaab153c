import { type DType, keep, type Shape, Tensor } from "../tensor/mod.ts";
import { type Given, type GradSoFar, TapeNode } from "./node.ts";

const NOTHING_GIVEN: Given = { last: false };

/** Values that an op's forward leaves for its backward. */
export class OpContext {
  /** Flags of the inputs whose gradients are wanted; all false when there is no tape. */
  readonly needsGrad: readonly boolean[];
  /** Shapes of the inputs. */
  readonly shapes: readonly Shape[];
  /** Dtypes of the inputs, before any cast: `backward` may give gradients of values in f32 or f16 for either. */
  readonly dtypes: readonly DType[];
  // A node stands for its output, which is made again when it is needed.
  #kept: (Tensor | TapeNode)[] = [];
  #versions: number[] = [];
  #opened: Tensor[] | null = null;
  #given: Given = NOTHING_GIVEN;

  /** Constructor for the functions of {@linkcode defineOp}. */
  constructor(needsGrad: readonly boolean[], inputs: readonly Tensor[]) {
    this.needsGrad = needsGrad;
    this.shapes = inputs.map(({ shape }) => shape);
    this.dtypes = inputs.map(({ dtype }) => dtype);
  }

  /** Whether a backward will follow, so that saving is of use. */
  get taped(): boolean {
    return this.needsGrad.includes(true);
  }

  /**
   * Second gradient of the output, of another use of it, in a backward that adds gradients; null where there is one
   * only.
   */
  get otherGrad(): Tensor | null {
    return this.#given.otherGrad ?? null;
  }

  /** Offer of {@linkcode OpDefinition.receives}, in a backward whose gradient was completed by an op that took it up. */
  get received(): Disposable | null {
    return this.#given.received ?? null;
  }

  /**
   * Gradient that an input has so far, of other uses of it, for a backward to add its own to in place and return; null
   * where there is none, or others hold it.
   *
   * @internal
   */
  soFar(input: number): GradSoFar | null {
    return this.#given.soFar?.(input) ?? null;
  }

  /** Tensors that `save` was given, in order; for a backward. */
  get saved(): readonly Tensor[] {
    return this.#opened ?? this.#kept.filter((kept) => kept instanceof Tensor);
  }

  /**
   * Keeps tensors (inputs, outputs or others) until the backward, or how to make them again where their op says so; does
   * nothing when there is no tape.
   */
  save(...tensors: Tensor[]): void {
    if (!this.taped) return;
    for (const tensor of tensors) {
      const { link } = tensor;
      this.#kept.push(link instanceof TapeNode && link.remake ? link : keep(tensor.alias()));
      this.#versions.push(tensor.storage.version);
    }
  }

  /**
   * Tells a backward whether it may write its result over this tensor, the gradient that came in or a saved one. Nobody
   * else holds its elements then, and the graph is not differentiated again.
   */
  mayOverwrite(tensor: Tensor): boolean {
    return this.#given.last && tensor.storage.refs === 1;
  }

  /** Frees a saved tensor, or the second gradient, that a backward needs no more before it makes the next one. */
  release(tensor: Tensor): void {
    if (this.#given.last) tensor.dispose();
  }

  /**
   * Runs a backward with the saved tensors and the given gradients at hand.
   *
   * @throws {Error} If what was saved was written to since; `name` is the op's.
   *
   * @internal
   */
  open<T>(name: string, given: Given, body: () => T): T {
    this.#given = given;
    this.#kept.forEach((kept, i) => {
      if (kept instanceof Tensor && kept.storage.version !== this.#versions[i]) throw changedError(name, kept);
    });
    this.#opened = this.#kept.map((kept) => kept instanceof Tensor ? kept : kept.remakeOutput());
    try {
      return body();
    } finally {
      this.#opened = null;
      this.#given = NOTHING_GIVEN;
    }
  }

  /**
   * Frees what was saved.
   *
   * @internal
   */
  free(): void {
    for (const kept of this.#kept) if (kept instanceof Tensor) kept.dispose();
    this.#kept = [];
    this.#versions = [];
  }
}

function changedError(name: string, { dtype, shape }: Tensor): Error {
  return new Error(
    `Cannot run backward() through ${name}() as what it saved must stay as it was: got a tensor ${dtype} [${shape}] that ` +
      `was changed since, by step(), write() or another change in place`,
  );
}
