// Events of TensorBoard, by the field numbers of event.proto and summary.proto.
import type { Bytes } from "./dtype.ts";
import {
  bytesField,
  doubleField,
  doublesField,
  floatField,
  integerField,
  type ProtobufField,
  protobufFields,
} from "./protobuf.ts";
import { concatBytes } from "./source.ts";

/** Counts of values between edges. */
export interface Histogram {
  /** Least value. */
  readonly min: number;
  /** Greatest value. */
  readonly max: number;
  /** Sum of the values. */
  readonly sum: number;
  /** Sum of their squares. */
  readonly squares: number;
  /** Upper edges of the bins, ascending. */
  readonly edges: readonly number[];
  /** Values of each bin. */
  readonly counts: readonly number[];
}

/** Value that an event holds under a name. */
export type EventValue = number | Histogram;

/** The first event of a file. */
export function versionEvent(seconds: number): Bytes {
  return concatBytes([doubleField(1, seconds), bytesField(3, "brain.Event:2")]);
}

/** An event of a step: numbers and histograms by their tags. */
export function summaryEvent(seconds: number, step: number, values: Readonly<Record<string, EventValue>>): Bytes {
  const entries = Object.entries(values).map(([tag, value]) =>
    bytesField(1, [bytesField(1, tag), typeof value === "number" ? floatField(2, value) : histogramField(value)])
  );
  return concatBytes([doubleField(1, seconds), ...step === 0 ? [] : [integerField(2, step)], bytesField(5, entries)]);
}

function histogramField({ min, max, sum, squares, edges, counts }: Histogram): Bytes {
  const total = counts.reduce((a, b) => a + b, 0);
  const numbers = [min, max, total, sum, squares].flatMap((value, i) => value === 0 ? [] : [doubleField(i + 1, value)]);
  return bytesField(5, [...numbers, doublesField(6, edges), doublesField(7, counts)]);
}

/** The step of an event and the tags of its values; null where it is none. */
export function eventKeys(content: Bytes): { step: number; tags: string[] } | null {
  const fields = protobufFields(content);
  if (!fields) return null;
  const step = Number(fields.find(({ field }) => field === 2)?.value ?? 0n);
  const tags = messagesOf(fields, 5).flatMap((summary) => messagesOf(summary, 1)).flatMap((value) =>
    value.flatMap(({ field, value }) => field === 1 && value instanceof Uint8Array ? [decode(value)] : [])
  );
  return Number.isSafeInteger(step) ? { step, tags } : null;
}

function messagesOf(fields: readonly ProtobufField[], number: number): ProtobufField[][] {
  return fields.flatMap(({ field, value }) => {
    const inner = field === number && value instanceof Uint8Array ? protobufFields(value) : null;
    return inner ? [inner] : [];
  });
}

function decode(bytes: Bytes): string {
  return new TextDecoder().decode(bytes);
}
