// A model of the time that a card takes, from its compiler's code: to rank what to better, not to promise.
import { fmaShare, mainLoop, multiplyAdds } from "./_assembly.ts";
import type { Card, CardCode } from "./_cards.ts";
import type { Dispatch, Used } from "./_step.ts";

/** A pipeline in a step, as a card would run it. */
export interface Line {
  /** Shader, and the constants that are set. */
  readonly name: string;
  /** Dispatches. */
  readonly calls: number;
  /** Seconds of all. */
  readonly seconds: number;
  /** Bytes read and written by what is used. */
  readonly bytes: number;
  /** Whether bytes take longer than instructions. */
  readonly boundBy: "bytes" | "instructions";
  /** Multiply-adds among the vector instructions of the main loop, 0 to 1. */
  readonly fma: number;
  /** Loads from shared memory and memory for each multiply-add of the main loop. */
  readonly loadsPerFma: number;
  /** Vector registers. */
  readonly registers: number;
  /** Registers spilled. */
  readonly spills: number;
  /** Waves that a vector unit can hold. */
  readonly waves: number;
  /** Whether the program is a product in tiles, whose main loop should multiply and add and do little else. */
  readonly product: boolean;
}

/** Rows and columns of the block that a workgroup of a tile sums. */
function tileOf(label: string): readonly [number, number] | null {
  const [, high, wide = high, tall, broad] = label.match(/ (?:tile|half)(\d+)(?:x(\d+))?(?:of(\d)x(\d))?[ .]/) ?? [];
  if (!high) return null;
  return [Number(high) * (tall === "4" ? 0.5 : 1), Number(wide) * (broad === "4" ? 0.5 : 1)];
}

/** Operations that a tile's dispatch executes, its edges included. */
function flopOf(label: string, { workgroups, params }: Dispatch): number | null {
  const tile = tileOf(label);
  if (!tile || params["inner"] === undefined) return null;
  const { inner, splits = 1, stride_h = 1, stride_w = 1 } = params;
  const skipped = label.includes("inputGrad") ? stride_h * stride_w : 1;
  return 2 * workgroups * tile[0] * tile[1] * inner / splits / skipped;
}

/** Counts the bytes that are bound, or that all invocations can move where that is less. */
function bytesOf({ bound, workgroups }: Dispatch, { invocations, bytesAnInvocation }: CardCode): number {
  return bytesAnInvocation === null ? bound : Math.min(bound, workgroups * invocations * bytesAnInvocation);
}

/** Estimates how a card would run a pipeline's dispatches. */
export function lineOf({ pipeline, dispatches }: Used, code: CardCode, card: Card): Line {
  const { statistics, invocations } = code;
  const loop = mainLoop(code);
  const [fma, rate] = [fmaShare(loop), multiplyAdds(loop)];
  let [seconds, computing, moving, bytes] = [0, 0, 0, 0];
  for (const dispatch of dispatches) {
    const flop = flopOf(pipeline.label, dispatch);
    const waves = dispatch.workgroups * Math.max(1, invocations / 64);
    const compute = flop !== null
      ? flop / (card.flops * Math.max(rate, 0.01))
      : waves * statistics["Inverse Throughput"]! / (card.simds * card.clock);
    const move = bytesOf(dispatch, code) / card.bytes;
    seconds += Math.max(compute, move);
    computing += compute;
    moving += move;
    bytes += bytesOf(dispatch, code);
  }
  const set = Object.entries(pipeline.constants ?? {}).filter(([, value]) => Number(value) !== 0);
  return {
    name: `${pipeline.label}${set.length > 0 ? ` [${set.map(([name]) => name)}]` : ""}`,
    calls: dispatches.length,
    seconds,
    bytes,
    boundBy: moving > computing ? "bytes" : "instructions",
    fma,
    loadsPerFma: ((loop.sharedLoad ?? 0) + (loop.load ?? 0)) / Math.max(1, (loop.fma ?? 0) + 2 * (loop.packedF16 ?? 0)),
    registers: statistics["VGPRs"]!,
    spills: statistics["Spilled VGPRs"]! + statistics["Spilled SGPRs"]!,
    waves: statistics["Subgroups per SIMD"]!,
    product: tileOf(pipeline.label) !== null,
  };
}
