import { type Communicator, gatherBytes, shareOf } from "../distributed/mod.ts";
import type { Tensor } from "../tensor/mod.ts";
import { encode, type EncodeOptions, type Encoder } from "./encode.ts";
import type { Features } from "./retrieval.ts";

/**
 * Features of all images, of which each rank encodes its part; all ranks get all of them, in the order of the images.
 *
 * @param group The ranks; each has the same encoder.
 * @param encoder Maps `[n, h, w, 3]` to `[n, dim]`.
 * @param length Images in all, at least one a rank.
 * @param images Makes the normalised images of rows `[from, to)`, `[to - from, h, w, 3]`.
 * @throws {RangeError} If there are fewer images than ranks.
 */
export async function encodeTogether(
  group: Communicator,
  encoder: Encoder,
  length: number,
  images: (from: number, to: number) => Tensor | Promise<Tensor>,
  options: EncodeOptions = {},
): Promise<Features> {
  if (length < group.size) {
    throw new RangeError(
      `Cannot encode as each of ${group.size} ranks must have an image: got ${length} images`,
    );
  }
  const [first, last] = shareOf(group, length);
  const part = await encode(encoder, last - first, (from, to) => images(first + from, first + to), options);
  const parts = gatherBytes(group, new Uint8Array(part.data.buffer, part.data.byteOffset, part.data.byteLength));
  const data = new Float32Array(length * part.dim);
  let at = 0;
  for (const { buffer } of parts) {
    const values = new Float32Array(buffer);
    data.set(values, at);
    at += values.length;
  }
  return { data, dim: part.dim };
}
