import { answerNames } from "../checks/internal.ts";
import { checkOptions, indented } from "../tensor/internal.ts";
import { Tensor } from "../tensor/mod.ts";
import { ForwardHooks } from "./_forward_hooks.ts";
import { Counter, Draws, Parameter, Table } from "./parameter.ts";
import { OTHER_NAMES } from "./_other_names.ts";
import { checkState, inOwnLayout, some, type StateLayout, type StateValue } from "./_state_layout.ts";

/** Function called after a module's forward pass: the module, what it was given, what it gave. */
export type ForwardHook = (module: Module, input: Tensor, output: Tensor) => void;

/**
 * A part of a network: its fields that are parameters, tensors (buffers), counters or modules are its state, named as
 * PyTorch names them (`layer1.0.conv1.weight`; `runningMean` becomes `running_mean`). A list of modules or of parameters
 * is as PyTorch's `ModuleList` or `ParameterList`: `blocks = [first, second]` has `blocks.0.weight`.
 *
 * @example A module of your own
 * ```ts
 * import { Device, key, relu, type Tensor } from "@decoupled/uniformity";
 * import { Linear, Module } from "@decoupled/uniformity/nn";
 * import { assertEquals } from "@std/assert";
 *
 * class Head extends Module {
 *   first = new Linear({ inFeatures: 8, outFeatures: 4, key: key(0, 0) });
 *   second = new Linear({ inFeatures: 4, outFeatures: 2, key: key(0, 1) });
 *
 *   override forward(x: Tensor): Tensor {
 *     return this.second.forward(relu(this.first.forward(x)));
 *   }
 * }
 *
 * await using _device = await Device.open();
 * const names = [...new Head().namedParameters()].map(([name]) => name);
 * assertEquals(names, ["first.weight", "first.bias", "second.weight", "second.bias"]);
 * ```
 */
export abstract class Module {
  /** Whether the module trains: BatchNorm then uses the statistics of the batch. */
  training = true;
  #hooks = new ForwardHooks<Module>();

  /** Computes the output. */
  abstract forward(x: Tensor): Tensor;

  /**
   * Computes the outputs of a batch that comes in parts, as for the whole batch: batch normalisation takes the statistics
   * of all parts together while it trains. A module of one's own that has batch normalisation below it says how.
   *
   * @throws {TypeError} If it does not say so, and there are several parts.
   */
  forwardParts(parts: readonly Tensor[]): Tensor[] {
    if (parts.length > 1 && this.training) {
      for (const [name, module] of this.namedModules()) {
        if (!module.joinsParts) continue;
        throw new TypeError(
          `Cannot compute forwardParts() as ${this.constructor.name} must define it to normalise parts together: got ` +
            `batch normalisation at "${name}"`,
        );
      }
    }
    return parts.map((x) => this.forward(x));
  }

  /** Whether the parts of a batch are not independent of each other here: true for batch normalisation. */
  get joinsParts(): boolean {
    return false;
  }

  /** Modules below this one, with their names, this one first under the name `""`. */
  *namedModules(prefix = ""): IterableIterator<[string, Module]> {
    yield [prefix, this];
    for (const [name, value] of this.fields()) {
      if (value instanceof Module) yield* value.namedModules(join(prefix, name));
    }
  }

  /**
   * Yields every parameter with its full name, in order of definition; one that is used in several places once, under
   * its first name, as in PyTorch.
   */
  *namedParameters(): IterableIterator<[string, Parameter]> {
    const seen = new Set<Parameter>();
    for (const [name, value] of this.#state()) {
      if (!(value instanceof Parameter) || seen.has(value)) continue;
      seen.add(value);
      yield [name, value];
    }
  }

  /** Yields every buffer (state that no gradient changes) with its full name. */
  *namedBuffers(): IterableIterator<[string, Tensor]> {
    for (const [name, value] of this.#state()) {
      if (value instanceof Tensor && !(value instanceof Parameter)) yield [name, value];
    }
  }

  /** Yields every counter with its full name. */
  *namedCounters(): IterableIterator<[string, Counter]> {
    for (const [name, value] of this.#state()) if (value instanceof Counter) yield [name, value];
  }

  /** Yields every count of random draws with its full name; no state dict has them. */
  *namedDraws(): IterableIterator<[string, Draws]> {
    for (const [name, value] of this.#state()) if (value instanceof Draws) yield [name, value];
  }

  /** The parameters, for an optimizer. */
  parameters(): Parameter[] {
    return [...new Set([...this.namedParameters()].map(([, parameter]) => parameter))]; // a layer may be used twice
  }

  /** Parameters and buffers by name, those in several places under each of their names: the live tensors, in this library's layout. */
  stateDict(): Map<string, Tensor> {
    const state = new Map<string, Tensor>();
    for (const [name, value] of this.#state()) if (value instanceof Tensor) state.set(name, value);
    return state;
  }

  /**
   * Copies values into the parameters and buffers of the same names.
   *
   * Linear and convolution weights may come in this library's layout (`[in, out]`, `[kh, kw, in, out]`) or in PyTorch's
   * (`[out, in]`, `[out, in, kh, kw]`), all in the same: the shapes tell which. Where they fit both, as those of a square
   * linear layer alone do, `layout` must say it.
   *
   * @param state Flat float32 values by name.
   * @param options `layout`: which layout the weights have, where the shapes do not tell.
   * @throws {TypeError} If names are missing or unexpected, shapes differ, or the layout cannot be told; the message lists
   *   them. Nothing is copied then.
   *
   * @example Weights from PyTorch
   * ```ts
   * import { Device } from "@decoupled/uniformity";
   * import { Linear } from "@decoupled/uniformity/nn";
   * import { assertEquals } from "@std/assert";
   *
   * await using _device = await Device.open();
   * const layer = new Linear({ inFeatures: 2, outFeatures: 2, bias: false });
   * const weight = { shape: [2, 2], data: new Float32Array([1, 2, 3, 4]) }; // nn.Linear(2, 2).weight
   * layer.loadStateDict(new Map([["weight", weight]]), { layout: "torch" });
   * assertEquals(await layer.weight.data(), new Float32Array([1, 3, 2, 4]));
   * ```
   */
  loadStateDict(state: ReadonlyMap<string, StateValue>, options: { layout?: StateLayout } = {}): void {
    checkOptions("loadStateDict()", options, ["layout"]);
    checkState(state);
    const own = this.stateDict();
    const missing = [...own.keys()].filter((name) => !state.has(name));
    const unexpected = [...state.keys()].filter((name) => !own.has(name));
    const shapes = new Map([...own].map(([name, { shape }]) => [name, shape] as const));
    const tables = new Set([...own].filter(([, value]) => value instanceof Table).map(([name]) => name));
    const { values, different, unclear } = inOwnLayout(shapes, state, options.layout, tables);
    if (missing.length + unexpected.length + different.length > 0) {
      throw new TypeError(
        `Cannot load the state as it is of another architecture:${some(" missing", missing)}${
          some(" unexpected", unexpected)
        }${some(" different", different)}`,
      );
    }
    if (unclear.length > 0) {
      throw new TypeError(
        `Cannot load the state as its layout cannot be told from shapes that are the same transposed: got${
          some("", unclear)
        } say layout: "torch" or "uniformity"`,
      );
    }
    for (const [name, tensor] of own) tensor.write(values.get(name)!);
  }

  /**
   * Calls `hook` after each forward pass of this module, in parts or whole, as PyTorch's `register_forward_hook`; what it
   * returns is ignored. The output belongs to the scope of the pass: `keep()` it, or read it, in the hook.
   *
   * @returns A function that removes the hook.
   *
   * @example Features of a layer inside
   * ```ts
   * import { Device, zeros } from "@decoupled/uniformity";
   * import { resnet18 } from "@decoupled/uniformity/nn";
   * import { assertEquals } from "@std/assert";
   *
   * await using _device = await Device.open();
   * const model = resnet18({ stem: "cifar", numClasses: 10 }).eval();
   * const shapes: string[] = [];
   * const remove = model.layer4.registerForwardHook((_layer, _input, output) => void shapes.push(`${output.shape}`));
   * model.forward(zeros([1, 8, 8, 3]));
   * remove();
   * assertEquals(shapes, ["1,2,2,512"]);
   * ```
   */
  registerForwardHook(hook: ForwardHook): () => void {
    return this.#hooks.add(this, hook);
  }

  /** Whether a hook of {@linkcode Module.registerForwardHook} waits for this module's output. */
  get hasForwardHooks(): boolean {
    return this.#hooks.size > 0;
  }

  /** Sets {@linkcode Module.training} here and below. */
  train(mode = true): this {
    for (const [, module] of this.namedModules()) module.training = mode;
    return this;
  }

  /** Switches to evaluation: `train(false)`. */
  eval(): this {
    return this.train(false);
  }

  /** Sets {@linkcode Tensor.requiresGrad} of every parameter: false freezes the module. */
  requiresGrad(wanted = true): this {
    for (const parameter of this.parameters()) parameter.requiresGrad = wanted;
    return this;
  }

  /** Settings to show behind the name of the module, such as `64, 128, kernelSize=3`. */
  extraRepr(): string {
    return "";
  }

  /** The tree of modules with their names and settings, as PyTorch prints it. */
  toString(): string {
    const below = [...this.fields()].flatMap(([name, value]) =>
      value instanceof Module ? [`  (${name}): ${value.toString().replaceAll("\n", "\n  ")}\n`] : []
    );
    const inside = below.length > 0 ? `\n${below.join("")}` : this.extraRepr();
    return `${this.constructor.name}(${inside})`;
  }

  /** Text that `console.log` shows in Deno. */
  [Symbol.for("Deno.customInspect")](_inspect?: unknown, options?: unknown): string {
    return indented(this.toString(), options);
  }

  /** Text that `console.log` shows in Node. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }

  /** Frees parameters and buffers. */
  dispose(): void {
    for (const tensor of this.stateDict().values()) tensor.dispose();
  }

  /** The fields that may hold state, with their PyTorch names; a container overrides it. */
  *fields(): IterableIterator<[string, unknown]> {
    for (const [name, value] of Object.entries(this)) {
      if (isList(value)) yield* value.map((each, i): [string, unknown] => [`${snakeCase(name)}.${i}`, each]);
      else yield [snakeCase(name), value];
    }
  }

  static {
    answerNames(this.prototype, "a module", OTHER_NAMES, true);
  }

  *#state(): IterableIterator<[string, unknown]> {
    for (const [prefix, module] of this.namedModules()) {
      for (const [name, value] of module.fields()) {
        if (!(value instanceof Module)) yield [join(prefix, name), value];
      }
    }
  }
}

function isList(value: unknown): value is readonly (Module | Parameter)[] {
  return Array.isArray(value) && value.every((each) => each instanceof Module || each instanceof Parameter);
}

function join(prefix: string, name: string): string {
  return prefix ? `${prefix}.${name}` : name;
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
