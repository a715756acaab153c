import { assertEquals, assertThrows } from "@std/assert";
import { backward, requireGrad } from "../../../src/autograd/mod.ts";
import { Device } from "../../../src/device/mod.ts";
import { add, mul } from "../../../src/ops/elementwise/binary.ts";
import { sum } from "../../../src/ops/reduce/sum.ts";
import { batchNorm, batchNormOf, type BatchNormOptions } from "../../../src/ops/norm/batch_norm.ts";
import { mergeMoments, sliceMoments } from "../../../src/ops/norm/batch_norm_passes.ts";
import {
  full,
  key,
  normal,
  ones,
  scope,
  type Shape,
  sizeOf,
  type Tensor,
  tensor,
  uniform,
  zeros,
} from "../../../src/tensor/mod.ts";
import { assertClose, gradcheck, TOLERANCE } from "../../../src/testing/mod.ts";
import { eachFamily, eachNorm, inFamily } from "../shared/_forms.ts";

const device = await Device.open();

interface Case {
  x: Tensor;
  options: BatchNormOptions & { runningMean: Tensor; runningVar: Tensor };
}

function makeCase(shape: Shape, mode: { training: boolean; relu: boolean; residual: boolean }, mean = 3): Case {
  const c = shape.at(-1)!;
  const options = {
    weight: normal([c], { key: key(2) }),
    bias: normal([c], { key: key(3) }),
    runningMean: normal([c], { key: key(4), mean }),
    runningVar: uniform([c], { key: key(5), low: 0.5, high: 2 }),
    residual: mode.residual ? normal(shape, { key: key(6) }) : undefined,
    training: mode.training,
    relu: mode.relu,
  };
  return { x: normal(shape, { key: key(1), mean, std: 2 }), options };
}

/** Batch normalisation in float64, with the running statistics that follow. */
async function reference({ x, options }: Case): Promise<{ y: Float64Array; mean: number[]; variance: number[] }> {
  const { weight, bias, runningMean, runningVar, residual, training, relu, momentum = 0.1, eps = 1e-5 } = options;
  const [xs, ws, bs, means, variances, rs] = await Promise.all(
    [x, weight, bias, runningMean, runningVar, residual].map((t) => t?.data()),
  );
  const c = x.shape.at(-1)!;
  const rows = sizeOf(x.shape) / c;
  const y = new Float64Array(x.size);
  const [mean, variance] = [Array.from(means!), Array.from(variances!)];
  for (let k = 0; k < c; k++) {
    const column = Array.from({ length: rows }, (_, i) => xs![i * c + k]!);
    let m = mean[k]!;
    let v = variance[k]!;
    if (training) {
      m = column.reduce((a, b) => a + b, 0) / rows;
      v = column.reduce((a, b) => a + (b - m) ** 2, 0) / rows;
      mean[k] = (1 - momentum) * mean[k]! + momentum * m;
      variance[k] = (1 - momentum) * variance[k]! + momentum * v * rows / (rows - 1);
    }
    column.forEach((value, i) => {
      const at = i * c + k;
      const z = (value - m) / Math.sqrt(v + eps) * ws![k]! + bs![k]! + (rs?.[at] ?? 0);
      y[at] = relu ? Math.max(z, 0) : z;
    });
  }
  return { y, mean, variance };
}

const FLAGS = [false, true];
const MODES = FLAGS.flatMap((training) =>
  FLAGS.flatMap((relu) => FLAGS.map((residual) => ({ training, relu, residual })))
);

for (const shape of [[2, 1], [7, 3], [2, 5, 3, 8], [3, 1, 7, 260], [1, 70, 70, 12]]) {
  Deno.test(`batchNorm() agrees with float64 in every mode on [${shape}]`, async () => {
    await eachNorm(device, async () => {
      for (const mode of MODES) {
        const made = makeCase(shape, mode);
        const expected = await reference(made);
        const y = await batchNorm(made.x, made.options).data();
        assertClose(y, expected.y, { rtol: 1e-5 });
        assertClose(await made.options.runningMean.data(), expected.mean, { rtol: TOLERANCE.value });
        assertClose(await made.options.runningVar.data(), expected.variance, { rtol: TOLERANCE.sum });
      }
    });
  });
}

Deno.test("batchNorm() is stable when the mean is large beside the deviation", async () => {
  await eachNorm(device, async () => {
    const made = makeCase([4, 16, 16, 4], { training: true, relu: false, residual: false }, 10_000);
    const expected = await reference(made);
    // x itself is rounded to 1e-3 of its deviation's half; what is asked is that nothing is lost beyond that.
    assertClose(await batchNorm(made.x, made.options).data(), expected.y, { rtol: 1e-4 });
    assertClose(await made.options.runningVar.data(), expected.variance, { rtol: 1e-4 });
  });
});

Deno.test("batchNorm() takes momentum and eps", async () => {
  const made = makeCase([6, 4], { training: true, relu: false, residual: false });
  const changed = { x: made.x, options: { ...made.options, momentum: 0.5, eps: 0.1 } };
  const expected = await reference(changed);
  assertClose(await batchNorm(changed.x, changed.options).data(), expected.y, { rtol: 1e-5 });
  assertClose(await changed.options.runningMean.data(), expected.mean);
});

Deno.test("batchNorm() leaves the running statistics alone when not training", async () => {
  const { x, options } = makeCase([6, 4], { training: false, relu: false, residual: false });
  const before = await options.runningVar.data();
  await batchNorm(x, options).data();
  assertEquals(await options.runningVar.data(), before);
});

Deno.test("batchNorm() trains without running statistics", async () => {
  const { x, options } = makeCase([6, 4], { training: true, relu: false, residual: false });
  const { weight, bias } = options;
  const y = await batchNorm(x, { weight, bias, training: true }).data();
  assertEquals(y, await batchNorm(x, options).data());
});

Deno.test("batchNorm() gives the shift for a constant channel", async () => {
  const y = batchNorm(full([5, 4], 7), { weight: ones([4]), bias: full([4], 2), training: true });
  assertClose(await y.data(), new Float32Array(20).fill(2));
});

for (const mode of MODES) {
  const { training, relu, residual } = mode;
  const name = `training ${training}, relu ${relu}, residual ${residual}`;
  for (const shape of [[2, 3, 5, 8], [11, 3]]) {
    Deno.test(`batchNorm() gradient matches finite differences with ${name} on [${shape}]`, async () => {
      await eachNorm(device, async () => {
        // A shift of 6 or −6 a channel keeps ReLU's kink away while both of its sides are met.
        const { x, options } = makeCase(shape, mode, 0);
        const bias = tensor(Array.from({ length: shape.at(-1)! }, (_, i) => i % 3 === 2 ? -12 : 12));
        const inputs = [x, options.weight, bias, ...(options.residual ? [options.residual] : [])];
        await gradcheck(
          (x, weight, bias, residual) => batchNorm(x!, { ...options, weight: weight!, bias: bias!, residual }),
          inputs,
        );
      });
    });
  }
}

Deno.test("batchNorm() gives the residual the masked gradient, and x none where ReLU is off", async () => {
  const x = requireGrad(tensor([[1], [3], [5], [7]]));
  const residual = requireGrad(tensor([[0], [0], [0], [-9]]));
  const y = batchNorm(x, {
    weight: ones([1]),
    bias: zeros([1]),
    runningMean: full([1], 2),
    runningVar: ones([1]),
    training: false,
    residual,
    relu: true,
    eps: 1e-12,
  });
  backward(y, { grad: tensor([[1], [2], [3], [4]]) });
  assertClose(await y.data(), [0, 1, 3, 0]);
  assertClose(await residual.grad!.data(), [0, 2, 3, 0]);
  assertClose(await x.grad!.data(), [0, 2, 3, 0]);
});

/** Gradients of x, weight, bias and residual; `inPlace` lets the op write over x and the gradient. */
async function gradients(shape: Shape, residual: boolean, inPlace: boolean): Promise<ArrayLike<number>[]> {
  using _ = scope();
  const { x, options } = makeCase(shape, { training: true, relu: true, residual });
  const leaves = [x, options.weight, options.bias, ...(options.residual ? [options.residual] : [])].map(requireGrad);
  const values = inPlace ? mul(x, 1) : x;
  const y = batchNorm(values, options);
  if (inPlace) values.dispose();
  backward(mul(y, full(shape, 3)), { grad: normal(shape, { key: key(8) }) });
  return await Promise.all(leaves.map(({ grad }) => grad!.data()));
}

for (const shape of [[9, 3], [90, 2, 12], [700, 20, 8], [33, 268]]) {
  Deno.test(`batchNorm() has the same gradients where it writes them over x on [${shape}]`, async () => {
    await eachNorm(device, async () => {
      for (const residual of FLAGS) {
        const [apart, over] = [await gradients(shape, residual, false), await gradients(shape, residual, true)];
        over.forEach((values, i) => assertClose(values, apart[i]!, { rtol: TOLERANCE.sum }));
      }
    });
  });
}

/** Gradients of x and the residual where the output is used once for each factor. */
async function gradientsOfUses(factors: readonly Tensor[], retainGraph: boolean): Promise<ArrayLike<number>[]> {
  using _ = scope();
  const { x, options } = makeCase([30, 7, 8], { training: true, relu: true, residual: true });
  const leaves = [x, options.residual!].map(requireGrad);
  const y = batchNorm(x, options);
  const uses = factors.map((factor) => sum(mul(y, factor)));
  backward(uses.reduce((total, use) => add(total, use)), { retainGraph });
  return await Promise.all(leaves.map(({ grad }) => grad!.data()));
}

Deno.test("batchNorm() adds the gradients of two uses on its way, and those of more", async () => {
  const [a, b, c] = [1, 2, 3].map((seed) => normal([30, 7, 8], { key: key(seed) })) as [Tensor, Tensor, Tensor];
  await eachNorm(device, async () => {
    for (const retain of FLAGS) {
      for (const [uses, one] of [[[a, b], add(a, b)], [[a, a], mul(a, 2)], [[a, b, c], add(add(a, b), c)]] as const) {
        const [apart, together] = [await gradientsOfUses(uses, retain), await gradientsOfUses([one], retain)];
        apart.forEach((values, i) => assertClose(values, together[i]!, { rtol: TOLERANCE.sum }));
      }
    }
  });
});

Deno.test("batchNorm() normalises by the moments of two parts as by those of the whole, as ranks will", async () => {
  const c = 8;
  const values = await normal([10, c], { key: key(9), mean: 5 }).data();
  const [head, tail] = [
    tensor(values.slice(0, 3 * c), { shape: [3, c] }),
    tensor(values.slice(3 * c), { shape: [7, c] }),
  ];
  await eachFamily(device, async () => {
    const parts = await Promise.all([head, tail].map((x) => mergeMoments(sliceMoments(x)).data()));
    const gathered = tensor(new Float32Array([...parts[0]!, ...parts[1]!]), { shape: [2, 3, c] });
    const made = makeCase([10, c], { training: true, relu: false, residual: false });
    const whole = { ...made, x: tensor(values, { shape: [10, c] }) };
    const expected = await reference(whole);
    assertClose(await batchNormOf(whole.x, whole.options, gathered).data(), expected.y, { rtol: 1e-5 });
    assertClose(await whole.options.runningMean.data(), expected.mean);
    assertClose(await whole.options.runningVar.data(), expected.variance, { rtol: TOLERANCE.sum });
  });
});

Deno.test("batchNorm() lets NaN through ReLU", async () => {
  const x = tensor([[1, 1], [2, NaN], [3, 3]]);
  const y = await batchNorm(x, { weight: ones([2]), bias: zeros([2]), training: true, relu: true }).data();
  assertEquals([1, 3, 5].map((i) => y[i]), [NaN, NaN, NaN]);
  assertClose([y[0]!, y[2]!], [0, 0]);
});

Deno.test("batchNorm() makes no buffer or bind group in a steady step", () => {
  const { x, options } = makeCase([4, 8, 8, 16], { training: true, relu: true, residual: true });
  const grad = ones(x.shape);
  requireGrad(x);
  const step = () => {
    using _ = scope();
    backward(batchNorm(x, options), { grad });
    x.grad?.dispose();
    x.grad = null;
  };
  step();
  step();
  const before = device.counters;
  step();
  const { buffers, bindGroups, pipelines } = device.counters;
  assertEquals([buffers, bindGroups, pipelines], [before.buffers, before.bindGroups, before.pipelines]);
});

Deno.test("batchNorm() takes a dispatch forward and one backward where workgroups have whole columns", async () => {
  await inFamily(device, "cpu", async () => {
    // Of longer loops, slices: moments, their merge, values; sums, their merge, gradient.
    for (const [rows, dispatches] of [[33, 2], [32768, 2], [32769, 6]] as const) {
      using _ = scope();
      const { x, options } = makeCase([rows, 64], { training: true, relu: true, residual: false });
      const values = mul(requireGrad(x), 1);
      const before = device.counters.dispatches;
      const y = batchNorm(values, options);
      values.dispose();
      backward(y, { grad: ones(x.shape) });
      assertEquals(device.counters.dispatches - before - 2, dispatches); // the gradient itself, that of mul()
      await x.grad!.data();
    }
  });
});

Deno.test("batchNorm() throws on what it cannot use", () => {
  const x = ones([4, 3]);
  const options = { weight: ones([3]), bias: zeros([3]), training: true };
  const running = { runningMean: zeros([3]), runningVar: ones([3]) };
  const cases: [Tensor, BatchNormOptions, string][] = [
    [ones([3]), options, "x must be [..., channels] of rank >= 2: got x [3]"],
    [ones([4, 3], { dtype: "u32" }), options, "as x must be f32: got u32 [4,3]"],
    [x, { ...options, weight: ones([4]) }, "weight must be f32 [3]: got x [4,3] and weight f32 [4]"],
    [x, { ...options, residual: ones([4, 4]) }, "residual must be f32 [4,3]: got x [4,3] and residual f32 [4,4]"],
    [x, { ...options, runningMean: zeros([3]) }, "runningMean and runningVar come together: got only runningMean"],
    [x, { ...options, ...running, runningVar: ones([2]) }, "runningVar must be f32 [3]"],
    [x, { ...options, training: false }, "evaluation needs runningMean and runningVar: got neither"],
    [ones([1, 3]), options, "it expects more than 1 value per channel when training: got x [1,3]"],
  ];
  for (const [input, given, message] of cases) assertThrows(() => batchNorm(input, given), TypeError, message);
  for (const eps of [0, -1, NaN]) {
    assertThrows(
      () => batchNorm(x, { ...options, eps }),
      RangeError,
      `eps must be > 0 and finite: current value is ${eps}`,
    );
  }
  assertThrows(() => batchNorm(x, { ...options, momentum: 1.5 }), RangeError, "momentum must be in [0, 1]: got 1.5");
});
