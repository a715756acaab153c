import { percent, short, table } from "../_table.ts";
import { CARDS, type Family } from "./_cards.ts";
import type { Line } from "./_estimate.ts";
import type { StepSettings } from "./_step.ts";

/** The file that keeps the tables, between these lines. */
export const README = new URL("../README.md", import.meta.url);
export const [START, END] = ["<!-- gpu:compile -->", "<!-- end of gpu:compile -->"];

/** The steps whose tables bench/README.md keeps. */
export const STEPS = [
  { network: "resnet18", images: 512, mixed: false },
  { network: "resnet18", images: 512, mixed: true },
  { network: "resnet50", images: 128, mixed: false },
  { network: "resnet50", images: 128, mixed: true },
  { network: "resnet18", images: 512, mixed: true, sums: "f16" },
  { network: "resnet50", images: 128, mixed: true, sums: "f16" },
] as const satisfies StepSettings[];

/** Sum of what `of` tells of each. */
export function sum<T>(all: readonly T[], of: (one: T) => number): number {
  return all.reduce((total, one) => total + of(one), 0);
}

/** The title of a step's table. */
export function titleOf({ network, images, mixed, sums = "f32" }: StepSettings, family: Family): string {
  return `${network} ${images}${mixed ? " --mixed" : ""}${sums === "f16" ? " --sums f16" : ""} --family ${family}`;
}

/** A step's totals, and its `top` pipelines as a table. */
export function report(settings: StepSettings, family: Family, lines: readonly Line[], top: number): string {
  const seconds = sum(lines, (line) => line.seconds);
  const totals = `${titleOf(settings, family)}, ${CARDS[family].name}: ${lines.length} programs, ` +
    `${sum(lines, (line) => line.calls)} dispatches, ${short(sum(lines, (line) => line.bytes) / 1e9)} GB, ` +
    `${short(1e3 * seconds)} ms by the model, ${sum(lines, (line) => line.spills)} registers spilled`;
  const rows = lines.slice(0, top).map((line) => [
    line.name,
    line.calls,
    short(1e3 * line.seconds),
    percent(line.seconds / seconds),
    short(line.bytes / 1e9),
    line.boundBy,
    percent(line.fma),
    line.product ? short(line.loadsPerFma) : "",
    line.registers,
    line.waves,
  ]);
  const head = ["shader", "calls", "ms", "of the step", "GB", "bound by", "FMA", "loads / FMA", "registers", "waves"];
  return rows.length > 0 ? `${totals}\n\n${table(head, rows)}` : totals;
}

/** Share of a step under which a shader is not listed. */
export const LISTED = 0.01;

/** Points of FMA share that a shader may lose against the committed table. */
const TOLERANCE = 3;

/** Least FMA share of a product's main loop, in per cent; where an instruction is two multiply-adds, more would be others. */
const LEAST = { plain: 85, packed: 50 } as const;

/** FMA shares, in per cent, of the committed table of a step: several where shaders have one name. */
export async function committedShares(settings: StepSettings, family: Family): Promise<Map<string, number[]>> {
  const text = await Deno.readTextFile(README);
  const start = text.indexOf(`${titleOf(settings, family)}, `, text.indexOf(START));
  if (start < 0) throw new Error(`Cannot compare as bench/README.md must have ${titleOf(settings, family)}`);
  const shares = new Map<string, number[]>();
  for (const line of text.slice(start).split("\n").slice(2)) {
    if (!line.startsWith("|")) break;
    const cells = line.split("|").map((cell) => cell.trim());
    const share = parseInt(cells[7]!, 10);
    if (share >= 0) shares.set(cells[1]!, [...shares.get(cells[1]!) ?? [], share]);
  }
  return shares;
}

/**
 * Lists what is worse than it may be: a spilled register, a product that carries over 1 % of the step and whose loop
 * has under 85 % multiply-adds (50 % packed ones), a listed shader whose share fell by more than 3 points.
 */
export function faultsOf(lines: readonly Line[], committed: ReadonlyMap<string, readonly number[]>): string[] {
  const least = LISTED * sum(lines, ({ seconds }) => seconds);
  return lines.flatMap((line) => {
    const share = Math.round(100 * line.fma);
    const before = Math.min(...committed.get(line.name) ?? [share]);
    const wanted = LEAST[/ half\d/.test(line.name) ? "packed" : "plain"];
    return [
      ...(line.spills > 0 ? [`${line.name} spills ${line.spills} registers`] : []),
      ...(line.product && line.seconds > least && share < wanted ? [`${line.name} has ${share} % multiply-adds`] : []),
      ...(share < before - TOLERANCE ? [`${line.name} fell from ${before} to ${share} % multiply-adds`] : []),
    ];
  });
}
