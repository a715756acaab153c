import { type Device, tune, type TunedChoice } from "../mod.ts";

/** Tunes for what benches run, without a store: every run of a bench makes its choices anew. */
export class Tuned {
  readonly #device: Device;
  readonly #choices: TunedChoice[] = [];
  readonly #notes: string[] = [];
  #milliseconds = 0;

  /** Tunes for a device. */
  constructor(device: Device) {
    this.#device = device;
  }

  /** Tunes for what `run` does. */
  async add(run: () => void): Promise<void> {
    const { choices, milliseconds } = await tune(run, {
      device: this.#device,
      onNote: (note) => this.#notes.push(note),
    });
    this.#choices.push(...choices);
    this.#milliseconds += milliseconds;
  }

  /** Lists what was chosen other than the table has it, the largest gain first, as lines of Markdown. */
  lines(): string[] {
    const gain = ({ milliseconds }: TunedChoice) => milliseconds.usual - milliseconds.chosen;
    const changed = this.#choices.filter(({ usual, chosen }) => usual !== chosen).sort((a, b) => gain(b) - gain(a));
    return [
      `Tuned in ${
        (this.#milliseconds / 1000).toFixed(1)
      } s: ${changed.length} of ${this.#choices.length} choices are ` +
      "other than the table's (TUNE=0 keeps to the table)",
      ...this.#notes,
      "",
      "| shape | table | ms | tuned | ms |",
      "| --- | --- | ---: | --- | ---: |",
      ...changed.map(({ question, usual, chosen, milliseconds }) =>
        `| ${question} | ${usual} | ${milliseconds.usual.toFixed(3)} | ${chosen} | ${milliseconds.chosen.toFixed(3)} |`
      ),
    ];
  }
}
