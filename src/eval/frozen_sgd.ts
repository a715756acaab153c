import { backward } from "../autograd/mod.ts";
import type { Device } from "../device/mod.ts";
import type { ImageDataset } from "../data/mod.ts";
import type { Communicator } from "../distributed/mod.ts";
import { groupOf } from "../distributed/internal.ts";
import { type Backbone, Linear } from "../nn/mod.ts";
import { ReduceLROnPlateau, SGD } from "../optim/mod.ts";
import { crossEntropy } from "../ops/mod.ts";
import { keep, key, type Tensor, tidy } from "../tensor/mod.ts";
import { AugmentedFeatures, type FeatureBatch } from "./augmented_features.ts";
import { weightsDigest } from "./features.ts";
import type { LinearClassifier } from "./linear_classifier.ts";
import { linearScores } from "./logistic.ts";
import { accuracy, predictedClasses, topKAccuracy } from "./metrics.ts";
import type { LabelledSet } from "./task.ts";
import { checkOptions, checkSizes } from "../tensor/internal.ts";

/** Settings of {@linkcode frozenSgd}. */
export interface FrozenSgdOptions {
  /** Feature that is classified. */
  feature: "fc" | "pooled";
  /** Passes over the images; 150 by default. */
  epochs?: number;
  /** Images of a step; 512 by default. */
  batchSize?: number;
  /** Learning rate for a batch of 256, scaled with the batch; 0.1 by default. */
  lr?: number;
  /** Momentum; 0.9 by default. */
  momentum?: number;
  /** Weight decay; 0 by default. */
  weightDecay?: number;
  /** Side of the images, px. */
  resolution: number;
  /** Workers that decode. */
  workers?: number;
  /** Seed; 0 by default. */
  seed?: number;
  /** The ranks, each of which encodes its part of every batch; this process alone by default. */
  group?: Communicator;
  /** Callback after each epoch. */
  onEpoch?: (epoch: FrozenSgdEpoch) => void;
}

/** Settings of {@linkcode frozenSgd} that hold where they are not given: those of the original. */
export const FROZEN_SGD = { epochs: 150, batchSize: 512, lr: 0.1, momentum: 0.9, weightDecay: 0, seed: 0 } as const;

/** Results of an epoch of {@linkcode frozenSgd}. */
export interface FrozenSgdEpoch {
  /** Epochs done. */
  readonly epoch: number;
  /** Mean training loss, nats. */
  readonly loss: number;
  /** Learning rate of the epoch. */
  readonly lr: number;
  /** Accuracy on the validation images. */
  readonly top1: number;
  /** Top-5 accuracy on them; NaN with five classes or fewer. */
  readonly top5: number;
}

const OPTIONS = [
  ...["feature", "epochs", "batchSize", "lr", "momentum", "weightDecay"] as const,
  ...["resolution", "workers", "seed", "group", "onEpoch"] as const,
];

/**
 * The original's linear evaluation of ImageNet100: a linear layer on the frozen encoder, trained by SGD on augmented
 * images, the learning rate divided by 10 when the training loss has not fallen for 10 epochs; the epoch with the best
 * top-1 accuracy on the validation images is kept. Afterwards the encoder is checked to be unchanged, bit by bit.
 *
 * With several ranks this is for rank 0, which trains the layer; the others call {@linkcode encodeForFrozenSgd}.
 *
 * @param test Features of the validation images, not augmented.
 * @throws {TypeError} If the data set has no classes.
 * @throws {Error} If the encoder changed, which would be a fault of this library.
 */
export async function frozenSgd(
  device: Device,
  encoder: Backbone,
  dataset: ImageDataset,
  test: LabelledSet,
  options: FrozenSgdOptions,
): Promise<{ classifier: LinearClassifier; best: FrozenSgdEpoch; epochs: readonly FrozenSgdEpoch[] }> {
  checkOptions("compute frozenSgd()", options, OPTIONS);
  const { epochs, batchSize, lr, momentum, weightDecay, seed } = resolve(options);
  checkSizes("compute frozenSgd()", { epochs, batchSize });
  const labels = classLabels(dataset);
  const { classes } = dataset;
  const before = await weightsDigest(encoder);
  const { dim } = test.features;
  const head = new Linear({ inFeatures: dim, outFeatures: classes.length, key: key(seed, 77), device });
  const optimizer = new SGD(head.parameters(), { lr: lr * batchSize / 256, momentum, weightDecay });
  const plateau = new ReduceLROnPlateau(optimizer, { factor: 0.1, patience: 10 });
  const history: FrozenSgdEpoch[] = [];
  let best: { epoch: FrozenSgdEpoch; classifier: LinearClassifier } | null = null;
  using images = augmentedFeatures(device, encoder, dataset, options);
  try {
    for (let epoch = 0; epoch < epochs; epoch++) {
      const loss = await trainEpoch(head, optimizer, images.epoch(epoch), labels);
      const { lr } = optimizer;
      plateau.step(loss);
      const classifier = await readClassifier(head, dim, classes.length);
      const done = { epoch: epoch + 1, loss, lr, ...accuracies(classifier, test) };
      history.push(done);
      options.onEpoch?.(done);
      if (!best || done.top1 > best.epoch.top1) best = { epoch: done, classifier };
    }
  } finally {
    optimizer.dispose();
  }
  if (await weightsDigest(encoder) !== before) {
    throw new Error("Cannot trust this evaluation as the weights of the frozen encoder changed");
  }
  return { classifier: best!.classifier, best: best!.epoch, epochs: history };
}

function classLabels({ name, labels }: ImageDataset): Int32Array {
  if (labels instanceof Int32Array) return labels;
  throw new TypeError(`Cannot compute frozenSgd() as the data set must have a class for each image: got "${name}"`);
}

/** Encodes this rank's part of every batch while rank 0 runs {@linkcode frozenSgd}. */
export async function encodeForFrozenSgd(
  device: Device,
  encoder: Backbone,
  dataset: ImageDataset,
  options: FrozenSgdOptions,
): Promise<void> {
  const { epochs } = resolve(options);
  using images = augmentedFeatures(device, encoder, dataset, options);
  for (let epoch = 0; epoch < epochs; epoch++) {
    await images.epoch(epoch).next(); // the whole epoch, as nothing is yielded here
  }
}

/** Options with everything that holds where one is not given. */
function resolve(options: FrozenSgdOptions) {
  const { epochs, batchSize, lr, momentum, weightDecay, seed } = FROZEN_SGD;
  return {
    ...options,
    epochs: options.epochs ?? epochs,
    batchSize: options.batchSize ?? batchSize,
    lr: options.lr ?? lr,
    momentum: options.momentum ?? momentum,
    weightDecay: options.weightDecay ?? weightDecay,
    seed: options.seed ?? seed,
    group: groupOf(options),
  };
}

function augmentedFeatures(device: Device, encoder: Backbone, dataset: ImageDataset, options: FrozenSgdOptions) {
  const { batchSize, seed, group, feature, resolution, workers } = resolve(options);
  return new AugmentedFeatures(device, encoder, dataset, { batchSize, seed, group, feature, resolution, workers });
}

/** Mean loss of the images of an epoch. */
async function trainEpoch(
  head: Linear,
  optimizer: SGD,
  batches: AsyncIterable<FeatureBatch>,
  labels: Int32Array,
): Promise<number> {
  let [sum, count] = [0, 0];
  for await (const { rows, features } of batches) {
    using loss = trainStep(head, features, Array.from(rows, (row) => labels[row]!));
    optimizer.step();
    sum += await loss.item() * rows.length;
    count += rows.length;
  }
  return sum / count;
}

function trainStep(head: Linear, features: Tensor, labels: readonly number[]): Tensor {
  return keep(tidy(() => {
    const loss = crossEntropy(head.forward(features), labels);
    backward(loss);
    return loss;
  }));
}

function accuracies(classifier: LinearClassifier, { features, labels }: LabelledSet): { top1: number; top5: number } {
  const { classes } = classifier;
  const scores = linearScores(classifier, features);
  return {
    top1: accuracy(labels, predictedClasses(scores, classes)),
    top5: classes > 5 ? topKAccuracy(labels, scores, { k: 5, classes }) : NaN,
  };
}

async function readClassifier(head: Linear, dim: number, classes: number): Promise<LinearClassifier> {
  const [weight, bias] = await Promise.all([head.weight.data(), head.bias!.data()]);
  return { weight: Float64Array.from(weight), bias: Float64Array.from(bias), dim, classes };
}
