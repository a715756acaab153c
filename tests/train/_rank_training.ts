// One rank of a training run; rank 0 writes what came out. The argument is a TrainingPlan as JSON.
import { add, backward, Device, indexSelect, keep, mul, noGrad, scope, slice, tensor } from "../../mod.ts";
import type { Tensor } from "../../mod.ts";
import { batchSizes, multiCrop, naturalRecipe, ResidentImages } from "../../src/data/mod.ts";
import { type Communicator, openCommunicator, shareOf } from "../../src/distributed/mod.ts";
import { centroidWeights, rbf } from "../../src/kernels/mod.ts";
import { decoupledUniformity } from "../../src/losses/mod.ts";
import { type Contrastive, contrastive, ResNet } from "../../src/nn/mod.ts";
import { key, shuffled } from "../../src/tensor/mod.ts";
import { safetensorsChunks, writeWhole } from "../../src/formats/mod.ts";
import { makeOptimizer } from "../../src/train/optimizers.ts";
import { resolveConfig } from "../../src/train/resolve.ts";
import { type BatchStatistics, type PretrainConfig, Pretraining } from "../../src/train/mod.ts";
import { readState } from "../../src/weights/mod.ts";

/** Plan of a training run. */
export interface TrainingPlan {
  /** File without its ending. */
  readonly out: string;
  /** Two blocks, or ResNet-18 with so many channels in its first stage (64 in the original). */
  readonly network: "small" | number;
  readonly lossScope: "local" | "global";
  /** One process takes the mean of so many losses, each of a part of the batch: what ranks with the local loss do. */
  readonly parts?: number;
  readonly prior: boolean;
  /** Views of half the size beside the two others; none by default. */
  readonly localViews?: number;
  readonly samples: number;
  readonly batchSize: number;
  readonly epochs: number;
  readonly lr: number;
  readonly precision?: "full" | "mixed";
  /** Samples that a rank encodes at once. */
  readonly microBatch?: number;
  readonly batchStatistics?: BatchStatistics;
  /** Scale of the loss at the start in mixed precision, on rank 0; others begin with less. */
  readonly scale?: number;
  readonly momentum: number;
  /** Open every ReLU of the encoder, so that none of them makes gradients jump. */
  readonly open?: boolean;
  /** Move each weight by this part of it at most before training: what rounding does. */
  readonly nudge?: number;
}

/** Outcome of a run, beside the weights. */
export interface TrainingOutcome {
  readonly losses: readonly number[];
  readonly sent_bytes: number;
  readonly communication_ms: number;
  readonly seconds: number;
  /** Steps that mixed precision skipped. */
  readonly skipped: number;
}

const SIZE = 8;

if (import.meta.main) await train(JSON.parse(Deno.args[0]!) as TrainingPlan);

/** The model before training. */
export async function modelOf({ network, open, nudge }: TrainingPlan, seed = 0): Promise<Contrastive> {
  const layout = network === "small"
    ? { block: "basic", layers: [1, 1], widths: [8, 16], smallStem: true } as const
    : { block: "basic", layers: [2, 2, 2, 2], widths: [1, 2, 4, 8].map((times) => times * network) } as const;
  const encoder = new ResNet(layout, { stem: "cifar", numClasses: network === "small" ? 16 : 2 * network, seed });
  const model = contrastive(encoder, { projection: network === "small" ? 8 : 64, seed });
  if (open) await openReLUs(model);
  if (nudge) { for (const weight of model.parameters()) await nudged(weight, nudge); }
  return model;
}

/** Shifts what enters a ReLU to 5 standard deviations above 0, and what leaves the last block back to mean 0. */
async function openReLUs({ encoder }: Contrastive): Promise<void> {
  const shift = 5;
  const shifts = [...encoder.namedParameters()].filter(([name]) => /bn\d\.bias|downsample\.1\.bias/.test(name));
  for (const [, bias] of shifts) bias.write(new Float32Array(bias.size).fill(shift));
  const { weight, bias } = encoder.fc;
  const values = await weight.data();
  const sums = new Float32Array(bias!.size);
  values.forEach((value, i) => sums[i % sums.length]! -= 3 * shift * value); // the last two blocks add theirs up
  bias!.write(sums);
}

async function nudged(weight: Tensor, part: number): Promise<void> {
  const values = await weight.data();
  weight.write(Float32Array.from(values, (value, i) => value * (1 + part * ((i * 7919) % 1999 / 999 - 1))));
}

async function train(plan: TrainingPlan): Promise<void> {
  const group = openCommunicator();
  await using device = await Device.open();
  const model = await modelOf(plan, group.rank); // ranks begin with other weights on purpose: those of rank 0 count
  const pixels = new Uint8Array(plan.samples * SIZE * SIZE * 3).map((_, i) => (i * 7919 + (i >> 5) * 104729) % 256);
  const { localViews } = plan;
  const recipe = localViews
    ? { ...multiCrop({ size: SIZE, localSize: SIZE / 2 }), localViews }
    : naturalRecipe({ size: SIZE });
  const source = new ResidentImages(device, { data: pixels, height: SIZE, width: SIZE }, recipe);
  const prior = plan.prior
    ? keep(tensor(Float32Array.from({ length: plan.samples * 3 }, (_, i) => Math.sin(i)), { shape: [plan.samples, 3] }))
    : undefined;
  const outcome = plan.parts === undefined ? await pretrain(model, source, prior, plan, group) : {
    losses: await trainParts(model, source, prior!, plan, plan.parts),
    sent_bytes: 0,
    communication_ms: 0,
    seconds: 0,
    skipped: 0,
  };
  if (group.rank === 0) {
    await writeWhole(`${plan.out}.safetensors`, safetensorsChunks(await readState(model)));
    await Deno.writeTextFile(`${plan.out}.json`, JSON.stringify(outcome));
  }
  await group.barrier();
  group.close();
}

function configOf(plan: TrainingPlan): PretrainConfig {
  const { epochs, batchSize, lr, momentum, prior, lossScope, precision, microBatch, batchStatistics } = plan;
  const kernel = prior ? rbf({ sigma: 1 }) : undefined;
  const division = { microBatch, batchStatistics };
  return { epochs, batchSize, lr, etaMin: lr / 10, momentum, kernel, lossScope, precision, printEvery: 1, ...division };
}

async function pretrain(
  model: Contrastive,
  source: ResidentImages,
  prior: Tensor | undefined,
  plan: TrainingPlan,
  group: Communicator,
): Promise<TrainingOutcome> {
  const training = new Pretraining(model, { source, prior }, { ...configOf(plan), group });
  if (plan.scale) training.scaler!.loadState({ scale: plan.scale / (1 + group.rank), growthTracker: 0, skipped: 0 });
  const losses: number[] = [];
  let [sent_bytes, communication_ms, seconds] = [0, 0, 0];
  for await (const report of training.reports()) {
    losses.push(report.loss);
    ({ sent_bytes = 0, communication_ms = 0, seconds } = report);
  }
  const { skipped = 0 } = await training.scaler?.state() ?? {};
  return { losses, sent_bytes, communication_ms, seconds, skipped };
}

/** Trains with batch normalisation over the batch and a loss for each part of it. */
async function trainParts(
  model: Contrastive,
  source: ResidentImages,
  prior: Tensor,
  plan: TrainingPlan,
  parts: number,
): Promise<number[]> {
  const { samples, batchSize, epochs } = plan;
  const { optimizer, schedule } = makeOptimizer(model.parameters(), resolveConfig(configOf(plan)));
  const sizes = batchSizes(samples, batchSize, false, parts);
  const losses: number[] = [];
  for (let epoch = 0; epoch < epochs; epoch++) {
    schedule.epoch = epoch;
    const order = shuffled(samples, key(0, 0, epoch));
    for await (const { views, indices } of source.batches({ order, sizes, epoch, seed: 0, views: 2 })) {
      using _ = scope();
      const z = model.forward(views!);
      const terms = Array.from({ length: parts }, (_, rank) => {
        const [start, stop] = shareOf({ rank, size: parts }, z.shape[0]!);
        const rows = noGrad(() => indexSelect(prior, 0, slice(indices!, [{ start, stop }])));
        const weights = noGrad(() => centroidWeights(rows, { kernel: rbf({ sigma: 1 }), ridge: 0.01 }));
        return decoupledUniformity(slice(z, [{ start, stop }]), { weights });
      });
      const loss = mul(terms.reduce((a, b) => add(a, b)), 1 / parts);
      backward(loss);
      optimizer.step();
      losses.push(await loss.item());
    }
  }
  return losses;
}
