import { backward, noGrad } from "../../autograd/mod.ts";
import type { Device } from "../../device/mod.ts";
import { type ImageDataset, naturalRecipe } from "../../data/mod.ts";
import { Linear, type ResNet } from "../../nn/mod.ts";
import { ReduceLROnPlateau, SGD } from "../../optim/mod.ts";
import { crossEntropy, squeeze } from "../../ops/mod.ts";
import { keep, key, shuffled, type Tensor, tidy } from "../../tensor/mod.ts";
import { imageSource } from "../job_data.ts";
import { batchSizes } from "../pretrain_parts.ts";
import { weightsDigest } from "./features.ts";
import { type LinearClassifier, linearScores } from "./logistic.ts";
import { accuracy, predictedClasses, topKAccuracy } from "./metrics.ts";
import type { LabelledSet } from "./task.ts";

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
  /** Called after each epoch. */
  onEpoch?: (epoch: FrozenSgdEpoch) => void;
}

/** What an epoch of {@linkcode frozenSgd} gave. */
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

/**
 * The original's linear evaluation of ImageNet100: a linear layer on the frozen encoder, trained by SGD on augmented
 * images, the learning rate divided by 10 when the training loss has not fallen for 10 epochs; the epoch with the best
 * top-1 accuracy on the validation images is kept. Afterwards the encoder is checked to be unchanged, bit by bit.
 *
 * @param test Features of the validation images, not augmented.
 * @throws {TypeError} If the data set has no classes.
 * @throws {Error} If the encoder changed, which would be a fault of this library.
 */
export async function frozenSgd(
  device: Device,
  encoder: ResNet,
  dataset: ImageDataset,
  test: LabelledSet,
  options: FrozenSgdOptions,
): Promise<{ classifier: LinearClassifier; best: FrozenSgdEpoch; epochs: readonly FrozenSgdEpoch[] }> {
  const { epochs = 150, batchSize = 512, lr = 0.1, momentum = 0.9, weightDecay = 0, seed = 0, feature } = options;
  const { labels, classes, mean, std } = dataset;
  if (!(labels instanceof Int32Array)) {
    throw new TypeError(
      `Cannot compute frozenSgd() as the data set must have a class for each image: got "${dataset.name}"`,
    );
  }
  const before = await weightsDigest(encoder);
  const dim = test.features.dim;
  const head = new Linear({ inFeatures: dim, outFeatures: classes.length, key: key(seed, 77), device });
  const optimizer = new SGD(head.parameters(), { lr: lr * batchSize / 256, momentum, weightDecay });
  const plateau = new ReduceLROnPlateau(optimizer, { factor: 0.1, patience: 10 });
  const source = imageSource(device, dataset, naturalRecipe({ size: options.resolution, mean, std }), {
    workers: options.workers,
  });
  const sizes = batchSizes(dataset.length, Math.min(batchSize, dataset.length), false);
  const history: FrozenSgdEpoch[] = [];
  let best: { epoch: FrozenSgdEpoch; classifier: LinearClassifier } | null = null;
  try {
    for (let epoch = 0; epoch < epochs; epoch++) {
      const order = shuffled(dataset.length, key(seed, 1, epoch));
      let [sum, count] = [0, 0];
      for await (const { rows, views } of source.batches({ order, sizes, epoch, seed, views: 1 })) {
        if (!views) continue;
        const step = Array.from(rows, (row) => labels[row]!);
        using loss = trainStep(encoder, head, feature, views, step);
        optimizer.step();
        sum += await loss.item() * rows.length;
        count += rows.length;
      }
      const { lr } = optimizer;
      plateau.step(sum / count);
      const classifier = await readClassifier(head, dim, classes.length);
      const scores = linearScores(classifier, test.features);
      const top1 = accuracy(test.labels, predictedClasses(scores, classes.length));
      const top5 = classes.length > 5 ? topKAccuracy(test.labels, scores, { k: 5, classes: classes.length }) : NaN;
      const done = { epoch: epoch + 1, loss: sum / count, lr, top1, top5 };
      history.push(done);
      options.onEpoch?.(done);
      if (!best || top1 > best.epoch.top1) best = { epoch: done, classifier };
    }
  } finally {
    source.dispose();
    optimizer.dispose();
  }
  if (await weightsDigest(encoder) !== before) {
    throw new Error("Cannot trust this evaluation as the weights of the frozen encoder changed");
  }
  return { classifier: best!.classifier, best: best!.epoch, epochs: history };
}

function trainStep(
  encoder: ResNet,
  head: Linear,
  feature: "fc" | "pooled",
  views: Tensor,
  labels: readonly number[],
): Tensor {
  return keep(tidy(() => {
    const images = squeeze(views, 1);
    const z = noGrad(() => feature === "pooled" ? encoder.pooled(images) : encoder.forward(images));
    const loss = crossEntropy(head.forward(z), labels);
    backward(loss);
    return loss;
  }));
}

async function readClassifier(head: Linear, dim: number, classes: number): Promise<LinearClassifier> {
  const [weight, bias] = await Promise.all([head.weight.data(), head.bias!.data()]);
  return { weight: Float64Array.from(weight), bias: Float64Array.from(bias), dim, classes };
}
