/**
 * Growth of work and memory with the batch, n of the kernel part, the image's size, classes, features and ranks: counted
 * from what is dispatched and allocated at three sizes each, with the exponent of the power law that fits, beside the one
 * that the mathematics requires. Nothing is computed but the step of the ranks, which is small.
 *
 *     deno run -A bench/growth.ts
 *
 * Ends with status 1 where an exponent is larger than required by more than 0.15.
 */
import { AXES, type Axis, type Counts, exponentOf, linear } from "./_growth.ts";
import { short, table } from "./_table.ts";

const COLUMNS = ["flop", "bytes", "peak", "dispatches"] as const satisfies readonly (keyof Counts)[];
const SLACK = 0.15;

const rows: string[][] = [];
const faults: string[] = [];
for (const axis of AXES) rows.push(await rowOf(axis));
console.log(table(["what grows", "values", "GFLOP", "GB bound, or sent", "MB at the peak", "dispatches"], rows));
const [few, more] = [4096, 8192] as const;
const [first, second] = [(await linear(few, 100, 2048)).peak, (await linear(more, 100, 2048)).peak];
for (const n of [50_000, 126_000]) {
  const peak = first + (second - first) * (n - few) / (more - few);
  console.log(
    `\nlinear evaluation, ${n} x 2048 features, 100 classes: ${short(peak / 1e9)} GB on the device, from two sizes`,
  );
}
for (const fault of faults) console.error(fault);
if (faults.length > 0) Deno.exit(1);

async function rowOf(axis: Axis): Promise<string[]> {
  const counts: Counts[] = [];
  for (const value of axis.values) counts.push(await axis.count(value));
  return [axis.name, axis.values.join(", "), ...COLUMNS.map((column) => cellOf(axis, column, counts))];
}

/** The largest value, the exponent and the required one. */
function cellOf({ name, values, required }: Axis, column: typeof COLUMNS[number], counts: readonly Counts[]): string {
  const y = counts.map((each) => each[column]);
  const exponent = exponentOf(values, y);
  const most = required[column];
  if (exponent === null || most === undefined) return "";
  if (exponent > most + SLACK) {
    faults.push(`${name}: ${column} grows with an exponent of ${exponent.toFixed(2)}, and need not pass ${most}`);
  }
  const scale = { flop: 1e9, bytes: 1e9, peak: 1e6, dispatches: 1 }[column];
  return `${column === "dispatches" ? y.at(-1)! : short(y.at(-1)! / scale)}: ${exponent.toFixed(2)} (${most})`;
}
