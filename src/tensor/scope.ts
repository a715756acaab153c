/** Resource that a scope can free. */
export interface Releasable {
  /** Frees it; a second call does nothing. */
  dispose(): void;
}

const open: Scope[] = [];

/** Owns the tensors made while it is the innermost open scope, and frees them when it ends. */
export class Scope {
  #owned = new Set<Releasable>();

  /** Frees what it owns. */
  [Symbol.dispose](): void {
    const index = open.lastIndexOf(this);
    if (index >= 0) open.splice(index, 1);
    for (const item of this.#owned) item.dispose();
    this.#owned.clear();
  }

  /** Owns an item from now on. */
  own(item: Releasable): void {
    this.#owned.add(item);
  }

  /** Gives an item up without freeing it. */
  disown(item: Releasable): boolean {
    return this.#owned.delete(item);
  }
}

/**
 * Opens a scope: tensors made until it ends are freed then. Parameters, gradients and what {@linkcode keep} was called
 * on outlive it. Scopes nest; a scope must not stay open across an `await` during which other code makes tensors.
 *
 * @example Usage
 * ```ts
 * import { Device, scope, tensor } from "@decoupled/uniformity";
 * import { assert } from "@std/assert";
 *
 * await using _device = await Device.open();
 * let x;
 * {
 *   using _ = scope();
 *   x = tensor([1, 2, 3]);
 * }
 * assert(x.disposed);
 * ```
 */
export function scope(): Scope {
  const made = new Scope();
  open.push(made);
  return made;
}

/** Hands a new item to the innermost open scope. */
export function own(item: Releasable): void {
  open.at(-1)?.own(item);
}

/**
 * Takes a tensor out of every open scope: it then lives until its `dispose()`.
 *
 * @returns The same tensor.
 *
 * @example Usage
 * ```ts
 * import { add, Device, keep, scope, tensor } from "@decoupled/uniformity";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * let sum;
 * {
 *   using _ = scope();
 *   sum = keep(add(tensor([1]), tensor([2])));
 * }
 * assertEquals(await sum.item(), 3); // without keep() it would be freed by now
 * sum.dispose();
 * ```
 */
export function keep<T extends Releasable>(item: T): T {
  for (const each of open) each.disown(item);
  return item;
}

/**
 * Runs `body` in a scope of its own and frees what it made, except what it returns: a tensor, or an array or object of
 * tensors, which then belongs to the scope around.
 *
 * @example Usage
 * ```ts
 * import { add, Device, mul, tensor, tidy } from "@decoupled/uniformity";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const x = tensor([1, 2, 3]);
 * const y = tidy(() => add(mul(x, x), x)); // the product is freed here
 * assertEquals(await y.data(), new Float32Array([2, 6, 12]));
 * ```
 */
export function tidy<T>(body: () => T): T {
  const inner = scope();
  let result: T;
  try {
    result = body();
    for (const item of disposablesIn(result)) if (inner.disown(item)) open[open.indexOf(inner) - 1]?.own(item);
  } finally {
    inner[Symbol.dispose]();
  }
  return result;
}

function disposablesIn(value: unknown): Releasable[] {
  const found: Releasable[] = [];
  const seen = new Set<unknown>([value]); // grows as it is walked through: what is in itself ends too
  for (const each of seen) {
    if (typeof each !== "object" || each === null || ArrayBuffer.isView(each)) continue;
    if (typeof (each as Partial<Releasable>).dispose === "function") found.push(each as Releasable);
    else for (const part of Object.values(each)) seen.add(part);
  }
  return found;
}
