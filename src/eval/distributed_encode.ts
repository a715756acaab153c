import { type Communicator, gatherNumbers, gatherOnFirst, shareOf } from "../distributed/mod.ts";
import type { Features } from "../data/mod.ts";

/** Features of some images of a data set. */
export interface EncodedRows {
  /** Features `[rows.length, dim]`. */
  readonly features: Features;
  /** The images' rows of the data set. */
  readonly rows: ArrayLike<number>;
}

/**
 * The part of some rows that a rank encodes: whole batches, the same ones as in one process. An adapter's result may
 * depend on the size of a batch in the last bit, never on who computes it.
 */
export function rowsOfRank(
  group: Pick<Communicator, "rank" | "size">,
  rows: readonly number[],
  batchSize: number,
): number[] {
  const [first, last] = shareOf(group, Math.ceil(rows.length / batchSize));
  return rows.slice(first * batchSize, last * batchSize);
}

/** Collects what all ranks encoded, one after the other, on rank 0; null on the others. A rank may have nothing. */
export async function collectRows(group: Communicator, own: EncodedRows): Promise<EncodedRows | null> {
  if (group.size === 1) return own;
  await group.barrier(); // asleep: some ranks have more to encode than others
  const { features: { data, dim }, rows } = own;
  const width = Math.max(...gatherNumbers(group, [dim]).map(([each]) => each!));
  const values = gatherOnFirst(group, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  const ids = gatherOnFirst(group, new Uint8Array(Int32Array.from(rows).buffer));
  if (!values || !ids) return null;
  const all = new Uint8Array(values.reduce((sum, { length }) => sum + length, 0));
  values.reduce((at, part) => (all.set(part, at), at + part.length), 0);
  return {
    features: { data: new Float32Array(all.buffer), dim: width },
    rows: ids.flatMap(({ buffer, byteOffset, byteLength }) => [...new Int32Array(buffer, byteOffset, byteLength / 4)]),
  };
}
