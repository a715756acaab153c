import type { Tensor } from "../tensor/mod.ts";

/** Argument of a compiled step: a tensor outside the graph, or a value, each of which gets a recording of its own. */
export type StepArgument = Tensor | number | string | boolean | null | undefined;

/** Result of a compiled step: nothing, a tensor, or tensors in an array or object. */
export type StepResult = void | Tensor | readonly Tensor[] | Readonly<Record<string, Tensor>>;

/** Frequency at which a recording is compared with a new run of the step; see `compile`. */
export type Check = "always" | "sometimes" | "never";
