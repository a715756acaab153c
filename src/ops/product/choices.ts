// What was decided by timing, for each device: ops ask here, and keep their table's answer where nothing was decided.
import type { Device } from "../../device/mod.ts";
import type { Tensor } from "../../tensor/mod.ts";

/** A choice that an op makes by shape, with all that is needed to make it by timing. */
export interface Question {
  /** Names op, sizes and element types: equal keys have equal answers. */
  readonly key: string;
  /** The table's answer. */
  readonly usual: string;
  /** All right answers, the table's among them. */
  candidates(): readonly string[];
  /** Makes inputs; `run` then does the work as the op does it, by whichever answer holds. */
  rehearse(): Rehearsal;
  /** True where the answers ask questions of their own, which are to be settled first. */
  readonly composed?: boolean;
}

/** Work on inputs of its own. */
export interface Rehearsal {
  /** Does it. */
  run(): Tensor;
  /** The part of a result that is defined; all of it by default. */
  defined?(result: Tensor): Tensor;
}

/** Changes of all choices so far: every state of them has a number of its own. */
let changes = 0;

/** The answers for one device, and the questions that are still open. */
export class Choices {
  /** Another number whenever a step may go another way than before: what was recorded then no longer holds. */
  state: number = ++changes;
  #settled = new Map<string, string>();
  #proposed = new Map<string, string>();
  #open: Map<string, Question> | null = null;

  /** Everything that was settled or proposed. */
  get answers(): ReadonlyMap<string, string> {
    return new Map([...this.#proposed, ...this.#settled]);
  }

  /** Takes answers from elsewhere; one that is not among a question's candidates is never used. */
  propose(answers: Iterable<readonly [key: string, answer: string]>): void {
    for (const [key, answer] of answers) this.#proposed.set(key, answer);
  }

  /** Settles a question. */
  settle(key: string, answer: string): void {
    this.#settled.set(key, answer);
    this.state = ++changes;
  }

  /** Whether a question was settled. */
  isSettled(key: string): boolean {
    return this.#settled.has(key);
  }

  /** The answer; undefined where the table's holds. */
  answer(question: Question): string | undefined {
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
    this.state = ++changes; // so that recorded steps are run, not replayed
    try {
      await run();
    } finally {
      this.#open = before;
      this.state = ++changes;
    }
    return [...open.values()];
  }
}

const tables = new WeakMap<Device, Choices>();

/** The choices of a device; none until {@linkcode attachChoices}. */
export function choicesOf(device: Device): Choices | undefined {
  return tables.get(device);
}

/** Gives a device choices, or takes them away. */
export function attachChoices(device: Device, choices: Choices | undefined): void {
  if (choices) tables.set(device, choices);
  else tables.delete(device);
}

/** The answer to a question: what was decided for the device, or the table's. */
export function decide(device: Device, usual: string, ask: () => Omit<Question, "usual">): string {
  device.recordings.depend(() => tables.get(device)?.state ?? 0, decide);
  return tables.get(device)?.answer({ ...ask(), usual }) ?? usual;
}
