import { Tensor } from "../tensor/mod.ts";

/** Function called after a module's forward pass: the module, what it was given, what it gave. */
type Hook<M> = (module: M, input: Tensor, output: Tensor) => void;

/** The methods by which a module is run; a convolution before a normalisation leaves moments too. */
const METHODS = ["forward", "forwardParts", "forwardWithMoments"] as const;

type Method<M> = (this: M, x: Tensor | readonly Tensor[], ...rest: unknown[]) => unknown;

/** The hooks of one module. */
export class ForwardHooks<M extends object> {
  #hooks = new Set<Hook<M>>();

  /** Number of hooks. */
  get size(): number {
    return this.#hooks.size;
  }

  /** Calls `hook` after each forward pass of `module`, whose hooks these are; the function returned ends it. */
  add(module: M, hook: Hook<M>): () => void {
    if (this.#hooks.size === 0) this.#wrap(module);
    const own: Hook<M> = (...args) => hook(...args); // the same hook may be there twice
    this.#hooks.add(own);
    return () => {
      if (!this.#hooks.delete(own) || this.#hooks.size > 0) return;
      for (const name of METHODS) Reflect.deleteProperty(module, name);
    };
  }

  /** Puts methods of the module's own in front of its class's, which call the hooks. */
  #wrap(module: M): void {
    const hooks = this.#hooks;
    let depth = 0; // one method may be defined by another
    for (const name of METHODS) {
      const method = (module as unknown as Record<string, Method<M> | undefined>)[name];
      if (!method) continue;
      const value: Method<M> = function (this, x, ...rest) {
        depth++;
        let result;
        try {
          result = method.call(this, x, ...rest);
        } finally {
          depth--;
        }
        if (depth === 0) tell(hooks, this, x, result);
        return result;
      };
      Object.defineProperty(module, name, { value, configurable: true, enumerable: false, writable: true });
    }
  }
}

function tell<M>(hooks: ReadonlySet<Hook<M>>, module: M, x: Tensor | readonly Tensor[], result: unknown): void {
  const inputs = x instanceof Tensor ? [x] : x;
  const outputs = Array.isArray(result) ? result as Tensor[] : [outputOf(result)];
  for (const hook of [...hooks]) outputs.forEach((output, i) => hook(module, inputs[i]!, output));
}

function outputOf(result: unknown): Tensor {
  return result instanceof Tensor ? result : (result as { y: Tensor }).y;
}
