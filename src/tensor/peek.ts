import type { Device, DeviceStorage, ReadPart } from "../device/mod.ts";
import { bytesOf, type DType, viewAs } from "./dtype.ts";
import type { Shape } from "./shape.ts";
import { showElements, shownIndices } from "./show.ts";

/** Part of a tensor that is looked at; its own file imports this one. */
interface Seen {
  readonly device: Device;
  readonly shape: Shape;
  readonly dtype: DType;
  readonly storage: DeviceStorage;
}

/**
 * Writes the elements of a tensor while the caller waits, reading those that are shown and no others; null where that
 * cannot be had: outside of Deno, while a step is recorded, or after a failure that is still to be told.
 */
export function peekElements({ device, shape, dtype, storage }: Seen): string | null {
  const perWord = 4 / bytesOf(dtype);
  const words = new Map<number, number>(); // by place on the device: place in what is read
  for (const index of shownIndices(shape)) {
    const word = Math.floor(index / perWord);
    if (!words.has(word)) words.set(word, words.size);
  }
  const bytes = device.peek(partsOf(storage, [...words.keys()]));
  if (!bytes) return null;
  const values = viewAs(bytes.buffer, dtype);
  return showElements(
    shape,
    dtype,
    (index) => values[words.get(Math.floor(index / perWord))! * perWord + index % perWord]!,
  );
}

/** Joins neighbouring words into parts. */
function partsOf(storage: DeviceStorage, words: readonly number[]): ReadPart[] {
  const parts: { storage: DeviceStorage; offset: number; bytes: number }[] = [];
  for (const word of words) {
    const last = parts.at(-1);
    if (last && last.offset + last.bytes === 4 * word) last.bytes += 4;
    else parts.push({ storage, offset: 4 * word, bytes: 4 });
  }
  return parts;
}
