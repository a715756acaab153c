import { eventKeys, type EventValue, summaryEvent, tfRecord, tfRecords, versionEvent } from "../../formats/internal.ts";
import type { OutputFolder } from "../../formats/mod.ts";

const FILE = /^events\.out\.tfevents\.\d+\.uniformity$/;

/**
 * The event file of a folder, which TensorBoard reads. An event is with the system when it is added, so that a kill
 * leaves a last record that is cut at most; a run that goes on drops that one and what came after its checkpoint.
 */
export class EventLog {
  readonly #output: OutputFolder;
  readonly #name: string;
  readonly #known: Set<string>;

  private constructor(output: OutputFolder, name: string, known: Set<string>) {
    this.#output = output;
    this.#name = name;
    this.#known = known;
  }

  /**
   * Opens the event file of a folder, or begins one.
   *
   * @param output Folder that this process writes to.
   * @param lastStep Step after which events are dropped; -1: all of them.
   */
  static async open(output: OutputFolder, lastStep: number): Promise<EventLog> {
    const found = [...Deno.readDirSync(output.path)].map(({ name }) => name).find((name) => FILE.test(name));
    const name = found ?? `events.out.tfevents.${Math.floor(Date.now() / 1000)}.uniformity`;
    const records = found ? tfRecords(await Deno.readFile(output.file(found))) : [];
    const known = new Set<string>();
    const kept = records.filter((content) => {
      const keys = eventKeys(content);
      if (!keys || keys.tags.length === 0 || keys.step > lastStep) return false;
      for (const tag of keys.tags) known.add(keyOf(keys.step, tag));
      return true;
    });
    await output.write(name, [versionEvent(seconds()), ...kept].map(tfRecord));
    return new EventLog(output, name, known);
  }

  /** Adds numbers and histograms of a step by their tags, but for those that the step has already. */
  add(step: number, values: Readonly<Record<string, EventValue>>): void {
    const fresh = Object.entries(values).filter(([tag]) => !this.#known.has(keyOf(step, tag)));
    if (fresh.length === 0) return;
    for (const [tag] of fresh) this.#known.add(keyOf(step, tag));
    this.#output.append(this.#name, tfRecord(summaryEvent(seconds(), step, Object.fromEntries(fresh))));
  }
}

function keyOf(step: number, tag: string): string {
  return `${step} ${tag}`;
}

function seconds(): number {
  return Date.now() / 1000;
}
