let depth = 0;

/** Tells whether ops are put on the tape: true unless inside {@linkcode noGrad}. */
export function isGradEnabled(): boolean {
  return depth === 0;
}

/**
 * Runs `body` without a tape, as PyTorch's `torch.no_grad()`; with no argument, until the returned handle is
 * disposed (`using _ = noGrad()`).
 *
 * @example Usage
 * ```ts
 * import { Device, mul, noGrad, tensor } from "@decoupled/uniformity";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const x = tensor([1, 2]);
 * x.requiresGrad = true;
 * assertEquals(noGrad(() => mul(x, 2)).link, null);
 * ```
 */
export function noGrad(): { [Symbol.dispose](): void };
/** Runs `body` without a tape, and returns what it returns. */
export function noGrad<T>(body: () => T): T;
export function noGrad<T>(body?: () => T): T | { [Symbol.dispose](): void } {
  depth++;
  if (!body) {
    let ended = false;
    return {
      [Symbol.dispose](): void {
        if (!ended) depth--;
        ended = true;
      },
    };
  }
  try {
    return body();
  } finally {
    depth--;
  }
}

/** Runs `body` with a tape, also inside {@linkcode noGrad}: a gradient that computes a forward pass again. */
export function enableGrad<T>(body: () => T): T {
  const before = depth;
  depth = 0;
  try {
    return body();
  } finally {
    depth = before;
  }
}
