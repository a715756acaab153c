// How a form is chosen: what is forced, else what was timed, else what the tables say.
import type { AdapterFamily, Device } from "../../device/mod.ts";
import { environment, READ_TEXTURES } from "../../device/internal.ts";
import { Answers, type Question } from "./answers.ts";

/** The ops, and parts of ops, that have several forms. */
const FORMED = ["attention", "batchNorm", "cholesky", "conv2d", "matmul", "moments", "normalized", "pairs"] as const;

/** Name of what has several forms. */
export type Formed = typeof FORMED[number];

/** Forms that are used whatever tables and timing say: the forms by the names that `DEBUG` prints. */
export interface Forced extends Readonly<Partial<Record<Formed, string>>> {
  /** Family of adapters whose tables hold. */
  readonly family?: AdapterFamily;
  /** Whether subgroups are left alone. */
  readonly subgroups?: "off";
}

/** Values that may be forced for the settings beside forms. */
const OTHERS: ReadonlyMap<string, readonly string[]> = new Map([["family", ["cpu", "gpu"]], ["subgroups", ["off"]]]);

/** Facts about a device that choose forms, and its recordings, which follow the choice. */
type PolicyDevice = Pick<Device, "info" | "limits" | "features" | "recordings">;

/**
 * The choice of forms on one device: {@linkcode Policy.with} and the variable `FORM` of the environment force them; what
 * `tune()` timed comes next; else the tables by family of adapters (`tables.ts`, and those beside the forms) hold.
 */
export class Policy {
  #device: PolicyDevice;
  #forced: Forced;
  #answers: Answers | null = null;

  /**
   * Tables for an adapter, and what `FORM` forces.
   *
   * @throws {RangeError} If `FORM` names nothing that has forms.
   */
  constructor(device: PolicyDevice, forms: string | undefined = environment("FORM")) {
    this.#device = device;
    this.#forced = parseForms(forms ?? "");
  }

  /** Returns the family of adapters whose tables hold. */
  get family(): AdapterFamily {
    return this.#forced.family ?? this.#device.info.family;
  }

  /** Lanes of a subgroup; 0 where they cannot be used. */
  get subgroupSize(): number {
    return this.#forced.subgroups === "off" ? 0 : this.#device.info.subgroupSize;
  }

  /** Whether shaders may read storage textures. */
  get readsTextures(): boolean {
    return this.#device.features.has(READ_TEXTURES);
  }

  /** Limits of the device, which bound what a form may use. */
  get limits(): GPUSupportedLimits {
    return this.#device.limits;
  }

  /** Answers by timing; null before {@linkcode Policy.openAnswers}. */
  get answers(): Answers | null {
    return this.#answers;
  }

  /** Makes room for answers by timing. */
  openAnswers(): Answers {
    return this.#answers ??= new Answers(() => this.#device.recordings.outdate());
  }

  /** Forgets what was timed. */
  forgetAnswers(): void {
    this.#answers = null;
    this.#device.recordings.outdate();
  }

  /** The row of a table. */
  of<T>(table: Readonly<Record<AdapterFamily, T>>): T {
    return table[this.family];
  }

  /**
   * The form that is forced.
   *
   * @throws {RangeError} If it is none of `names`.
   */
  forced<F extends string>(what: Formed, names: readonly F[]): F | undefined {
    const name = this.#forced[what];
    if (name === undefined) return undefined;
    const found = names.find((each) => each === name);
    if (found === undefined) {
      throw new RangeError(`Cannot force a form of ${what} as it must be one of ${names.join(", ")}: got "${name}"`);
    }
    return found;
  }

  /** The form that is forced, or the table's. */
  choose<F extends string>(what: Formed, names: readonly F[], usual: F): F {
    return this.forced(what, names) ?? usual;
  }

  /** The answer to a question: what was timed, or the table's. */
  decide(usual: string, ask: () => Omit<Question, "usual">): string {
    return this.#answers?.find({ ...ask(), usual }) ?? usual;
  }

  /**
   * Forces forms inside `run`, beside what is forced already; of several names for one thing the innermost holds.
   *
   * @param forced Names of forms, where they serve the shape; a family of adapters; `subgroups: "off"`.
   * @returns What `run` returns.
   */
  async with<T>(forced: Forced, run: () => T | Promise<T>): Promise<T> {
    const before = this.#forced;
    this.#force({ ...before, ...forced });
    try {
      return await run();
    } finally {
      this.#force(before);
    }
  }

  #force(forced: Forced): void {
    this.#forced = forced;
    this.#device.recordings.outdate();
  }
}

/** The policy of a device; recorded steps are recorded anew once it may say something else. */
export function policyOf(device: Device): Policy {
  return device.part(Policy);
}

/** Parses what `FORM` forces: `conv2d:winograd4,matmul:rows`. */
function parseForms(text: string): Forced {
  const forced: Record<string, string> = {};
  for (const pair of text.split(/[\s,]+/).filter((pair) => pair !== "")) {
    const [what = "", name = "", ...rest] = pair.split(":");
    const known = OTHERS.get(what)?.includes(name) ?? (name !== "" && FORMED.some((each) => each === what));
    if (!known || rest.length > 0) {
      throw new RangeError(
        `Cannot use the environment variable FORM as it must list forms such as conv2d:winograd4, of ` +
          `${FORMED.join(", ")}, or family:cpu, family:gpu, subgroups:off: got "${pair}"`,
      );
    }
    forced[what] = name;
  }
  return forced as Forced;
}
