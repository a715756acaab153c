import { assertEquals, assertThrows } from "@std/assert";
import { backward, requireGrad } from "../../../src/autograd/mod.ts";
import { Device } from "../../../src/device/mod.ts";
import { chooseForm, chooseSplits } from "../../../src/ops/product/forms.ts";
import { matmul, type MatmulOptions } from "../../../src/ops/product/matmul.ts";
import { broadcastShapes, scope, type Shape, sizeOf, type Tensor, tensor, zeros } from "../../../src/tensor/mod.ts";
import { assertClose, gradcheck, TOLERANCE } from "../../../src/testing/mod.ts";
import { noise } from "../shared/_arrays.ts";
import { pretended } from "../shared/_forms.ts";
import { formsOn } from "./_forms.ts";
import { checkGolden } from "../shared/_golden.ts";
import { policyOf } from "../../../src/ops/shared/policy.ts";

const device = await Device.open();
const policy = policyOf(device);
const FORMS = formsOn(device);
const TRANSPOSES: readonly MatmulOptions[] = [
  {},
  { transposeA: true },
  { transposeB: true },
  { transposeA: true, transposeB: true },
];

interface Operand {
  readonly data: Float32Array<ArrayBuffer>;
  readonly shape: Shape;
}

function operand(shape: Shape, seed: number): Operand {
  return { data: noise(sizeOf(shape), seed), shape };
}

function upload({ data, shape }: Operand): Tensor {
  return tensor(data, { shape });
}

/** Position of the matrix of a flat batch index. */
function matrixAt(batch: Shape, own: Shape, index: number): number {
  let [position, step] = [0, 1];
  for (let i = 1; i <= batch.length; i++) {
    const size = batch[batch.length - i]!;
    const mine = own[own.length - i] ?? 1;
    position += (mine === 1 ? 0 : index % size) * step;
    step *= mine;
    index = Math.floor(index / size);
  }
  return position;
}

/** The product in float64. */
function reference(a: Operand, b: Operand, { transposeA, transposeB }: MatmulOptions = {}): Float64Array {
  const [m, k] = transposeA ? [a.shape.at(-1)!, a.shape.at(-2)!] : [a.shape.at(-2)!, a.shape.at(-1)!];
  const n = transposeB ? b.shape.at(-2)! : b.shape.at(-1)!;
  const batch = broadcastShapes(a.shape.slice(0, -2), b.shape.slice(0, -2), "matmul");
  const c = new Float64Array(sizeOf(batch) * m * n);
  for (let z = 0; z < sizeOf(batch); z++) {
    const x = a.data.subarray(matrixAt(batch, a.shape.slice(0, -2), z) * m * k);
    const y = b.data.subarray(matrixAt(batch, b.shape.slice(0, -2), z) * k * n);
    for (let i = 0; i < m; i++) {
      for (let l = 0; l < k; l++) {
        const value = transposeA ? x[l * m + i]! : x[i * k + l]!;
        for (let j = 0; j < n; j++) c[(z * m + i) * n + j]! += value * (transposeB ? y[j * k + l]! : y[l * n + j]!);
      }
    }
  }
  return c;
}

function operandsOf(m: number, k: number, n: number, options: MatmulOptions, batches: [Shape, Shape] = [[], []]) {
  const a = operand([...batches[0], ...(options.transposeA ? [k, m] : [m, k])], 1);
  const b = operand([...batches[1], ...(options.transposeB ? [n, k] : [k, n])], 2);
  return { a, b };
}

async function check(a: Operand, b: Operand, options: MatmulOptions): Promise<void> {
  using _ = scope();
  const c = matmul(upload(a), upload(b), options);
  assertClose(await c.data(), reference(a, b, options), { rtol: TOLERANCE.sum });
}

for (const form of FORMS) {
  Deno.test(`matmul() agrees with float64 at odd sizes, form ${form}`, async () => {
    // The oblong tiles are the square ones with other sizes: two of the four transposes read all of their code.
    const transposes = form.includes("x") ? [TRANSPOSES[0]!, TRANSPOSES[3]!] : TRANSPOSES;
    for (const [m, k, n] of [[1, 1, 1], [3, 5, 2], [17, 29, 33], [65, 8, 130], [130, 19, 66], [8, 4, 32]] as const) {
      for (const options of transposes) {
        const { a, b } = operandsOf(m, k, n, options);
        await policy.with({ matmul: form }, () => check(a, b, options));
      }
    }
  });

  Deno.test(`matmul() splits a long sum, form ${form}`, async () => {
    for (const options of TRANSPOSES) {
      const { a, b } = operandsOf(6, 9001, 5, options);
      await policy.with({ matmul: form }, () => check(a, b, options));
    }
  });

  Deno.test(`matmul() broadcasts batches, form ${form}`, async () => {
    const batches: [Shape, Shape][] = [[[3], [3]], [[2, 3], [3]], [[2, 1], [3]], [[], [2]], [[2, 3], []], [[2, 1, 2], [
      2,
      1,
    ]]];
    for (const batch of batches) {
      for (const options of TRANSPOSES) {
        const { a, b } = operandsOf(5, 7, 6, options, batch);
        await policy.with({ matmul: form }, () => check(a, b, options));
      }
    }
  });

  Deno.test(`matmul() gradients match finite differences, form ${form}`, async () => {
    const batches: [Shape, Shape][] = [[[], []], [[2], [2]], [[2, 1], [3]], [[3], []]];
    for (const batch of batches) {
      for (const options of TRANSPOSES) {
        const { a, b } = operandsOf(5, 6, 7, options, batch);
        await policy.with({ matmul: form }, () => gradcheck((x, y) => matmul(x, y, options), [upload(a), upload(b)]));
      }
    }
  });
}

for (const form of FORMS.filter((name) => name === "tile64" || name === "tile128")) {
  Deno.test(`matmul() agrees with float64 in the GPU family's form, form ${form}`, async () => {
    const { a, b } = operandsOf(130, 45, 140, {});
    await policy.with({ family: "gpu", matmul: form }, () => check(a, b, {}));
  });
}

Deno.test("matmul() with one column or one row agrees with float64", async () => {
  for (const [m, k, n] of [[70, 1030, 1], [1, 1030, 70], [1, 1030, 1]] as const) {
    for (const options of TRANSPOSES) {
      const { a, b } = operandsOf(m, k, n, options);
      await check(a, b, options);
      const batched = operandsOf(m, 9, n, options, [[2], [2]]);
      await check(batched.a, batched.b, options);
    }
  }
});

Deno.test("matmul() takes more matrices than a dispatch has workgroups in z", async () => {
  const { a, b } = operandsOf(1, 2, 3, {}, [[70_000], [70_000]]);
  await check(a, b, {});
});

Deno.test("matmul() gives the product of its gradient in closed form", async () => {
  const { a, b } = operandsOf(9, 10, 11, {});
  const grad = operand([9, 11], 3);
  using _ = scope();
  const [x, y] = [requireGrad(upload(a)), requireGrad(upload(b))];
  backward(matmul(x, y), { grad: upload(grad) });
  assertClose(await x.grad!.data(), reference(grad, b, { transposeB: true }), { rtol: TOLERANCE.sum });
  assertClose(await y.grad!.data(), reference(a, grad, { transposeA: true }), { rtol: TOLERANCE.sum });
});

Deno.test("matmul() of an empty sum is zero, of an empty shape empty", async () => {
  using _ = scope();
  assertEquals(await matmul(zeros([2, 0]), zeros([0, 3])).data(), new Float32Array(6));
  assertEquals(matmul(zeros([0, 4]), zeros([4, 3])).shape, [0, 3]);
  const x = requireGrad(zeros([2, 0]));
  const y = matmul(x, zeros([0, 3]));
  backward(y, { grad: zeros([2, 3]) });
  assertEquals(x.grad!.shape, [2, 0]);
});

Deno.test("matmul() keeps infinities and NaN where they belong", async () => {
  using _ = scope();
  const a = tensor([[1, 2, 3, Infinity, 5]]); // 5: the padding must not meet the infinity
  const b = tensor([[1], [1], [1], [1], [1]]);
  assertEquals(await matmul(a, b).data(), new Float32Array([Infinity]));
  const c = matmul(tensor([[1, 1], [1, 1]]), tensor([[NaN, 1], [1, 1]]));
  assertEquals(await c.data(), new Float32Array([NaN, 2, NaN, 2]));
});

Deno.test("matmul() throws when the shapes do not match", () => {
  assertThrows(
    () => matmul(zeros([5, 3]), zeros([4, 2])),
    TypeError,
    "a must be […, m, k] and b […, k, n]: got a [5,3]",
  );
  assertThrows(
    () => matmul(zeros([5, 3]), zeros([3, 2]), { transposeA: true, transposeB: true }),
    TypeError,
    "a must be […, k, m] and b […, n, k]: got a [5,3] and b [3,2]",
  );
  assertThrows(() => matmul(zeros([3]), zeros([3, 2])), TypeError, "got a [3] and b [3,2]");
  assertThrows(() => matmul(zeros([2, 4, 3]), zeros([3, 3, 2])), TypeError, "do not broadcast: got [2] and [3]");
  assertThrows(() => matmul(zeros([1, 1], { dtype: "u32" }), zeros([1, 1])), TypeError, "must be f32: got u32 [1,1]");
});

Deno.test("matmul() throws when batch axes alternate too often", () => {
  assertThrows(
    () => matmul(zeros([2, 1, 2, 1, 2, 2]), zeros([1, 2, 1, 2, 2, 2])),
    TypeError,
    "more than three alternating groups: got [2,1,2,1] and [1,2,1,2]",
  );
});

Deno.test("chooseForm() follows the family, the subgroups and the shape", () => {
  const limits = { maxComputeWorkgroupStorageSize: 32 * 1024 }; // at 16 KiB: forms_test.ts
  const on = (family: "cpu" | "gpu", subgroupSize: number) => policyOf(pretended({ family, subgroupSize }, limits));
  assertEquals(chooseForm(on("cpu", 8), 64, 16, 1).name, "subgroup");
  assertEquals(chooseForm(on("cpu", 8), 512, 128, 1).name, "subgroup32");
  assertEquals(chooseForm(on("cpu", 8), 512, 128, 2).name, "subgroup");
  assertEquals(chooseForm(on("cpu", 8), 512, 4, 36).name, "subgroupNarrow");
  assertEquals(chooseForm(on("cpu", 8), 16, 4, 36).name, "subgroup"); // the lanes that are left would have no rows
  assertEquals(chooseForm(on("cpu", 0), 64, 16, 1).name, "rows");
  assertEquals(chooseForm(on("cpu", 4), 64, 16, 1).name, "rows");
  assertEquals(chooseForm(on("gpu", 32), 4096, 1024, 1).name, "tile128");
  assertEquals(chooseForm(on("gpu", 32), 256, 64, 1).name, "tile64");
  assertEquals(chooseForm(on("gpu", 32), 4096, 16, 1).name, "tile64");
  assertEquals(chooseForm(on("gpu", 32), 2 ** 19, 16, 1).name, "tile128x64");
  assertEquals(chooseForm(on("gpu", 32), 64, 2 ** 17, 1).name, "tile64x128");
});

Deno.test("chooseSplits() bounds loops, keeps the adapter busy and partial results small", () => {
  const cpu = policyOf(pretended({ family: "cpu", subgroupSize: 0 }, device.limits));
  const rows = chooseForm(cpu, 64, 16, 1);
  assertEquals(chooseSplits(cpu, rows, 1000, 512, 4096), 1);
  assertEquals(chooseSplits(cpu, rows, 1000, 100_000, 4096), 13);
  assertEquals(chooseSplits(cpu, rows, 1, 4096, 4096), 8);
  assertEquals(chooseSplits(cpu, rows, 1, 300, 4096), 1);
  assertEquals(chooseSplits(cpu, rows, 1, 100_000, 30 * 2 ** 20), 2);
});

for (const form of FORMS) {
  Deno.test(`matmul() and its gradients agree with PyTorch, form ${form}`, async () => {
    await policy.with({ matmul: form }, () => checkGolden("matmul", ([a, b], attrs) => matmul(a!, b!, attrs)));
  });
}
