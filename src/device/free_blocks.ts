import type { Block, FreeBlocks } from "./blocks.ts";

/**
 * Size, in bytes, from which on blocks are made to measure and serve smaller requests: what a step holds is mostly of
 * these.
 */
const LARGE = 2 ** 20;

/** Largest ratio of a large free block to the bytes asked for. */
const SLACK = 1.4;

/**
 * Rounds up to an eighth of a power of two, or to a 64th from 1 MiB on: at most 12.5 % and 1.6 % are wasted, and like
 * sizes share blocks.
 */
export function sizeClass(bytes: number): number {
  if (bytes <= 256) return 256;
  const step = 2 ** Math.max(4, Math.floor(Math.log2(bytes - 1)) - (bytes < LARGE ? 3 : 6));
  return Math.ceil(bytes / step) * step;
}

/** The size class of the free block that suits best: the same, or for a large request the next within the slack. */
function bestClass(free: FreeBlocks, capacity: number): number {
  if (capacity < LARGE || free.get(capacity)?.length) return capacity;
  let best = Infinity;
  for (const [size, blocks] of free) if (size >= capacity && size < best && blocks.length > 0) best = size;
  return best <= SLACK * capacity ? best : capacity;
}

/** Takes the lowest id of the best class out of the free blocks (free lists by size class, best fit). */
export function takeBest(free: FreeBlocks | undefined, capacity: number): Block | undefined {
  return free?.get(bestClass(free, capacity))?.shift();
}

/** Puts a block back where its id belongs. */
export function insertById(free: FreeBlocks, block: Block): void {
  let blocks = free.get(block.capacity);
  if (!blocks) free.set(block.capacity, blocks = []);
  let low = 0;
  let high = blocks.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (blocks[middle]!.id < block.id) low = middle + 1;
    else high = middle;
  }
  blocks.splice(low, 0, block);
}
