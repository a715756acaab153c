import type { Device } from "../device/mod.ts";
import { quoted } from "../formats/internal.ts";

/** Store that keeps answers between runs; a text for each key. */
export interface TuneStore {
  /**
   * Environment that times depend on beside the adapter: versions of the library, the runtime and the driver, as far as
   * known.
   */
  readonly environment: string;
  /** The text that was saved last under a key; null when there is none. */
  load(key: string): Promise<string | null>;
  /** Saves a text. */
  save(key: string, text: string): Promise<void>;
}

type AnswerTexts = ReadonlyMap<string, string>;

/** Makes a key of everything that times depend on. */
export function storeKey({ info, limits }: Device, store: TuneStore): string {
  const { vendor, description, family, subgroupSize } = info;
  const { maxStorageBufferBindingSize, maxComputeWorkgroupStorageSize } = limits;
  const sizes = [subgroupSize, maxStorageBufferBindingSize, maxComputeWorkgroupStorageSize].join(" ");
  return [description, vendor, family, sizes, store.environment].join("; ");
}

/** The text of answers. */
export function formatAnswers(key: string, answers: AnswerTexts): string {
  const sorted = [...answers].sort(([a], [b]) => a < b ? -1 : 1);
  return `${JSON.stringify({ format: 1, key, answers: Object.fromEntries(sorted) }, null, 1)}\n`;
}

/**
 * Reads a text of {@linkcode formatAnswers}.
 *
 * @throws {SyntaxError} If it is no such text, or was saved under another key.
 */
export function parseAnswers(key: string, text: string): AnswerTexts {
  const found: unknown = JSON.parse(text);
  if (typeof found !== "object" || found === null) throw new SyntaxError("it is no object");
  const { format, key: foundKey, answers } = found as Record<string, unknown>;
  if (format !== 1) throw new SyntaxError(`its format is not 1: got ${quoted(format)}`);
  if (foundKey !== key) throw new SyntaxError(`it is of another adapter or version: got ${quoted(foundKey, 200)}`);
  if (typeof answers !== "object" || answers === null) throw new SyntaxError("it has no answers");
  const entries = Object.entries(answers);
  const wrong = entries.find(([, answer]) => typeof answer !== "string");
  if (wrong) throw new SyntaxError(`an answer is no text: got ${quoted(wrong[1])}`);
  return new Map(entries as [string, string][]);
}
