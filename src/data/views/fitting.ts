// What an adapter takes at once: every batch and every whole-set table of training and evaluation is bounded here.
import { noGrad } from "../../autograd/mod.ts";
import { type Device, DeviceError } from "../../device/mod.ts";
import { type Communicator, gatherNumbers } from "../../distributed/mod.ts";
import { scope, type Tensor, zeros } from "../../tensor/mod.ts";

/** Bytes of a part of a table: small beside the memory of any adapter. */
const PART_BYTES = 2 ** 26;

/** Rows of `columns` f32 values that are put into one binding, with room for what products pad; at least one. */
export function rowsAtOnce(device: Device, columns: number): number {
  return Math.max(1, Math.floor(Math.min(PART_BYTES, bindingBytes(device) / 2) / (4 * columns)));
}

/** The most bytes that an adapter binds at once. */
export function bindingBytes({ limits }: Device): number {
  return Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize);
}

/**
 * The largest count, at most `most`, that an adapter takes at once.
 *
 * @param work What is done with so many items, without waiting; it is rehearsed, not run (see `Device.rehearse()`).
 * @throws {DeviceError} If not even one fits.
 */
export function largestFitting(device: Device, most: number, work: (count: number) => void): number {
  const refusal = (count: number): DeviceError | null => {
    try {
      device.rehearse(() => {
        using _ = scope();
        work(count);
      });
      return null;
    } catch (error) {
      if (error instanceof DeviceError) return error;
      throw error;
    }
  };
  if (most < 1 || refusal(most) === null) return most;
  const one = refusal(1);
  if (one) throw one;
  let [fits, tooMany] = [1, most];
  while (tooMany - fits > 1) {
    const middle = Math.floor((fits + tooMany) / 2);
    if (refusal(middle) === null) fits = middle;
    else tooMany = middle;
  }
  return fits;
}

/** Encoder of images: batch normalisation in evaluation mode. */
export type Encode = (images: Tensor) => Tensor;

/** The most images `[n, resolution, resolution, 3]`, at most `most`, that an adapter encodes at once. */
export function imagesAtOnce(device: Device, encode: Encode, resolution: number, most: number): number {
  return largestFitting(
    device,
    most,
    (n) => noGrad(() => encode(zeros([n, resolution, resolution, 3], { device }))),
  );
}

/** Returns what every rank can do: the least of what each can. */
export async function leastOf(group: Communicator, own: number): Promise<number> {
  if (group.size === 1) return own;
  await group.barrier(); // asleep
  return Math.min(...gatherNumbers(group, [own]).map(([each]) => each!));
}

/** Sizes of the parts that a batch is divided into: as few as `most` allows, and alike to one. */
export function partSizes(size: number, most: number): number[] {
  return split(size, Math.ceil(size / most));
}

/** Sizes of so many parts, alike to one. */
export function split(size: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => Math.floor(size * (i + 1) / count) - Math.floor(size * i / count));
}
