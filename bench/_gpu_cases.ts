import {
  backward,
  compile,
  conv2d,
  type Device,
  keep,
  key,
  matmul,
  requireGrad,
  scope,
  sum,
  tensor,
  uniform,
  uniformNumbers,
} from "../mod.ts";
import { augment, naturalRecipe } from "../src/data/mod.ts";
import { centroidWeights, rbf } from "../src/kernels/mod.ts";
import { decoupledUniformity } from "../src/losses/mod.ts";
import { contrastive, resnet18, resnet50 } from "../src/nn/mod.ts";
import { SGD } from "../src/optim/mod.ts";
import { assertClose } from "../src/testing/mod.ts";

/** One line of the table: `bench/compare/pytorch_step.py` has the same names. */
export interface GpuCase {
  readonly name: string;
  /** Arithmetic of one run in GFLOP; 0 where it is not counted. */
  readonly gflop: number;
  /** Images of one run; 0 where there are none. */
  readonly images: number;
  /** Makes what is timed; throws when its result is wrong. */
  prepare(device: Device): Promise<{ run: () => void; dispose: () => void }>;
}

/** Sizes: those of a GPU, or small ones to try the program on a software adapter. */
export function gpuCases(small: boolean): GpuCase[] {
  const sizes = small ? [256] : [512, 1024, 2048, 4096];
  const [r18, r50, views] = small ? [4, 4, 64] : [512, 128, 512];
  return [
    ...sizes.map(matmulCase),
    convCase(small ? 4 : 256, 32, 64),
    convCase(small ? 4 : 256, 8, 256),
    stepCase("ResNet-18 (CIFAR stem), 32 px", r18, 32, 3 * 1.41),
    stepCase(`ResNet-50, ${small ? 64 : 224} px`, r50, small ? 64 : 224, small ? 3 * 0.67 : 3 * 8.18),
    augmentCase(views),
    ...(small ? [64] : [256, 1024, 2048]).map(kernelCase),
  ];
}

function matmulCase(n: number): GpuCase {
  return {
    name: `matmul ${n}`,
    gflop: 2 * n ** 3 / 1e9,
    images: 0,
    async prepare() {
      const [a, b] = [keep(uniform([n, n], { key: key(1), low: -1 })), keep(uniform([n, n], { key: key(2), low: -1 }))];
      using product = keep(matmul(a, b));
      const [x, y, z] = await Promise.all([a.data(), b.data(), product.data()]);
      // Some elements against float64.
      const picked = [0, n + 1, n * n - 1, Math.floor(n * n / 3)];
      const expected = picked.map((at) => {
        const [i, j] = [Math.floor(at / n), at % n];
        let total = 0;
        for (let k = 0; k < n; k++) total += x[i * n + k]! * y[k * n + j]!;
        return total;
      });
      assertClose(picked.map((at) => z[at]!), expected, { rtol: 1e-4 });
      return scoped(() => matmul(a, b), [a, b]);
    },
  };
}

function convCase(n: number, size: number, channels: number): GpuCase {
  return {
    name: `conv2d 3x3 forward + backward, ${n} x ${size} x ${size}, ${channels} to ${channels}`,
    gflop: 3 * 2 * 9 * n * size ** 2 * channels ** 2 / 1e9,
    images: 0,
    async prepare() {
      const x = requireGrad(keep(uniform([n, size, size, channels], { key: key(1), low: -1 })));
      const w = requireGrad(keep(uniform([3, 3, channels, channels], { key: key(2), low: -1 })));
      const run = () => {
        backward(sum(conv2d(x, w, { padding: 1 })));
        for (const each of [x, w]) {
          each.grad?.dispose();
          each.grad = null;
        }
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
      return scoped(run, [x, w]);
    },
  };
}

function stepCase(name: string, images: number, size: number, gflop: number): GpuCase {
  return {
    name: `training step, ${name}, ${images} images`,
    gflop: gflop * images,
    images,
    async prepare() {
      const model = contrastive(size === 32 ? resnet18({ stem: "cifar" }) : resnet50());
      const optimizer = new SGD(model.parameters(), { lr: 0.003 });
      const views = keep(uniform([images / 2, 2, size, size, 3], { key: key(0), low: -1 }));
      const step = compile(() => {
        const loss = decoupledUniformity(model.forward(views));
        backward(loss);
        optimizer.step();
        return loss;
      });
      for (let i = 0; i < 4; i++) {
        using loss = inScope(() => keep(step()));
        const value = await loss.item();
        if (!Number.isFinite(value)) throw new Error(`The loss is not finite: ${value}`);
      }
      return scoped(step, [step, model, optimizer, views]);
    },
  };
}

function augmentCase(views: number): GpuCase {
  return {
    name: `augmentation of ${views} views of 32 px`,
    gflop: 0,
    images: views,
    async prepare() {
      const bytes = Uint8Array.from(uniformNumbers(1024 * 3072, key(0)), (u) => 256 * u);
      const images = keep(tensor(bytes, { shape: [1024, 32, 32, 3] }));
      const indices = keep(tensor(Uint32Array.from({ length: views / 2 }, (_, i) => i)));
      const recipe = naturalRecipe({ size: 32 });
      using sample = keep(augment(images, { indices, recipe }));
      const values = await sample.data() as Float32Array;
      if (!values.every((v) => v >= 0 && v <= 1)) throw new Error("A view is outside [0, 1]");
      let epoch = 1;
      return scoped(() => augment(images, { indices, recipe, epoch: epoch++ }), [images, indices]);
    },
  };
}

function kernelCase(n: number): GpuCase {
  return {
    name: `centroid weights and loss forward + backward, n = ${n}, prior 2048-d`,
    gflop: 0,
    images: 0,
    async prepare() {
      const prior = keep(uniform([n, 2048], { key: key(3) }));
      const z = requireGrad(keep(uniform([n, 2, 256], { key: key(4), low: -1 })));
      const run = () => {
        const weights = centroidWeights(prior, { kernel: rbf({ sigma: 10 }), ridge: 0.01 });
        const loss = decoupledUniformity(z, { weights });
        backward(loss);
        z.grad?.dispose();
        z.grad = null;
        return loss;
      };
      const loss = await inScope(() => keep(run())).item();
      if (!(loss <= 0)) throw new Error(`The loss must be <= 0: got ${loss}`);
      return scoped(run, [prior, z]);
    },
  };
}

function inScope<T>(body: () => T): T {
  using _ = scope();
  return body();
}

function scoped(body: () => unknown, owned: readonly { dispose(): void }[]) {
  return { run: () => void inScope(body), dispose: () => owned.forEach((each) => each.dispose()) };
}
