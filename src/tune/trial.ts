// Times the candidates of one question, and holds their results to the table's.
import { type Device, DeviceError } from "../device/mod.ts";
import { abs, max, sub } from "../ops/mod.ts";
import type { Answers, Question, Work } from "../ops/internal.ts";
import { type Tensor, tidy } from "../tensor/mod.ts";

/** Furthest that a result may be from the table's, relative to its largest magnitude; f16 rounds by up to 2⁻¹¹. */
const TOLERANCES: Readonly<Record<string, number>> = { f32: 1e-4, f16: 2 ** -8 };

/** Ratio to the best time in the first round from which on a candidate is timed no more. */
const HOPELESS = 1.5;

/** Rounds of the candidates that are left, and milliseconds after which there are no more of them. */
const ROUNDS = { fewest: 3, most: 12, milliseconds: 60 } as const;

/** Steps of the clock that the runs of a candidate take together, at least. */
const STEPS = 100;
/** Largest number of runs for that. */
const MOST_RUNS = 4096;

/** Milliseconds of a step of `performance.now()` in browsers. */
const WALL_STEP = 0.1;

/** A candidate that was not timed, and why. */
export interface Refusal {
  readonly answer: string;
  readonly reason: string;
}

/** Runs the candidates of a question. */
export class Trial {
  #device: Device;
  #answers: Answers;
  #question: Question;
  #work: Work;

  /** Makes the inputs: within a scope that frees them. */
  constructor(device: Device, answers: Answers, question: Question) {
    this.#device = device;
    this.#answers = answers;
    this.#question = question;
    this.#work = question.prepare();
  }

  /** The questions that the candidates ask. */
  async questions(candidates: readonly string[]): Promise<Question[]> {
    return await this.#answers.collect(async () => {
      for (const answer of candidates) {
        await this.#attempt(async () => {
          this.#once(answer);
          await this.#device.done();
        });
      }
    });
  }

  /** The candidates whose results are not the table's, or that the device refuses. */
  async refusals(candidates: readonly string[]): Promise<Refusal[]> {
    let refusals: Refusal[] = [];
    const failed = await this.#attempt(async () => void (refusals = await this.#wrong(candidates)));
    if (!failed) return refusals;
    for (const answer of candidates) {
      const reason = await this.#attempt(async () => void refusals.push(...await this.#wrong([answer])));
      if (reason) refusals.push({ answer, reason });
    }
    return refusals;
  }

  /** Milliseconds of each candidate: the best of some rounds, all candidates in turn. */
  async times(candidates: readonly string[]): Promise<Map<string, number>> {
    let runs = 1;
    let best = await this.#round(candidates, 1, runs);
    const step = this.#stamps ? clockStep(best.values()) : WALL_STEP;
    while (runs * fastestOf(best) < STEPS * step && runs < MOST_RUNS) {
      runs *= 4;
      best = await this.#round(candidates, 1, runs);
    }
    const fastest = fastestOf(best);
    const left = candidates.filter((answer) => best.get(answer)! <= HOPELESS * fastest);
    const affordable = Math.floor(ROUNDS.milliseconds / (runs * fastest * left.length));
    const rounds = Math.max(ROUNDS.fewest, Math.min(ROUNDS.most, affordable));
    for (const [answer, time] of await this.#round(left, rounds, runs)) {
      best.set(answer, Math.min(time, best.get(answer)!));
    }
    return best;
  }

  /** Reason why the device refuses what `run` does; null where it does not. */
  async #attempt(run: () => Promise<void>): Promise<string | null> {
    try {
      await run();
      return null;
    } catch (error) {
      if (!(error instanceof DeviceError)) throw error;
      await this.#recover();
      this.#work = this.#question.prepare(); // its inputs may have been in what failed
      return error.message;
    }
  }

  /** Waits until an error drags nothing more behind it. */
  async #recover(): Promise<void> {
    let last: unknown;
    for (let i = 0; i < 10; i++) {
      try {
        return await this.#device.done();
      } catch (error) {
        last = error;
      }
    }
    throw last;
  }

  async #wrong(candidates: readonly string[]): Promise<Refusal[]> {
    const { usual, sums } = this.#question;
    using expected = tidy(() => this.#result(usual));
    const tolerance = TOLERANCES[sums === "f16" ? sums : expected.dtype] ?? 0;
    using largest = tidy(() => max(abs(expected)));
    const distances = candidates.map((answer) => tidy(() => distance(this.#result(answer), expected)));
    const [scale, ...far] = await Promise.all([largest, ...distances].map((each) => each.item()));
    for (const each of distances) each.dispose();
    return candidates.flatMap((answer, i) =>
      far[i]! <= tolerance * scale! ? [] : [{ answer, reason: `its result is off by ${far[i]} of ${scale}` }]
    );
  }

  get #stamps(): boolean {
    return this.#device.features.has("timestamp-query");
  }

  async #round(candidates: readonly string[], rounds: number, runs: number): Promise<Map<string, number>> {
    return this.#stamps ? await this.#stamped(candidates, rounds, runs) : await this.#clocked(candidates, rounds, runs);
  }

  /** Times candidates by timestamp queries, all in one go. */
  async #stamped(candidates: readonly string[], rounds: number, runs: number): Promise<Map<string, number>> {
    const each = Array.from({ length: rounds }, () => candidates).flat();
    const times = await this.#device.timeEach(each.map((answer) => () => this.#times(answer, runs)));
    const best = new Map<string, number>();
    each.forEach((answer, i) => best.set(answer, Math.min(best.get(answer) ?? Infinity, times[i]! / runs)));
    return best;
  }

  /** Times candidates by the clock, where the adapter has no timestamps. */
  async #clocked(candidates: readonly string[], rounds: number, runs: number): Promise<Map<string, number>> {
    const best = new Map<string, number>();
    for (let round = 0; round < rounds; round++) {
      for (const answer of candidates) {
        const start = performance.now();
        this.#times(answer, runs);
        await this.#device.done();
        best.set(answer, Math.min(best.get(answer) ?? Infinity, (performance.now() - start) / runs));
      }
    }
    return best;
  }

  #times(answer: string, runs: number): void {
    for (let run = 0; run < runs; run++) this.#once(answer);
  }

  #once(answer: string): void {
    this.#answers.settle(this.#question.key, answer);
    tidy(() => this.#work.run()).dispose();
  }

  #result(answer: string): Tensor {
    this.#answers.settle(this.#question.key, answer);
    const result = this.#work.run();
    return this.#work.defined?.(result) ?? result;
  }
}

/** The largest difference; NaN where a difference is. */
function distance(x: Tensor, y: Tensor): Tensor {
  return max(abs(sub(x, y)));
}

function fastestOf(times: ReadonlyMap<string, number>): number {
  return Math.min(...times.values());
}

/**
 * Milliseconds of which all times are multiples, at least: timestamps may step by 65,536 ns, so that what is shorter takes
 * none at all.
 */
export function clockStep(milliseconds: Iterable<number>): number {
  let step = 0;
  for (const time of milliseconds) {
    let [a, b] = [step, Math.round(1e6 * time)];
    while (b > 0) [a, b] = [b, a % b];
    step = a;
  }
  return (step || 1e5) / 1e6;
}
