import type { Communicator } from "./communicator.ts";

/** The means over all ranks of some numbers. */
export function means(group: Communicator, values: readonly number[]): number[] {
  return totals(group, values).map((total) => total / group.size);
}

/** The sums over all ranks of some numbers. */
export function totals(group: Communicator, values: readonly number[]): number[] {
  const sums = Float64Array.from(values);
  group.allReduce(sums);
  return [...sums];
}

/** The numbers of every rank: `[rank][i]`. All ranks must give as many. */
export function gatherNumbers(group: Communicator, values: readonly number[]): number[][] {
  const all = new Float64Array(group.allGather(Float64Array.from(values)).buffer);
  return Array.from({ length: group.size }, (_, r) => [...all.subarray(r * values.length, (r + 1) * values.length)]);
}

/** The bytes of every rank, as many as each has. */
export function gatherBytes(group: Communicator, bytes: Uint8Array): Uint8Array<ArrayBuffer>[] {
  const sizes = gatherNumbers(group, [bytes.length]).map(([size]) => size!);
  const longest = Math.max(...sizes);
  const padded = new Uint8Array(longest);
  padded.set(bytes);
  const all = group.allGather(padded);
  return sizes.map((size, r) => all.slice(r * longest, r * longest + size));
}

/** Bytes of a rank that move at once in {@linkcode gatherOnFirst}. */
const ROUND_BYTES = 2 ** 24;

/**
 * The bytes of every rank, as many as each has, on rank 0 and null on the others; piece by piece, so that no rank but the
 * first needs room for them.
 */
export function gatherOnFirst(group: Communicator, bytes: Uint8Array): Uint8Array[] | null {
  if (group.size === 1) return [bytes];
  const sizes = gatherNumbers(group, [bytes.length]).map(([size]) => size!);
  const all = group.rank === 0 ? sizes.map((size) => new Uint8Array(size)) : null;
  for (let from = 0; from < Math.max(...sizes); from += ROUND_BYTES) {
    const parts = gatherBytes(group, bytes.subarray(from, from + ROUND_BYTES));
    for (const [rank, part] of parts.entries()) if (part.length > 0) all?.[rank]?.set(part, from);
  }
  return all;
}

/** Runs something on rank 0 before the others do it: what is missing is then downloaded or written once. */
export async function firstBeforeOthers<T>(group: Communicator, work: () => Promise<T>): Promise<T> {
  if (group.rank > 0) await group.barrier();
  const result = await work();
  if (group.rank === 0) await group.barrier();
  return result;
}

/** Gives every rank the value of rank 0, which JSON must be able to hold. */
export function broadcastJson<T>(group: Communicator, value: T): T {
  const text = new TextEncoder().encode(JSON.stringify(value ?? null));
  const size = Float64Array.of(text.length);
  group.broadcast(size);
  const bytes = group.rank === 0 ? text : new Uint8Array(size[0]!);
  group.broadcast(bytes);
  return JSON.parse(new TextDecoder().decode(bytes));
}

/**
 * Checks that all ranks agree on some facts, given as text by name.
 *
 * @throws {TypeError} On every rank, naming the ranks that differ from rank 0, and how.
 */
export function checkAgreement(group: Communicator, facts: Readonly<Record<string, string>>): void {
  const own = new TextEncoder().encode(JSON.stringify(facts));
  const all = gatherBytes(group, own).map((bytes) =>
    JSON.parse(new TextDecoder().decode(bytes)) as Record<string, string>
  );
  const [first] = all as [Record<string, string>];
  const names = [...new Set(all.flatMap(Object.keys))];
  const differences = all.flatMap((facts, rank) =>
    names.filter((name) => facts[name] !== first[name])
      .map((name) => `${name} is ${facts[name] ?? "none"} on rank ${rank} and ${first[name] ?? "none"} on rank 0`)
  );
  if (differences.length > 0) {
    throw new TypeError(`Cannot work together as the ranks differ: ${differences.slice(0, 8).join("; ")}`);
  }
}

/** The part of `count` things that a rank takes: from the first to before the second; parts differ by one at most. */
export function shareOf(
  { rank, size }: Pick<Communicator, "rank" | "size">,
  count: number,
): [from: number, to: number] {
  return [Math.floor(count * rank / size), Math.floor(count * (rank + 1) / size)];
}
