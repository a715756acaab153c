// One rank of a training run; rank 0 writes what came out. The argument is a TrainingPlan as JSON.
import { Device, keep, tensor } from "../../mod.ts";
import { naturalRecipe } from "../../src/data/mod.ts";
import { openCommunicator } from "../../src/distributed/mod.ts";
import { rbf } from "../../src/kernels/mod.ts";
import { contrastive, ResNet } from "../../src/nn/mod.ts";
import { Pretraining, readState, ResidentImages } from "../../src/train/mod.ts";

/** What to train. */
export interface TrainingPlan {
  readonly out: string;
  /** Two blocks, or ResNet-18 with so many channels in its first stage (64 in the original). */
  readonly network: "small" | number;
  readonly lossScope: "local" | "global";
  readonly prior: boolean;
  readonly samples: number;
  readonly batchSize: number;
  readonly epochs: number;
  readonly lr: number;
  readonly precision?: "full" | "mixed";
}

/** What came out. */
export interface TrainingOutcome {
  readonly losses: readonly number[];
  readonly weights: Readonly<Record<string, readonly number[]>>;
  readonly sentBytes: number;
  readonly communicationMs: number;
  readonly seconds: number;
}

const SIZE = 8;

if (import.meta.main) await train(JSON.parse(Deno.args[0]!) as TrainingPlan);

async function train(plan: TrainingPlan): Promise<void> {
  const group = openCommunicator();
  await using device = await Device.open();
  const { network } = plan;
  const layout = network === "small"
    ? { block: "basic", layers: [1, 1], widths: [8, 16], smallStem: true } as const
    : { block: "basic", layers: [2, 2, 2, 2], widths: [1, 2, 4, 8].map((times) => times * network) } as const;
  // Ranks begin with other weights on purpose: those of rank 0 count.
  const seed = group.rank;
  const encoder = new ResNet(layout, { stem: "cifar", numClasses: network === "small" ? 16 : 2 * network, seed });
  const model = contrastive(encoder, { projection: 8, seed });
  const pixels = new Uint8Array(plan.samples * SIZE * SIZE * 3).map((_, i) => (i * 7919 + (i >> 5) * 104729) % 256);
  const source = new ResidentImages(
    device,
    { data: pixels, height: SIZE, width: SIZE },
    naturalRecipe({ size: SIZE }),
  );
  const prior = plan.prior
    ? keep(tensor(Float32Array.from({ length: plan.samples * 3 }, (_, i) => Math.sin(i)), { shape: [plan.samples, 3] }))
    : undefined;
  const training = new Pretraining(model, { source, prior }, {
    epochs: plan.epochs,
    batchSize: plan.batchSize,
    lr: plan.lr,
    momentum: 0.9,
    kernel: prior && rbf({ sigma: 1 }),
    printEvery: 1,
    group,
    lossScope: plan.lossScope,
    precision: plan.precision,
  });
  const losses: number[] = [];
  let [sentBytes, communicationMs, seconds] = [0, 0, 0];
  for await (const report of training.reports()) {
    losses.push(report.loss);
    ({ sentBytes = 0, communicationMs = 0, seconds } = report);
  }
  if (group.rank !== 0) return group.close();
  const weights = Object.fromEntries(
    [...await readState(model)].map(([name, { data }]) => [name, Array.from(data as ArrayLike<number>, Number)]),
  );
  const outcome: TrainingOutcome = { losses, weights, sentBytes, communicationMs, seconds };
  await Deno.writeTextFile(plan.out, JSON.stringify(outcome));
  group.close();
}
