import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { scoreTask, type Task } from "../../../src/eval/mod.ts";
import { taskChance } from "../../../src/jobs/linear/score_table.ts";
import { linearReport } from "../../../src/jobs/linear/linear_report.ts";
import type { TaskResult } from "../../../src/jobs/linear/task_result.ts";

/** Samples of some classes whose first feature tells the class, mostly. */
function taskOf(classes: readonly string[], train: readonly number[], test: readonly number[]): Task {
  const set = (labels: readonly number[]) => ({
    features: { data: Float32Array.from(labels.flatMap((label, i) => [label, (i * 7) % 5])), dim: 2 },
    labels: Int32Array.from(labels),
    rows: Int32Array.from(labels.keys()),
  });
  return { name: "classes", classes, train: set(train), test: set(test) };
}

function resultOf(task: Task): TaskResult {
  const count = task.classes.length;
  const weight = Float64Array.from({ length: 2 * count }, (_, i) => i < count ? i % count : (i % 3) / 2);
  const bias = Float64Array.from({ length: count }, (_, c) => -c * c / 2);
  const classifier = { weight, bias, dim: 2, classes: count };
  const knn = { top1: 0.5, top5: 1, mean_auroc: NaN, queries: task.test.labels.length };
  return { task, scores: scoreTask(task, classifier), search: null, epochs: null, knn };
}

const page = async (...results: TaskResult[]) =>
  await linearReport({ title: "T", lead: "", results, pictures: new Map(), facts: {}, extra: [] });

const NAMES = ["a class with a name of more letters", "b", "c"];
const THREE = taskOf(NAMES, [0, 0, 0, 1, 1, 2], [0, 1, 2, 0, 1, 2, 2, 2, 1, 0]);

Deno.test("linearReport() gives the mean AUROC of several classes its interval, and what chance would score", async () => {
  const result = resultOf(THREE);
  const { mean_auroc, mean_auroc_interval: interval } = result.scores;
  assert(interval!.low < mean_auroc && mean_auroc < interval!.high && interval!.high <= 1, JSON.stringify(interval));
  const text = await page(result);
  assertStringIncludes(
    text,
    `>${mean_auroc.toFixed(3)} (${interval!.low.toFixed(3)} to ${interval!.high.toFixed(3)})</td>`,
  );
  assertEquals(taskChance(THREE), { top1: 0.3, top5: NaN, balanced: 1 / 3 });
  assertStringIncludes(text, ">30.0 %</span>");
  assertStringIncludes(text, "chance (0.500)</span>");
});

Deno.test("taskChance() answers with the most frequent classes of the training images", () => {
  const seven = taskOf([..."abcdefg"], [6, 6, 6, 5, 5, 0, 1, 2, 3, 4], [6, 6, 5, 0, 1, 2, 3, 4, 4, 4]);
  assertEquals(taskChance(seven), { top1: 0.2, top5: 0.6, balanced: 1 / 7 });
});

Deno.test("linearReport() writes the names of columns upright, cut where they are long, and many classes as a picture", async () => {
  const text = await page(resultOf(THREE));
  assertStringIncludes(text, `<th class="class" scope="col" title="${NAMES[0]}">a class with a name of …</th>`);
  assertStringIncludes(text, `<th scope="row">${NAMES[0]}</th>`);
  const names = Array.from({ length: 17 }, (_, i) => `class ${i}`);
  const labels = Array.from({ length: 34 }, (_, i) => i % 17);
  const many = await page(resultOf(taskOf(names, labels, labels)));
  assert(!many.includes('scope="col"'));
  assertStringIncludes(many, "<title>Matrix, rows: true class, columns: predicted class</title>");
});
