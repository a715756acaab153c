/** Kinds of instructions that tell how well a loop uses the machine. */
export type Kind =
  | "fma" // an f32 multiply-add; each half of a dual one counts
  | "packedF16" // two f16 operations in one
  | "mixedFma" // a multiply-add of f16 factors into f32
  | "vector" // any other vector instruction
  | "sharedLoad"
  | "sharedStore"
  | "load"
  | "store"
  | "other";

/** Numbers of instructions of each kind. */
export type Mix = Readonly<Partial<Record<Kind, number>>>;

/** The instructions of a shader, and those of each of its loops without the loops inside. */
export interface InstructionMix {
  /** Counts of the whole shader. */
  readonly whole: Mix;
  /** Counts of each loop, in the order of the code. */
  readonly loops: readonly Mix[];
  /** Bytes of memory that an invocation moves at most; null where a loop moves some. */
  readonly bytesAnInvocation: number | null;
}

const KINDS: readonly (readonly [RegExp, Kind])[] = [
  [/^v_fma_mix/, "mixedFma"],
  [/^v_(pk_(fma|mul|add)_f16|dot2|wmma)/, "packedF16"],
  [/^v_(dual_)?(fma|fmac|mad|mac|fmaak|fmamk)(_legacy)?_f32/, "fma"],
  [/^v_/, "vector"],
  [/^ds_(load|read)/, "sharedLoad"],
  [/^ds_(store|write)/, "sharedStore"],
  [/^(buffer|global|flat|scratch)_load/, "load"],
  [/^(buffer|global|flat|scratch)_store/, "store"],
];

/** Bytes that a load from or store to memory moves for each lane, by the end of its name. */
const WIDTHS: Readonly<Record<string, number>> = {
  b128: 16,
  dwordx4: 16,
  b96: 12,
  dwordx3: 12,
  b64: 8,
  dwordx2: 8,
  b32: 4,
  dword: 4,
};

interface Block {
  readonly kinds: Kind[];
  /** Bytes that its loads and stores move for each lane. */
  bytes: number;
  /** Blocks that it may jump to. */
  readonly jumps: string[];
}

/** Blocks of straight code by their names, in order. */
function blocksOf(assembly: string): Map<string, Block> {
  let block: Block = { kinds: [], bytes: 0, jumps: [] };
  const blocks = new Map([["BB0", block]]);
  for (const line of assembly.split("\n")) {
    const name = line.match(/^\s*(BB\d+):/)?.[1];
    if (name && !blocks.has(name)) blocks.set(name, block = { kinds: [], bytes: 0, jumps: [] });
    for (const part of line.split(";")[0]!.split("::")) {
      const [, instruction, operands] = part.match(/^\s*([a-z]\w+)(?:\s(.*))?$/) ?? [];
      if (!instruction) continue;
      const kind = KINDS.find(([pattern]) => pattern.test(instruction))?.[1] ?? "other";
      block.kinds.push(kind);
      if (kind === "load" || kind === "store") block.bytes += WIDTHS[instruction.split("_").at(-1)!] ?? 2;
      const target = /^s_c?branch/.test(instruction) && operands?.match(/BB\d+/)?.[0];
      if (target) block.jumps.push(target);
    }
  }
  return blocks;
}

/** Reads AMD's assembly as Mesa prints it. */
export function instructionMix(assembly: string): InstructionMix {
  const blocks = [...blocksOf(assembly)];
  const place = new Map(blocks.map(([name], i) => [name, i]));
  // A jump back makes a loop; several to one block are one.
  const ends = new Map<number, number>();
  blocks.forEach(([, { jumps }], i) => {
    for (const to of jumps.map((name) => place.get(name))) {
      if (to !== undefined && to <= i) ends.set(to, Math.max(i, ends.get(to) ?? i));
    }
  });
  const ranges = [...ends].sort(([a], [b]) => a - b);
  const looped = blocks.some(([, { bytes }], i) => bytes > 0 && ranges.some(([a, b]) => i >= a && i <= b));
  return {
    whole: count(blocks.map(([, block]) => block)),
    loops: ranges.map(([first, last]) => {
      const inner = ranges.filter(([a, b]) => (a !== first || b !== last) && a >= first && b <= last);
      const own = blocks.slice(first, last + 1).filter((_, i) =>
        !inner.some(([a, b]) => first + i >= a && first + i <= b)
      );
      return count(own.map(([, block]) => block));
    }),
    bytesAnInvocation: looped ? null : blocks.reduce((sum, [, { bytes }]) => sum + bytes, 0),
  };
}

function count(blocks: readonly Block[]): Mix {
  const mix: Partial<Record<Kind, number>> = {};
  for (const { kinds } of blocks) for (const kind of kinds) mix[kind] = (mix[kind] ?? 0) + 1;
  return mix;
}

/** Vector instructions of a mix. */
export function vectorOf({ fma = 0, packedF16 = 0, mixedFma = 0, vector = 0 }: Mix): number {
  return fma + packedF16 + mixedFma + vector;
}

/** Multiply-adds among the vector instructions, 0 to 1; 0 where there are none. */
export function fmaShare(mix: Mix): number {
  const { fma = 0, packedF16 = 0 } = mix;
  return (fma + packedF16) / Math.max(1, vectorOf(mix));
}

/** Multiply-adds of each vector instruction of a mix: up to 1, or 2 where they are packed. */
export function multiplyAdds(mix: Mix): number {
  return fmaShare(mix) + (mix.packedF16 ?? 0) / Math.max(1, vectorOf(mix));
}

/** The loop with the most vector instructions, or the whole where there is no loop. */
export function mainLoop({ whole, loops }: InstructionMix): Mix {
  return loops.reduce<Mix | null>((best, each) => best && vectorOf(best) >= vectorOf(each) ? best : each, null) ??
    whole;
}
