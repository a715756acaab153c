// What someone who comes from PyTorch, or writes JavaScript, gets wrong first: each answer names what was wanted.
import { assertThrows } from "@std/assert";
import { arange, backward, Device, normal, ones, requireGrad, scope, tensor, uniform, zeros } from "../../mod.ts";
import { augment, naturalRecipe } from "../../src/data/augment/mod.ts";
import { bootstrapAuc } from "../../src/eval/mod.ts";
import { centroidWeights, rbf } from "../../src/kernels/mod.ts";
import { decoupledUniformity, infoNCE } from "../../src/losses/mod.ts";
import * as nn from "../../src/nn/mod.ts";
import { readSafetensors, writeSafetensors, writeTorch } from "../../src/formats/mod.ts";
import { add, conv2d, matmul, relu, where } from "../../src/ops/mod.ts";
import { argMax, interpolate, leakyRelu, logSumExp, max, maxPool2d, mean, pad } from "../../src/ops/mod.ts";
import { permute, reshape, slice, softplus, sort, sum, topK, variance } from "../../src/ops/mod.ts";
import { Adam, AdamW, CosineAnnealingLR, GradScaler, LARS, SGD } from "../../src/optim/mod.ts";

const { BatchNorm2d, contrastive, Conv2d, ConvTranspose2d, Embedding, LayerNorm, Linear, resnet18, Sequential, vit } =
  nn;

const _device = await Device.open();

/** A vision transformer that is made at once. */
const SMALL = { layout: { dim: 16, depth: 1, heads: 2, imageSize: 32 }, numClasses: 2 };

/** A value that no compiler saw: one of type never fits everywhere. */
const unseen = (value?: unknown) => value as never;

Deno.test("ops say that they take tensors", () => {
  using _ = scope();
  const x = ones([2, 3]);
  const of = (name: string) => `Cannot compute ${name}() as its inputs must be tensors: got`;
  assertThrows(() => add(x, unseen()), TypeError, `${of("add")} undefined`);
  assertThrows(() => add(x, unseen([1])), TypeError, `${of("add")} an array; tensor() makes one of it`);
  assertThrows(() => add(x, unseen(new Float32Array(3))), TypeError, `${of("add")} an array; tensor() makes one of it`);
  assertThrows(() => add(unseen(null), x), TypeError, `${of("add")} null`);
  assertThrows(() => matmul(x, unseen()), TypeError, `${of("matmul")} undefined`);
  assertThrows(() => where(x, unseen(), unseen()), TypeError, `${of("where")} undefined`);
  assertThrows(() => conv2d(unseen(), unseen()), TypeError, `${of("conv2d")} undefined`);
  assertThrows(() => relu(unseen()), TypeError, "Cannot run relu() as its inputs must be tensors: got undefined");
  assertThrows(() => relu(unseen([1])), TypeError, "must be tensors: got an array; tensor() makes one of it");
  assertThrows(() => backward(unseen()), TypeError, "Cannot run backward() of what is no tensor: got undefined");
});

Deno.test("tensors name their dtypes", () => {
  const message = "Cannot make a tensor as dtype must be f32, f16, i32, u32 or u8: got";
  for (const dtype of ["float32", "toString", 7]) {
    assertThrows(() => tensor([1], { dtype: unseen(dtype) }), TypeError, `${message} "${dtype}"`);
    assertThrows(() => zeros([2], { dtype: unseen(dtype) }), TypeError, `${message} "${dtype}"`);
  }
});

Deno.test("rbf() names its widths", () => {
  assertThrows(
    () => rbf(unseen()),
    TypeError,
    "Cannot make rbf() as one of sigma and gamma must be given: got sigma undefined",
  );
});

Deno.test("optimizers take the parameters of a network, not the network", () => {
  using _ = scope();
  const model = resnet18({ numClasses: 2 });
  const message = "parameters must be a list of tensors, as parameters() of a network gives: got";
  for (const Kind of [SGD, LARS, Adam, AdamW]) {
    assertThrows(() => new Kind(unseen(model), { lr: 1 }), TypeError, `${message} ResNet`);
    assertThrows(() => new Kind(unseen(model), unseen()), TypeError, `${message} ResNet`);
    assertThrows(() => new Kind(unseen(), unseen()), TypeError, `${message} undefined`);
    assertThrows(() => new Kind([unseen("fc.weight")], { lr: 1 }), TypeError, `${message} a list with fc.weight`);
  }
  assertThrows(() => new SGD(model.parameters(), unseen()), TypeError, "lr must be a number: got undefined");
  model.dispose();
});

Deno.test("networks say that channels come last, and what takes one image", () => {
  using _ = scope();
  const model = resnet18({ numClasses: 2 });
  const first =
    "got x [1,3,32,32] and weight [7,7,3,64]; channels come last here, permute(x, [0, 2, 3, 1]) puts them there";
  assertThrows(() => model.forward(zeros([1, 3, 32, 32])), TypeError, first);
  const one = "got x [1,1,1,512]; eval() of the network takes one image, by the statistics that were learnt";
  assertThrows(() => model.forward(zeros([1, 32, 32, 3])), TypeError, one);
  model.dispose();
});

Deno.test("options of another name, and what is no options, are refused where they would be left out in silence", () => {
  using _ = scope();
  const [x, images] = [ones([2, 3]), ones([1, 4, 4, 3])];
  const w = requireGrad(ones([2]));
  const reduced = "options are dim and keepDim: got";
  const cases: [() => unknown, string][] = [
    [() => sum(x, unseen({ axis: 1 })), `Cannot compute sum() as its ${reduced} axis`],
    [() => max(x, unseen({ keepdim: true })), `Cannot compute max() as its ${reduced} keepdim`],
    [() => mean(x, unseen(x)), `Cannot compute mean() as its ${reduced} a Tensor`],
    [() => argMax(x, unseen(1)), "Cannot compute argMax() as its options must be an object of dim and keepDim: got 1"],
    [() => logSumExp(x, unseen([0])), "must be an object of dim and keepDim: got [0]"],
    [() => variance(x, unseen({ unbiased: false })), "options are dim, keepDim and correction: got unbiased"],
    [
      () => sort(x, unseen({ reverse: true })),
      "Cannot compute sort() as its options are dim and descending: got reverse",
    ],
    [() => topK(x, 1, unseen({ sorted: true })), "options are dim and largest: got sorted"],
    [() => matmul(x, x, unseen({ transpose_b: true })), "options are transposeA and transposeB: got transpose_b"],
    [() => conv2d(images, ones([3, 3, 3, 2]), unseen({ pad: 1 })), "padding, dilation and groups: got pad"],
    [() => maxPool2d(images, unseen(2)), "must be an object of kernelSize, stride and padding: got 2"],
    [() => interpolate(images, unseen(8)), "Cannot compute interpolate() as its options must be an object of size"],
    [() => slice(x, unseen(0)), "Cannot compute slice() as ranges must be a list: got 0"],
    [
      () => slice(x, unseen([0, 1])),
      "Cannot compute slice() as its options must be an object of start, stop and step: got 0",
    ],
    [() => reshape(x, unseen(3)), "Cannot compute reshape() as shape must be a list: got 3"],
    [() => permute(x, unseen(1)), "Cannot compute permute() as dims must be a list: got 1"],
    [() => pad(x, unseen([1, 1])), "Cannot compute pad() as pads and each of them must be a list: got 1"],
    [
      () => arange(0, 5, unseen(2)),
      "Cannot make arange() as its options must be an object of step, dtype and device: got 2",
    ],
    [
      () => leakyRelu(x, unseen(0.3)),
      "Cannot compute leakyRelu() as its options must be an object of negativeSlope: got 0.3",
    ],
    [
      () => new nn.LeakyReLU(unseen({ negative_slope: 0.3 })),
      "Cannot make LeakyReLU as its options are negativeSlope: got negative_slope",
    ],
    [() => new nn.GELU(unseen("tanh")), "Cannot make GELU as its options must be an object of approximate: got tanh"],
    [() => new nn.Softplus(unseen(3)), "Cannot make Softplus as its options must be an object of beta: got 3"],
    [() => softplus(x, unseen(3)), "Cannot compute softplus() as its options must be an object of beta: got 3"],
    [
      () => new GradScaler(unseen({ init_scale: 4 })),
      "Cannot make GradScaler as its options are initScale, growthFactor",
    ],
    [() => bootstrapAuc([0, 1], [0, 1], unseen({ n: 5 })), "options are samples, level and seed: got n"],
    [() => uniform([2], unseen({ seed: 1 })), "options are key, low, high, dtype and device: got seed"],
    [() => normal([2], unseen()), "must be an object of key, mean, std, dtype and device: got undefined"],
    [() => zeros([2], { device: unseen("cuda") }), "device must be what Device.open() gives: got cuda"],
    [
      () => new SGD([w], unseen({ lr: 1, weight_decay: 1 })),
      "lr, momentum, weightDecay and nesterov: got weight_decay",
    ],
    [() => new LARS([w], unseen({ lr: 1, trust: 1 })), "Cannot make LARS as its options are lr, momentum, weightDecay"],
    [() => new Adam([w], unseen({ beta1: 0.9 })), "options are lr, betas, eps and weightDecay: got beta1"],
    [() => new AdamW([w], unseen(0.1)), "Cannot make AdamW as its options must be an object of lr, betas"],
    [() => new CosineAnnealingLR(new SGD([w], { lr: 1 }), unseen({ T_max: 1 })), "tMax, etaMin and warmUp: got T_max"],
    [
      () => decoupledUniformity(ones([2, 2, 3]), unseen({ temperature: 1 })),
      "options are weights and t: got temperature",
    ],
    [
      () => infoNCE(ones([2, 2, 3]), unseen({ tau: 1 })),
      "Cannot compute infoNCE() as its options are temperature: got tau",
    ],
    [() => centroidWeights(x, unseen({ kernel: rbf({ sigma: 1 }), lambda: 1 })), "kernel and ridge: got lambda"],
    [() => rbf(unseen({ bandwidth: 1 })), "Cannot make rbf() as its options are sigma and gamma: got bandwidth"],
    [
      () =>
        augment(
          zeros([1, 4, 4, 3], { dtype: "u8" }),
          unseen({ indices: [0], n_views: 4, recipe: naturalRecipe({ size: 4 }) }),
        ),
      "seed and parameters: got n_views",
    ],
  ];
  for (const [make, message] of cases) assertThrows(make, TypeError, message);
});

Deno.test("layers and networks name their options, and modules what is called otherwise here", () => {
  using _ = scope();
  const layer = new Linear({ inFeatures: 3, outFeatures: 2 });
  const cases: [() => unknown, string][] = [
    [
      () => new Linear(unseen(3)),
      "Cannot make Linear as its options must be an object of inFeatures, outFeatures, bias",
    ],
    [
      () => new Linear(unseen()),
      "Cannot make Linear as its options must be an object of inFeatures, outFeatures, bias",
    ],
    [() => new Conv2d(unseen({ kernel_size: 3 })), "init, key and device: got kernel_size"],
    [
      () => new ConvTranspose2d(unseen(3)),
      "Cannot make ConvTranspose2d as its options must be an object of inChannels",
    ],
    [() => new BatchNorm2d(unseen(64)), "must be an object of numFeatures, eps, momentum and device: got 64"],
    [() => new LayerNorm(unseen([3])), "must be an object of numFeatures, eps and device: got [3]"],
    [() => new Embedding(unseen(10)), "Cannot make Embedding as its options must be an object of numEmbeddings"],
    [() => resnet18(unseen(true)), "Cannot build resnet18 as its options must be an object of stem"],
    [() => resnet18(unseen({ num_classes: 10 })), "checkpoint, seed, init and device: got num_classes"],
    [() => vit("vit_tiny", unseen({ img_size: 32 })), "Cannot build vit_tiny as its options are layout, numClasses"],
    [() => contrastive(unseen(layer), unseen({ proj_dim: 3 })), "predictor, seed and device: got proj_dim"],
    [
      () => new Sequential(layer, unseen(relu)),
      "layers must be modules: got a function relu; new Lambda(relu) makes one",
    ],
    [() => new Sequential(unseen([layer])), "layers must be modules: got an array; ...layers hands them over"],
    [() => new Sequential(unseen()), "Cannot make Sequential as its layers must be modules: got undefined"],
    [
      () => (layer as unknown as Foreign).cuda(),
      "Cannot use cuda of a module as it is called otherwise here: use { device }",
    ],
    [() => (layer as unknown as Foreign).state_dict(), "use model.stateDict()"],
    [
      () => (ones([1]) as unknown as Foreign).add_(1),
      "Cannot read x.add_ as functions are given tensors here: use y = add(x, …)",
    ],
    [() => (ones([1]) as unknown as Foreign).zero_(), "use fill(x, value) or x.write(values)"],
    [
      () => (ones([1]) as unknown as Foreign)["-1"],
      "Cannot read x[-1] as functions are given tensors here: use indexSelect",
    ],
  ];
  for (const [make, message] of cases) assertThrows(make, TypeError, message);
  assertThrows(
    () => new Linear(unseen({ inFeatures: 3 })),
    RangeError,
    "Cannot make Linear as outFeatures must be an integer >= 1: got undefined",
  );
  assertThrows(
    () => new Conv2d({ inChannels: 3, outChannels: 4, kernelSize: [3, 0] }),
    RangeError,
    "Cannot make Conv2d as kernelSize must be an integer >= 1: got 3,0",
  );
});

/** What PyTorch's tensors and modules have. */
type Foreign = Record<"cuda" | "state_dict" | "add_" | "zero_" | "-1", (...args: unknown[]) => unknown>;

Deno.test("optimizers, schedules, scalers and files name what is called otherwise here", () => {
  using _ = scope();
  const layer = new Linear({ inFeatures: 3, outFeatures: 2 });
  const optimizer = new SGD(layer.parameters(), { lr: 1 });
  const [sgd, scaler] = [unseen(optimizer), unseen(new GradScaler())] as Record<string, () => void>[];
  const schedule = unseen(new CosineAnnealingLR(optimizer, { tMax: 2 })) as Record<string, () => void>;
  const otherwise = "as it is called otherwise here: use";
  const arrays = "; await readState(model) of ./train gives the arrays of a network";
  const cases: [() => unknown, string][] = [
    [() => sgd!.zero_grad!(), `Cannot use zero_grad of an optimizer ${otherwise} optimizer.zeroGrad()`],
    [() => sgd!.param_groups, "use optimizer.lr, and an optimizer for each group"],
    [() => sgd!.stateDict!(), "use await optimizer.state()"],
    [() => scaler!.update!(), `Cannot use update of a GradScaler ${otherwise} optimizer.step(scaler)`],
    [() => schedule.get_last_lr!(), `Cannot use get_last_lr of a schedule ${otherwise} optimizer.lr`],
    [() => JSON.stringify({ layer }), "use await readState(model) of ./train"],
    [
      () => JSON.stringify({ loss: ones([1]) }),
      "Cannot read x.toJSON as functions are given tensors here: use await x.data()",
    ],
    [
      () => layer.loadStateDict(unseen({})),
      "Cannot load the state as it must be a Map of arrays by name: got Object",
    ],
    [() => layer.loadStateDict(unseen(null)), "must be a Map of arrays by name: got null"],
    [
      () => Object.assign(vit("vit_tiny", SMALL), { head: layer }),
      `Cannot use head of a network ${otherwise} model.fc`,
    ],
    [() => writeSafetensors(unseen(layer.stateDict())), arrays],
    [() => writeTorch(unseen(layer)), `got Linear${arrays}`],
    [() => readSafetensors(unseen("a.safetensors")), "must be a Uint8Array: got a string; await Deno.readFile(path)"],
    [() => readSafetensors(unseen(new ArrayBuffer(8))), "must be a Uint8Array: got ArrayBuffer;"],
  ];
  for (const [make, message] of cases) assertThrows(make, TypeError, message);
  layer.dispose();
});
