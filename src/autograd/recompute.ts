import type { Tensor } from "../tensor/mod.ts";

/** State that the first pass of a body that is run twice leaves for the second. */
export class FirstPass {
  /** Leaves beside its inputs that it used: the parameters. */
  readonly leaves: Set<Tensor> = new Set();
  #answers = new Map<number, unknown[]>();
  #part = 0;

  /**
   * Says for which part of a batch the passes are that follow: each part has a first and a second one of its own, also
   * where they are replayed from one recording.
   */
  choosePart(part: number): void {
    this.#part = part;
  }

  /** Keeps the answer to a question of the part, such as the key of random numbers, and returns it. */
  keepAnswer<T>(question: number, answer: T): T {
    const answers = this.#answers.get(this.#part) ?? [];
    answers[question] = answer;
    this.#answers.set(this.#part, answers);
    return answer;
  }

  /** Returns the answer that the first pass of the part got. */
  answerTo(question: number): unknown {
    return this.#answers.get(this.#part)![question];
  }
}

/** A pass that is under way. */
interface Pass {
  readonly first: FirstPass;
  readonly again: boolean;
  /** The pass that it is inside of. */
  readonly outer: Pass | null;
  /** Questions so far. */
  asked: number;
}

let pass: Pass | null = null;

/** Runs a body in its first pass, or again. */
export function runPass<T>(first: FirstPass, again: boolean, body: () => T): T {
  const outer = pass;
  pass = { first, again, outer, asked: 0 };
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
 * Makes a question (the key of the next step) one that is answered once for both passes of a body that is run twice: the
 * second pass gets the answer of the first. Outside of one it is the question itself.
 */
export function askOnce<T>(ask: () => T): () => T {
  return askIn(pass, ask);
}

function askIn<T>(within: Pass | null, ask: () => T): () => T {
  if (!within) return ask;
  const { first, again, outer } = within;
  const question = within.asked++;
  if (again) return () => first.answerTo(question) as T;
  const next = askIn(outer, ask);
  return () => first.keepAnswer(question, next());
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
