import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { Device, key } from "../../mod.ts";
import { accuracy, linearScores, predictedClasses, searchLinear, softmaxSgd } from "../../src/eval/mod.ts";
import { uniformNumbers } from "../../src/tensor/internal.ts";

const device = await Device.open();

function clusters(n: number, dim: number, classes: number, spread = 0.5) {
  const noise = uniformNumbers(n * dim, key(5));
  const centres = uniformNumbers(classes * dim, key(6));
  const labels = Int32Array.from({ length: n }, (_, i) => (i * 7) % classes);
  const data = noise.map((v, i) => v + spread * centres[labels[Math.floor(i / dim)]! * dim + i % dim]!);
  return { features: { data, dim }, labels };
}

Deno.test("softmaxSgd() follows PyTorch's SGD step by step: weight decay, momentum, mean over the rows used", async () => {
  const { features, labels } = clusters(24, 3, 3);
  const rows = Uint8Array.from({ length: 24 }, (_, i) => Number(i % 4 > 0));
  const problems = [{ weightDecay: 0 }, { weightDecay: 0.1, rows }];
  const fits = await softmaxSgd(features, labels, problems, { classes: 3, epochs: 5, batchSize: 24, device });
  problems.forEach(({ weightDecay, rows }, p) => {
    const expected = plainSgd(features, labels, { weightDecay, rows, epochs: 5 });
    [...fits[p]!.weight, ...fits[p]!.bias].forEach((v, i) => assertAlmostEquals(v, expected.weights[i]!, 1e-5));
    assertAlmostEquals(fits[p]!.loss, expected.loss, 1e-5);
    assertEquals(fits[p]!.epochs, 5);
  });
});

/** Full batches in float64: the order of the rows does not matter. */
function plainSgd(
  { data, dim }: { data: Float32Array; dim: number },
  labels: Int32Array,
  { weightDecay, rows, epochs }: { weightDecay: number; rows?: Uint8Array; epochs: number },
) {
  const classes = 3;
  const used = Array.from(labels.keys()).filter((i) => rows?.[i] ?? 1);
  const w = new Float64Array((dim + 1) * classes);
  const v = new Float64Array(w.length);
  let loss = 0;
  for (let epoch = 0; epoch < epochs; epoch++) {
    const grad = w.map((each) => weightDecay * each);
    loss = 0;
    for (const i of used) {
      const x = [...data.subarray(i * dim, (i + 1) * dim), 1];
      const z = [0, 1, 2].map((c) => x.reduce((sum, each, j) => sum + each * w[j * classes + c]!, 0));
      const total = z.reduce((sum, each) => sum + Math.exp(each), 0);
      loss += (Math.log(total) - z[labels[i]!]!) / used.length;
      x.forEach((each, j) =>
        z.forEach((logit, c) =>
          grad[j * classes + c]! += each * (Math.exp(logit) / total - Number(c === labels[i])) / used.length
        )
      );
    }
    for (let i = 0; i < w.length; i++) w[i]! -= 0.1 * (v[i] = 0.9 * v[i]! + grad[i]!);
  }
  return { weights: w, loss };
}

for (const method of ["logistic", "sgd"] as const) {
  Deno.test(`searchLinear() by ${method} separates clusters and names the best of the grid`, async () => {
    const { features, labels } = clusters(150, 8, 3, 2);
    const progress: number[] = [];
    const result = await searchLinear(features, labels, {
      classes: 3,
      method,
      epochs: 25,
      batchSize: 64,
      device,
      onProgress: (done) => progress.push(done),
    });
    assertEquals([result.method, result.parameter], method === "sgd" ? ["sgd", "weight_decay"] : ["logistic", "C"]);
    assertEquals(result.trials.length, 8);
    assert(result.converged);
    const best = result.trials.find(({ value }) => value === result.best)!;
    assertEquals(best.mean, Math.max(...result.trials.map(({ mean }) => mean)));
    const predicted = predictedClasses(linearScores(result.classifier, features), 3);
    assert(accuracy(labels, predicted) > 0.9, `${accuracy(labels, predicted)}`);
    assert(progress.at(-1)! <= 1 && progress.every((done, i) => i === 0 || done >= progress[i - 1]!), `${progress}`);
  });
}

Deno.test("searchLinear() and softmaxSgd() say what is wrong with their input", async () => {
  const { features, labels } = clusters(12, 2, 2);
  const search = (labels: ArrayLike<number>) => searchLinear(features, labels, { classes: 2, device });
  await assertRejects(() => search(new Int32Array(12)), RangeError, "there must be at least two classes: got 1 in 12");
  const lonely = Int32Array.from({ length: 12 }, (_, i) => Number(i === 0));
  await assertRejects(
    () => search(lonely),
    RangeError,
    "Cannot compute searchLinear() as the training part of every fold must have at least two classes: got 1 without fold 1 of 3",
  );
  await assertRejects(() => search(labels.map((v) => v + 1)), RangeError, "must be an integer in [0, 2): got 2 at 1");
  const sgd = (options: object, weightDecay = 0) =>
    softmaxSgd(features, labels, [{ weightDecay }], { classes: 2, device, ...options });
  await assertRejects(
    () => sgd({ lr: 0 }),
    RangeError,
    "Cannot compute softmaxSgd() as lr must be > 0 and finite: current value is 0",
  );
  await assertRejects(() => sgd({ epochs: -1 }), RangeError, "epochs must be an integer >= 1: got -1");
  await assertRejects(() => sgd({}, -1), RangeError, "weightDecay must be >= 0: got -1");
});
