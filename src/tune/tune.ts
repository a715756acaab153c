import { Device } from "../device/mod.ts";
import { type Answers, policyOf, type Question } from "../ops/internal.ts";
import { scope } from "../tensor/mod.ts";
import { formatAnswers, parseAnswers, storeKey, type TuneStore } from "./store.ts";
import { Trial } from "./trial.ts";
import { checkOptions } from "../tensor/internal.ts";

/** Settings of {@linkcode tune}. */
export interface TuneOptions {
  /** The device to tune for; the default device by default. */
  device?: Device;
  /** Store that keeps choices between runs; none by default. */
  store?: TuneStore;
  /**
   * Tells steps apart, by all sizes that matter. A step that was tuned under its name, in this process or in one whose
   * store this is, is not run again; without a name it always is.
   */
  name?: string;
  /** Callback before anything is timed, with the number of choices to make. */
  onStart?: (choices: number) => void;
  /** Callback with a sentence when the store cannot be used, or a candidate is refused. */
  onNote?: (message: string) => void;
}

/** A choice that was made by timing. */
export interface TunedChoice {
  /** The op and its sizes. */
  readonly question: string;
  /** Form that the table gives. */
  readonly usual: string;
  /** Form that is used from now on. */
  readonly chosen: string;
  /** Milliseconds of either. */
  readonly milliseconds: { readonly usual: number; readonly chosen: number };
}

/** A candidate that is not used as it is wrong, or as the device refuses it. */
export interface TuneRefusal {
  /** The op and its sizes. */
  readonly question: string;
  /** The candidate. */
  readonly answer: string;
  /** Reason of the refusal. */
  readonly reason: string;
}

/** Report of {@linkcode tune} (autotuning). */
export interface TuneReport {
  /** The choices that were made; empty when all were known. */
  readonly choices: readonly TunedChoice[];
  /** Candidates that were found wrong. */
  readonly refusals: readonly TuneRefusal[];
  /** Clock of the timings: by the GPU's own timestamps, or by the clock where the adapter has none. */
  readonly clock: "timestamps" | "wall";
  /** Milliseconds of everything but running the step. */
  readonly milliseconds: number;
}

/** Share of the time of the table's answer that another one may take at most to be chosen: the rest is noise. */
const GAIN = 0.97;

/**
 * Chooses, for each matrix product and convolution of a step, the fastest of the forms that suit the adapter: algorithm,
 * tile and parts of the sum. From then on these are used for the same shapes on this device, in forward and backward.
 *
 * The step is run once, as it is, with what is known so far (unless its `name` says that all is). Then each choice that is open is made by timing its
 * candidates on random numbers. A candidate is used only if its result is that of the table's choice, within 1e-4 of the
 * largest magnitude (2⁻⁸ in f16); so Winograd's convolution, whose error is about three times that of the plain sum, is among them.
 * Other forms add in another order, so results differ in their last bits from an untuned run's.
 *
 * A step of `compile()` is recorded anew after this.
 *
 * @param step What to tune for, for example a training step; it may be asynchronous.
 * @returns What was chosen, in the order in which it was settled.
 * @throws {DeviceError} If the step fails, or the device is lost.
 *
 * @example Usage
 * ```ts
 * import { Device, key, matmul, scope, tune, uniform } from "@decoupled/uniformity";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * using _scope = scope();
 * const a = uniform([64, 64], { key: key(0) });
 * const { choices } = await tune(() => matmul(a, a));
 * assertEquals(choices.length, 1);
 * assertEquals((await tune(() => matmul(a, a))).choices, []); // known by now
 * ```
 */
export async function tune(step: () => unknown, options: TuneOptions = {}): Promise<TuneReport> {
  checkOptions("run tune()", options, ["device", "store", "name", "onStart", "onNote"]);
  const { device = Device.current, store, name, onStart, onNote = () => {} } = options;
  const start = performance.now();
  const answers = policyOf(device).answers ?? await openAnswers(device, store, onNote);
  const loaded = performance.now();
  const report = { clock: device.features.has("timestamp-query") ? "timestamps" : "wall" } as const;
  const mark = `step ${name}`;
  if (name !== undefined && answers.all.has(mark)) {
    return { ...report, choices: [], refusals: [], milliseconds: loaded - start };
  }
  const questions = await answers.collect(step);
  await device.done();
  const stepped = performance.now();
  const tuner = new Tuner(device, answers, onNote);
  if (questions.length > 0) {
    onStart?.(questions.length);
    for (const question of questions) await tuner.settle(question);
    device.trim();
  }
  if (name !== undefined) answers.settle(mark, "tuned");
  if (store && (questions.length > 0 || name !== undefined)) await save(device, answers, store, onNote);
  const milliseconds = loaded - start + performance.now() - stepped;
  return { ...report, choices: tuner.made, refusals: tuner.refusals, milliseconds };
}

class Tuner {
  readonly made: TunedChoice[] = [];
  readonly refusals: TuneRefusal[] = [];
  #device: Device;
  #answers: Answers;
  #onNote: (message: string) => void;

  constructor(device: Device, answers: Answers, onNote: (message: string) => void) {
    this.#device = device;
    this.#answers = answers;
    this.#onNote = onNote;
  }

  async settle(question: Question): Promise<void> {
    const { key, usual } = question;
    if (this.#answers.isSettled(key)) return; // settled for a candidate of another question
    let candidates = question.candidates();
    if (candidates.length === 1) return this.#answers.settle(key, usual);
    using _ = scope();
    const trial = new Trial(this.#device, this.#answers, question);
    try {
      if (question.composed) {
        for (const part of await trial.questions(candidates)) await this.settle(part);
      }
      const refused = await trial.refusals(candidates.filter((answer) => answer !== usual));
      for (const { answer, reason } of refused) this.#refuse({ question: key, answer, reason });
      candidates = candidates.filter((answer) => !refused.some((refusal) => refusal.answer === answer));
      this.#decide(question, await trial.times(candidates));
    } catch (error) {
      this.#answers.settle(key, usual);
      throw error;
    }
  }

  #decide({ key, usual }: Question, times: ReadonlyMap<string, number>): void {
    const [fastest, time] = [...times].reduce((best, each) => each[1] < best[1] ? each : best);
    const before = times.get(usual)!;
    const chosen = time <= GAIN * before ? fastest : usual;
    this.#answers.settle(key, chosen);
    this.made.push({ question: key, usual, chosen, milliseconds: { usual: before, chosen: times.get(chosen)! } });
  }

  #refuse(refusal: TuneRefusal): void {
    this.refusals.push(refusal);
    this.#onNote(`"${refusal.answer}" is not used for ${refusal.question} as ${refusal.reason}`);
  }
}

/** Answers for a device, with what the store knows. */
async function openAnswers(
  device: Device,
  store: TuneStore | undefined,
  onNote: (message: string) => void,
): Promise<Answers> {
  const answers = policyOf(device).openAnswers();
  if (!store) return answers;
  const key = storeKey(device, store);
  try {
    const text = await store.load(key);
    if (text !== null) answers.propose(parseAnswers(key, text));
  } catch (error) {
    onNote(`Cannot use what was tuned before: ${messageOf(error)}; it is tuned again`);
  }
  return answers;
}

async function save(
  device: Device,
  answers: Answers,
  store: TuneStore,
  onNote: (message: string) => void,
): Promise<void> {
  const key = storeKey(device, store);
  try {
    await store.save(key, formatAnswers(key, answers.all));
  } catch (error) {
    onNote(`Cannot keep what was tuned: ${messageOf(error)}`);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
