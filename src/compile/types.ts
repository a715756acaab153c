import type { Tensor } from "../tensor/mod.ts";

/** Argument of a compiled step: tensors outside the graph, and values of which each different one is recorded apart. */
export type StepArgument = Tensor | number | string | boolean | null | undefined;

/** Result of a compiled step: nothing, a tensor, or tensors in an array or object. */
export type StepResult = void | Tensor | readonly Tensor[] | Readonly<Record<string, Tensor>>;

/** Frequency at which a compiled step is compared with what it does now; see `compile`. */
export type Check = "always" | "sometimes" | "never";
