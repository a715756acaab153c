/**
 * Linear evaluation at the size of a data set, whole: k-NN, one logistic regression and the scores of its classifier, on
 * made features that classes can be told by. Minutes of each part, and memory on the device and of the process.
 *
 *     deno run -A bench/eval/linear_eval.ts [rows 126000] [features 2048] [classes 100] [test rows 5000] [C 1]
 */
import process from "node:process";
import { assert } from "@std/assert";
import { Device } from "../../mod.ts";
import { accuracy, knn, linearScores, logisticRegression, predictedClasses } from "../../src/eval/mod.ts";
import { short, table } from "../_table.ts";

const [rows = 126_000, dim = 2048, classes = 100, testRows = 5000, C = 1] = Deno.args.map(Number);
const device = await Device.open();
const lines: string[][] = [];
const [train, test] = await timed("making features", () => [labelled(rows, 1), labelled(testRows, 2)] as const);
const { top1 } = await timed("k-NN", () => knn(train, test, { classes, device }));
const [fit] = await timed(
  "logistic regression",
  () => logisticRegression(train.features, train.labels, [{ C }], { classes, device, onProgress: tell }),
);
const scored = await timed("scores of the test rows", () => {
  return accuracy(test.labels, predictedClasses(linearScores(fit!, test.features), classes));
});
assert(fit!.converged, "logistic regression did not converge");
assert(top1 > 2 / classes && scored > 2 / classes, `no better than chance: ${top1} and ${scored}`);
console.log(
  `${device.info.description}; ${rows} x ${dim} features, ${classes} classes, ${testRows} test rows; top-1 of k-NN ` +
    `${short(top1)}, of logistic regression ${short(scored)}, ${fit!.iterations} iterations`,
);
console.log(table(["part", "minutes", "of processor time", "device, peak GB", "process, peak GB so far"], lines));
device.close();

/** Tells how far a fit is, as it takes minutes. */
function tell(): void {
  const { user, system } = process.cpuUsage();
  console.error(
    `  after ${short((user + system) / 60e6)} min of processor time, ${short(device.memory.peak / 1e9)} GB`,
  );
}

async function timed<T>(name: string, body: () => T | Promise<T>): Promise<T> {
  device.trim();
  device.resetPeakMemory();
  const [start, before] = [performance.now(), process.cpuUsage()];
  const result = await body();
  const minutes = (performance.now() - start) / 60_000;
  const { user, system } = process.cpuUsage(before);
  const numbers = [minutes, (user + system) / 60e6, device.memory.peak / 1e9, await residentPeak() / 1e9];
  lines.push([name, ...numbers.map(short)]);
  console.error(lines.at(-1)!.join(", "));
  return result;
}

/** Features as a ReLU leaves them: a centre for each class, and noise several times as large. */
function labelled(count: number, seed: number) {
  const centres = noise(classes * dim, 0).map((x) => 0.25 * x);
  const data = noise(count * dim, seed);
  const labels = Int32Array.from({ length: count }, (_, i) => i % classes);
  for (let i = 0; i < count; i++) {
    const from = labels[i]! * dim;
    for (let j = 0; j < dim; j++) data[i * dim + j] = Math.max(0, data[i * dim + j]! + centres[from + j]!);
  }
  return { features: { data, dim }, labels };
}

/** Sums of two uniform numbers, of variance 1, from a linear congruence. */
function noise(count: number, seed: number): Float32Array<ArrayBuffer> {
  let state = (seed + 1) * 0x9e3779b9 >>> 0;
  const next = () => (state = Math.imul(state, 1664525) + 1013904223 >>> 0) / 2 ** 32;
  const out = new Float32Array(count);
  for (let i = 0; i < count; i++) out[i] = Math.sqrt(6) * (next() + next() - 1);
  return out;
}

/** Bytes that the process held at most so far, or holds now where the system does not tell. */
async function residentPeak(): Promise<number> {
  const status = await Deno.readTextFile("/proc/self/status").catch(() => "");
  const kilobytes = /^VmHWM:\s*(\d+)/m.exec(status)?.[1];
  return kilobytes === undefined ? Deno.memoryUsage().rss : 1024 * Number(kilobytes);
}
