import {
  autocast,
  backward,
  compile,
  conv2d,
  type Device,
  keep,
  key,
  matmul,
  requireGrad,
  sum,
  type Tensor,
  tensor,
  uniform,
} from "../mod.ts";
import type { FloatDType } from "../src/tensor/mod.ts";
import { uniformNumbers } from "../src/tensor/internal.ts";
import { augment, naturalRecipe } from "../src/data/augment/mod.ts";
import { centroidWeights, rbf } from "../src/kernels/mod.ts";
import { decoupledUniformity } from "../src/losses/mod.ts";
import { assertClose } from "../src/testing/mod.ts";
import { inScope, type NetworkName, NETWORKS, trainingStep } from "./_steps.ts";

/** Work that is timed, prepared and checked. */
export interface Prepared {
  /** Records one run; called in a scope. */
  run(): unknown;
  /** Numbers that an optimizer of the run updates. */
  readonly parameters?: number;
  /** Frees what the runs use. */
  dispose(): void;
}

/** One line of the table: `bench/compare/pytorch_step.py` has the same names. */
export interface GpuCase {
  readonly name: string;
  /** Images of one run; 0 where there are none. */
  readonly images: number;
  /** Whether GFLOP/s say something about it. */
  readonly counted: boolean;
  /** Makes what is timed; throws when its result is wrong. */
  prepare(device: Device): Promise<Prepared>;
}

/** Sizes: those of a GPU, or small ones to try the program on a software adapter; steps in mixed precision with `half`. */
export function gpuCases(small: boolean, half: boolean): GpuCase[] {
  const [r18, r50, views] = small ? [4, 4, 64] : [512, 128, 512];
  const size50 = small ? 64 : 224;
  return [
    ...(small ? [256] : [512, 1024, 2048, 4096]).map((n) => matmulCase(n)),
    ...(half ? (["f32", "f16"] as const).map((sums) => matmulCase(small ? 256 : 4096, sums)) : []),
    convCase(small ? 4 : 256, 32, 64),
    convCase(small ? 4 : 256, 16, 128),
    convCase(small ? 4 : 256, 8, 256),
    convCase(small ? 4 : 256, 4, 512),
    stepCase("resnet18", r18, 32),
    stepCase("resnet18", r18, 32, { eager: true }),
    ...(half ? MIXED.map((how) => stepCase("resnet18", r18, 32, how)) : []),
    stepCase("resnet50", r50, size50),
    stepCase("resnet50", r50, size50, { eager: true }),
    ...(half ? MIXED.map((how) => stepCase("resnet50", r50, size50, how)) : []),
    augmentCase(views),
    ...(small ? [64] : [256, 1024, 2048]).flatMap((n) => [weightsCase(n), lossCase(n), kernelCase(n)]),
  ];
}

/** A square product in f32, or in mixed precision with sums as they are given. */
function matmulCase(n: number, sums?: FloatDType): GpuCase {
  const multiply = (a: Tensor, b: Tensor) => autocast(() => matmul(a, b), { enabled: sums !== undefined, sums });
  return {
    name: `matmul ${n}${sums ? `, f16${SUMS_NOTES[sums]}` : ""}`,
    images: 0,
    counted: true,
    async prepare() {
      const [a, b] = [keep(uniform([n, n], { key: key(1), low: -1 })), keep(uniform([n, n], { key: key(2), low: -1 }))];
      using product = keep(multiply(a, b));
      const [x, y, z] = await Promise.all([a.data(), b.data(), product.data()]);
      // Some elements against float64.
      const picked = [0, n + 1, n * n - 1, Math.floor(n * n / 3)];
      const expected = picked.map((at) => {
        const [i, j] = [Math.floor(at / n), at % n];
        let total = 0;
        for (let k = 0; k < n; k++) total += x[i * n + k]! * y[k * n + j]!;
        return total;
      });
      assertClose(picked.map((at) => z[at]!), expected, { rtol: sums ? 1e-2 : 1e-4 });
      return { run: () => multiply(a, b), dispose: disposer(a, b) };
    },
  };
}

function convCase(n: number, size: number, channels: number): GpuCase {
  return {
    name: `conv2d 3x3 forward + backward, ${n} x ${size} x ${size}, ${channels} to ${channels}`,
    images: 0,
    counted: true,
    async prepare() {
      const x = requireGrad(keep(uniform([n, size, size, channels], { key: key(1), low: -1 })));
      const w = requireGrad(keep(uniform([3, 3, channels, channels], { key: key(2), low: -1 })));
      const run = () => {
        backward(sum(conv2d(x, w, { padding: 1 })));
        dropGrads(x, w);
      };
      // The middle pixel of the first image against float64.
      using y = keep(conv2d(x, w, { padding: 1 }));
      const [input, weight, output] = await Promise.all([x.data(), w.data(), y.data()]);
      const middle = Math.floor(size / 2);
      let total = 0;
      for (let dy = 0; dy < 3; dy++) {
        for (let dx = 0; dx < 3; dx++) {
          for (let c = 0; c < channels; c++) {
            const at = ((middle + dy - 1) * size + middle + dx - 1) * channels + c;
            total += input[at]! * weight[((dy * 3 + dx) * channels + c) * channels]!;
          }
        }
      }
      assertClose([output[(middle * size + middle) * channels]!], [total], { rtol: 1e-3, atol: 1e-3 });
      return { run, dispose: disposer(x, w) };
    },
  };
}

/** Ways to run a step, which by default is replayed in f32. */
interface StepHow {
  readonly eager?: boolean;
  readonly mixed?: boolean;
  /** Precision of parts of sums in mixed precision. */
  readonly sums?: FloatDType;
}

const MIXED: readonly StepHow[] = [{ mixed: true }, { mixed: true, sums: "f16" }];

const SUMS_NOTES: Readonly<Record<FloatDType, string>> = { f32: "", f16: ", sums in f16" };

/** A training step, replayed as `pretrain` does, or eager; in f32 or in mixed precision. */
function stepCase(
  network: NetworkName,
  images: number,
  size: number,
  { eager = false, mixed = false, sums = "f32" }: StepHow = {},
): GpuCase {
  const how = `${mixed ? ", mixed precision" : ""}${SUMS_NOTES[sums]}${eager ? ", eager" : ""}`;
  return {
    name: `training step, ${NETWORKS[network].name}, ${size} px, ${images} images${how}`,
    images,
    counted: true,
    async prepare(device) {
      const step = trainingStep(device, network, { images, size, mixed, sums });
      const compiled = compile(() => step.run(), { check: "never" });
      const run = eager ? step.run : compiled;
      const losses = Array.from({ length: 4 }, () => inScope(() => keep(step.run())));
      const values = await Promise.all(losses.map((loss) => loss.item()));
      losses.forEach((loss) => loss.dispose());
      if (!(values[3]! < values[0]!)) throw new Error(`The loss does not fall: ${values}`);
      return { run, parameters: step.parameters, dispose: disposer(compiled, step) };
    },
  };
}

function augmentCase(views: number): GpuCase {
  return {
    name: `augmentation, ${views} views of 32 px`,
    images: views,
    counted: false,
    async prepare() {
      const bytes = Uint8Array.from(uniformNumbers(1024 * 3072, key(0)), (u) => 256 * u);
      const images = keep(tensor(bytes, { shape: [1024, 32, 32, 3] }));
      const indices = keep(tensor(Uint32Array.from({ length: views / 2 }, (_, i) => i)));
      const recipe = naturalRecipe({ size: 32 });
      using sample = keep(augment(images, { indices, recipe }));
      const values = await sample.data() as Float32Array;
      if (!values.every((v) => v >= 0 && v <= 1)) throw new Error("A view is outside [0, 1]");
      let epoch = 1;
      return { run: () => augment(images, { indices, recipe, epoch: epoch++ }), dispose: disposer(images, indices) };
    },
  };
}

const KERNEL = { kernel: rbf({ sigma: 10 }), ridge: 0.01 };

function weightsCase(n: number): GpuCase {
  return {
    name: `centroid weights, n = ${n}, prior 2048-d`,
    images: 0,
    counted: true,
    async prepare() {
      const prior = keep(uniform([n, 2048], { key: key(3) }));
      using weights = keep(centroidWeights(prior, KERNEL));
      using gram = keep(KERNEL.kernel(prior, prior));
      const [w, k] = await Promise.all([weights.data(), gram.data()]);
      // (K + λI) W = K for the first column, in float64.
      const got = Array.from({ length: n }, (_, i) => {
        let total = KERNEL.ridge * w[i * n]!;
        for (let j = 0; j < n; j++) total += k[i * n + j]! * w[j * n]!;
        return total;
      });
      assertClose(got, Array.from({ length: n }, (_, i) => k[i * n]!), { rtol: 1e-3, atol: 1e-4 });
      return { run: () => centroidWeights(prior, KERNEL), dispose: disposer(prior) };
    },
  };
}

function lossCase(n: number): GpuCase {
  return {
    name: `loss forward + backward, n = ${n}, 2 x 256-d`,
    images: 0,
    counted: true,
    prepare: () =>
      lossOf(n, (prior) => {
        const weights = keep(centroidWeights(prior, KERNEL));
        return { weights: () => weights, dispose: () => weights.dispose() };
      }),
  };
}

function kernelCase(n: number): GpuCase {
  return {
    name: `centroid weights and loss forward + backward, n = ${n}`,
    images: 0,
    counted: true,
    prepare: () => lossOf(n, (prior) => ({ weights: () => centroidWeights(prior, KERNEL), dispose() {} })),
  };
}

async function lossOf(n: number, make: (prior: Tensor) => { weights(): Tensor; dispose(): void }): Promise<Prepared> {
  const prior = keep(uniform([n, 2048], { key: key(3) }));
  const z = requireGrad(keep(uniform([n, 2, 256], { key: key(4), low: -1 })));
  const { weights, dispose } = make(prior);
  const run = () => {
    const loss = decoupledUniformity(z, { weights: weights() });
    backward(loss);
    dropGrads(z);
    return loss;
  };
  using loss = inScope(() => keep(run()));
  const value = await loss.item();
  if (!(value <= 0)) throw new Error(`The loss must be <= 0: got ${value}`);
  return { run, dispose: disposer(prior, z, { dispose }) };
}

function dropGrads(...leaves: Tensor[]): void {
  for (const each of leaves) {
    each.grad?.dispose();
    each.grad = null;
  }
}

function disposer(...owned: readonly { dispose(): void }[]): () => void {
  return () => owned.forEach((each) => each.dispose());
}
