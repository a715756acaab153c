import { type Communicator, shareOf } from "../../distributed/mod.ts";
import type { EpochPlan } from "./view_source.ts";

/** A rank's part of every batch of an epoch: parts differ by one sample at most, and may be empty. */
export function planOfRank(
  group: Pick<Communicator, "rank" | "size">,
  { order, sizes, ...rest }: EpochPlan,
): EpochPlan {
  let at = 0;
  const parts = sizes.map((size) => {
    const [from, to] = shareOf(group, size);
    const part = order.subarray(at + from, at + to);
    at += size;
    return part;
  });
  const own = new Uint32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let end = 0;
  for (const part of parts) own.set(part, (end += part.length) - part.length);
  return { ...rest, order: own, sizes: parts.map(({ length }) => length) };
}
