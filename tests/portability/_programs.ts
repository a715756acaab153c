// Every pipeline that the library makes, on adapters of several kinds.
import { trainingStep } from "../../bench/_steps.ts";
import { autocast, backward, detach } from "../../src/autograd/mod.ts";
import { augment, naturalRecipe, packImages } from "../../src/data/augment/mod.ts";
import { Device } from "../../src/device/mod.ts";
import * as kernels from "../../src/kernels/mod.ts";
import * as losses from "../../src/losses/mod.ts";
import { Adam, AdamW, clipGradNorm, EMA, GradScaler, LARS, SGD } from "../../src/optim/mod.ts";
import { formOptions, type ProductFormName } from "../../src/ops/product/forms.ts";
import { ROWS } from "../../src/ops/elementwise/_unary_rows.ts";
import * as ops from "../../src/ops/mod.ts";
import { key, normal, requireGrad, scope, type Tensor, tensor, uniform, zeros } from "../../mod.ts";
import { assign } from "../../src/tensor/internal.ts";
import { DEFAULT_LIMITS } from "./_lesser.ts";
import { type NullAdapter, nullGpu, type Pipeline } from "./_null_gpu.ts";
import { policyOf } from "../../src/ops/shared/policy.ts";

const LARGE_LIMITS = {
  ...DEFAULT_LIMITS,
  maxBufferSize: 2 ** 34,
  maxStorageBufferBindingSize: 2 ** 32,
  maxStorageBuffersPerShaderStage: 31,
  maxComputeWorkgroupStorageSize: 32768,
  maxComputeInvocationsPerWorkgroup: 1024,
};

/** Kinds of adapters that take different forms. */
export const ADAPTERS: Readonly<Record<string, NullAdapter>> = {
  "CPU": { software: true, subgroupSize: 8, limits: LARGE_LIMITS },
  "CPU without subgroups": { software: true, subgroupSize: 0, limits: DEFAULT_LIMITS },
  "GPU of 16 lanes": { software: false, subgroupSize: 16, limits: LARGE_LIMITS },
  "GPU of 32 lanes": { software: false, subgroupSize: 32, limits: LARGE_LIMITS },
  "GPU of 64 lanes": { software: false, subgroupSize: 64, limits: LARGE_LIMITS },
  "GPU with the least limits": { software: false, subgroupSize: 0, limits: DEFAULT_LIMITS },
};

/** Makes all pipelines of one kind of adapter, each once. */
export async function pipelinesOf(adapter: NullAdapter): Promise<Pipeline[]> {
  const all: Pipeline[] = [];
  const device = await Device.open({ gpu: nullGpu(adapter, all) });
  try {
    using _ = scope();
    for (const network of ["resnet18", "resnet50"] as const) {
      for (const mixed of [false, true]) for (const images of [16, 256]) step(device, network, images, mixed);
    }
    for (const { name } of formOptions(policyOf(device), { sums: "f16", textureBytes: 1 })) {
      await products(device, name);
    }
    for (const form of ["tiles", "products"] as const) await attentions(device, form);
    for (const size of [20, 300]) allOps(size);
  } finally {
    device.close();
  }
  return [
    ...new Map(all.map((each) => [`${each.code} ${each.entryPoint} ${JSON.stringify(each.constants)}`, each])).values(),
  ];
}

function step(device: Device, network: "resnet18" | "resnet50", images: number, mixed: boolean): void {
  using _ = scope();
  const one = trainingStep(device, network, { images, mixed, size: network === "resnet50" ? 64 : 32 });
  one.run();
  one.dispose();
}

const noise = (...shape: number[]) => requireGrad(uniform(shape, { key: key(1) }));

/** Products and convolutions in one form. */
async function products(device: Device, form: ProductFormName): Promise<void> {
  await policyOf(device).with({ matmul: form }, () => {
    const a = noise(40, 40);
    autocast(() => {
      for (const transposeA of [false, true]) {
        for (const transposeB of [false, true]) backward(ops.sum(ops.matmul(a, a, { transposeA, transposeB })));
      }
      backward(ops.sum(ops.conv2d(noise(2, 8, 8, 8), noise(3, 3, 8, 8), { padding: 1, stride: 2 })));
    }, { enabled: form.startsWith("half"), sums: "f16" });
    return Promise.resolve();
  });
}

/** Attention in one form. */
async function attentions(device: Device, form: "tiles" | "products"): Promise<void> {
  await policyOf(device).with({ attention: form }, () => {
    for (const causal of [false, true]) {
      backward(ops.sum(ops.attention(noise(2, 9, 8), noise(2, 9, 8), noise(2, 9, 8), { causal })));
      backward(ops.sum(ops.selfAttention(noise(2, 9, 48), { heads: 2, causal })));
    }
    return Promise.resolve();
  });
}

/** Runs every op, kernel, loss, optimizer and augmentation once, forward and backward. */
function allOps(n: number): void {
  using _ = scope();
  const x = noise(n, 12);
  const matrix = noise(n, n);
  const labels = tensor(Uint32Array.from({ length: n }, (_, i) => i % 3));
  const results = [...elementwiseOps(x), ...rowOps(x, labels), ...matrixOps(matrix, x, labels), ...imageOps()];
  for (const one of [...results, normal([n], { key: key(2) })]) if (one.link) backward(ops.sum(one));
  training(n);
}

/** Ops of one operand that a row of WGSL makes: those without options that must be given. */
const UNARY = Object.entries(ops).flatMap(([name, op]) => {
  return name in ROWS && name !== "clamp" ? [op as (x: Tensor) => Tensor] : [];
});

function elementwiseOps(x: Tensor): Tensor[] {
  const plain = detach(x);
  return [
    ...UNARY.map((op) => op(x)),
    ...(["tanh", "sigmoid"] as const).map((approximate) => ops.gelu(x, { approximate })),
    ...[ops.add, ops.sub, ops.mul, ops.div, ops.pow, ops.maximum, ops.minimum].map((op) => op(x, noise(12))),
    ...[ops.equal, ops.notEqual, ops.greater, ops.greaterEqual, ops.less, ops.lessEqual].map((op) => op(plain, 0.5)),
    ops.clamp(x, { min: 0, max: 1 }),
    ops.where(ops.greater(plain, 0.5), x, 0),
    ops.mean(ops.permute(x, [1, 0])),
    ops.cast(ops.cast(x, "f16"), "f32"),
    ops.dropout(x, { p: 0.5, key: key(3) }),
    ops.stochasticDepth(x, { p: 0.5, key: key(3) }),
    ops.mul(noise(x.shape[0]!, 1, 12), noise(1, 5, 1)),
  ];
}

function rowOps(x: Tensor, labels: Tensor<"u32">): Tensor[] {
  const n = x.shape[0]!;
  return [
    ...[ops.max, ops.min, ops.logSumExp, ops.variance].map((op) => op(x, { dim: 0 })),
    ...[ops.cosineGram, ops.linearGram, ops.squaredDistances].map((op) => op(x, noise(n, 12))),
    ops.argMax(detach(x)),
    ops.squaredDistances(x, x),
    ops.rbfGram(x, x, { gamma: 1 }),
    ops.pairTerm(x),
    ops.viewCentroids(noise(n, 2, 12)),
    ops.crossEntropy(x, labels),
    ops.indexSelect(x, 0, labels),
    ops.embedding(x, labels, { paddingIdx: 0 }),
    ops.cumsum(x, 0),
    ops.cumsum(noise(200), 0),
    ops.sort(x, { dim: 0 }).values,
    ops.topK(x, 2).values,
    ops.concat([x, x]),
    ops.stack([x, x]),
    ops.einsum("ij,kj->ik", [x, x]),
    ops.flip(x, 0),
    ops.pad(x, [[1, 2], [0, 3]]),
    ops.slice(x, [{ start: 1, stop: 3 }, null]),
    ops.broadcastTo(noise(12), [n, 12]),
    ops.linear(x, noise(12, 5), { bias: noise(5) }),
    ops.layerNorm(x, { weight: noise(12), bias: noise(12) }),
  ];
}

function matrixOps(matrix: Tensor, x: Tensor, labels: Tensor<"u32">): Tensor[] {
  return [
    ...[ops.softmax, ops.logSoftmax, ops.transpose, ops.l2Normalize, ops.cholesky].map((op) => op(matrix)),
    ops.contrastiveTerm(matrix, { views: 2, temperature: 0.1 }),
    ops.gather(matrix, labels),
    ops.triangularSolve(matrix, x),
    ops.choleskySolve(matrix, x),
    ops.hatMatrix(matrix, { ridge: 0.1 }),
  ];
}

function imageOps(): Tensor[] {
  const images = noise(2, 9, 9, 8);
  const size = { kernelSize: 3, stride: 2, padding: 1 };
  return [
    ops.convTranspose2d(images, noise(3, 3, 4, 8), { stride: 2 }),
    ops.maxPool2d(images, size),
    ops.avgPool2d(images, size),
    ops.globalAvgPool(images),
    ops.batchNorm(images, { weight: noise(8), bias: noise(8), training: true }),
    ops.conv2d(images, noise(3, 3, 8, 12), { padding: 1 }),
    ops.conv2d(images, noise(3, 3, 2, 8), { groups: 4 } as never),
    ops.conv2d(images, noise(3, 3, 1, 8), { groups: 8, padding: 1 }),
    ops.conv2d(noise(2, 9, 9, 3), noise(3, 3, 1, 3), { groups: 3, stride: 2 }),
    ops.groupNorm(images, { groups: 2, weight: noise(8), bias: noise(8) }),
    ops.interpolate(images, { size: [5, 7], mode: "bicubic", antialias: true }),
  ];
}

/** Priors, losses, optimizers and views. */
function training(n: number): void {
  const [x, views] = [noise(n, 12), noise(n, 2, 12)];
  for (const kernel of [kernels.rbf({ sigma: 1 }), kernels.cosine(), kernels.linearKernel()]) {
    backward(losses.decoupledUniformity(views, { weights: kernels.centroidWeights(x, { kernel, ridge: 0.1 }) }));
  }
  for (const loss of [losses.infoNCE, losses.alignUniform]) backward(loss(views));
  const parameters = Array.from({ length: 19 }, (_, i) => noise(5 + i, 7));
  const optimizers = [
    new SGD(parameters, { lr: 0.1 }),
    new SGD(parameters, { lr: 0.1, momentum: 0.9, nesterov: true, weightDecay: 0.1 }),
    new LARS(parameters, { lr: 0.1, weightDecay: 0.1 }),
    new Adam(parameters, { lr: 0.1 }),
    new AdamW(parameters, { lr: 0.1 }),
  ];
  for (const optimizer of optimizers) {
    for (const scaler of [undefined, new GradScaler()]) {
      const loss = parameters.map((each) => ops.sum(each)).reduce((sum, each) => ops.add(sum, each));
      backward(scaler?.scale(loss) ?? loss);
      clipGradNorm(parameters, 1);
      optimizer.step(scaler);
    }
  }
  new EMA(parameters.map(({ shape }) => zeros(shape)), parameters, { decay: 0.9 }).update();
  const bytes = tensor(new Uint8Array(n * 16 * 16 * 3), { shape: [n, 16, 16, 3] });
  const recipe = naturalRecipe({ size: 8, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] });
  const indices = [...Array(n).keys()];
  augment(bytes, { indices, recipe, epoch: 0 });
  const finished = { ...recipe, blur: { p: 1, sigma: [0.5, 1] }, solarize: { p: 0.5, threshold: 0.4 } } as const;
  augment(bytes, { indices, recipe: finished, epoch: 0 });
  augment(bytes, { indices, recipe: { ...recipe, affine: { shear: [-5, 5] } }, epoch: 0 });
  const image = { data: new Uint8Array(9 * 7 * 3), height: 9, width: 7, channels: 3 } as const;
  augment(packImages(indices.map(() => image)), { indices, recipe, epoch: 0 });
  assign(zeros([n, 12]), detach(x));
}
