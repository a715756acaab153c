// What was found out by timing, for one device.
import type { FloatDType, Tensor } from "../../tensor/mod.ts";

/** A choice of form that an op makes by shape, with all that is needed to make it by timing. */
export interface Question {
  /** Names op, sizes and element types: equal keys have equal answers. */
  readonly key: string;
  /** The table's answer. */
  readonly usual: string;
  /** Returns all right answers, the table's among them. */
  candidates(): readonly string[];
  /** Makes inputs; `run` then does the work as the op does it, by whichever answer holds. */
  prepare(): Work;
  /** Precision in which the answers may sum a few terms, so that they differ by as much; f32 by default. */
  readonly sums?: FloatDType;
  /** Whether the answers ask questions of their own, which are to be settled first. */
  readonly composed?: boolean;
}

/** Work on inputs of its own. */
export interface Work {
  /** Runs the answer. */
  run(): Tensor;
  /** The part of a result that is defined; all of it by default. */
  defined?(result: Tensor): Tensor;
}

/** The answers for one device, and the questions that are still open. */
export class Answers {
  #changed: () => void;
  #settled = new Map<string, string>();
  #proposed = new Map<string, string>();
  #open: Map<string, Question> | null = null;

  /** Starts without answers; `changed` is called whenever a step may go another way than before. */
  constructor(changed: () => void) {
    this.#changed = changed;
  }

  /** Answers that were settled or proposed. */
  get all(): ReadonlyMap<string, string> {
    return new Map([...this.#proposed, ...this.#settled]);
  }

  /** Takes answers from elsewhere; one that is not among a question's candidates is never used. */
  propose(answers: Iterable<readonly [key: string, answer: string]>): void {
    for (const [key, answer] of answers) this.#proposed.set(key, answer);
  }

  /** Settles a question. */
  settle(key: string, answer: string): void {
    this.#settled.set(key, answer);
    this.#changed();
  }

  /** Whether a question was settled. */
  isSettled(key: string): boolean {
    return this.#settled.has(key);
  }

  /** The answer; undefined where the table's holds. */
  find(question: Question): string | undefined {
    const { key } = question;
    const settled = this.#settled.get(key);
    if (settled !== undefined) return settled;
    const proposed = this.#proposed.get(key);
    if (proposed !== undefined && question.candidates().includes(proposed)) {
      this.#settled.set(key, proposed);
      return proposed;
    }
    this.#open?.set(key, question);
    return undefined;
  }

  /** The questions that `run` asks and that nothing answers, in order. */
  async collect(run: () => unknown): Promise<Question[]> {
    const before = this.#open;
    const open = this.#open = new Map<string, Question>();
    this.#changed(); // so that recorded steps are run, not replayed
    try {
      await run();
    } finally {
      this.#open = before;
      this.#changed();
    }
    return [...open.values()];
  }
}
