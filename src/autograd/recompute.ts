import type { Tensor } from "../tensor/mod.ts";

/** State that the first pass of a body that is run twice leaves for the second. */
export class FirstPass {
  /** Answers to what it asked, such as keys of random numbers, in their order. */
  readonly answers: { value: unknown }[] = [];
  /** Leaves beside its inputs that it used: the parameters. */
  readonly leaves: Set<Tensor> = new Set();
}

/** A pass that is under way. */
interface Pass {
  readonly first: FirstPass;
  readonly again: boolean;
  /** The pass that it is inside of. */
  readonly outer: Pass | null;
  /** Answers given so far. */
  given: number;
}

let pass: Pass | null = null;

/** Runs a body in its first pass, or again. */
export function runPass<T>(first: FirstPass, again: boolean, body: () => T): T {
  const outer = pass;
  pass = { first, again, outer, given: 0 };
  try {
    return body();
  } finally {
    pass = outer;
  }
}

/** Tells whether what runs was run before: what it moved on, such as running statistics, stays then. */
export function isRecomputing(): boolean {
  for (let each = pass; each; each = each.outer) if (each.again) return true;
  return false;
}

/**
 * Makes a question (the key of the next step) one that is answered once for both passes of a checkpointed body: the second
 * pass gets the answer of the first. Outside of one it is the question itself.
 */
export function askOnce<T>(ask: () => T): () => T {
  return askIn(pass, ask);
}

function askIn<T>(within: Pass | null, ask: () => T): () => T {
  if (!within) return ask;
  const { first: { answers }, again, outer } = within;
  if (again) {
    const kept = answers[within.given++]!;
    return () => kept.value as T;
  }
  const next = askIn(outer, ask);
  const kept: { value: unknown } = { value: undefined };
  answers.push(kept);
  return () => kept.value = next();
}

/**
 * Takes note of the leaves that an op in a first pass uses.
 *
 * @throws {TypeError} If it uses an output of an op outside of the body, to which no gradient could flow.
 */
export function noteLeaves(name: string, inputs: readonly Tensor[]): void {
  if (!pass || pass.again) return;
  for (const input of inputs) {
    if (input.link) {
      throw new TypeError(
        `Cannot checkpoint() as all that its body differentiates must be parameters or its inputs: got ${name}() of a ` +
          `tensor [${input.shape}] that an op outside made`,
      );
    }
    if (input.requiresGrad) pass.first.leaves.add(input);
  }
}
