import { autocast, backward, type Device, keep, key, scope, type Tensor, tensor, uniform } from "../mod.ts";
import { uniformNumbers } from "../src/tensor/internal.ts";
import { augment, naturalRecipe } from "../src/data/augment/mod.ts";
import { decoupledUniformity } from "../src/losses/mod.ts";
import { contrastive, resnet18, resnet50 } from "../src/nn/mod.ts";
import { GradScaler, SGD } from "../src/optim/mod.ts";

/** The training steps that are timed: ResNet-18 with the CIFAR stem on 32 px, ResNet-50 on 224 px. */
export const NETWORKS = {
  resnet18: { name: "ResNet-18 (CIFAR stem)", size: 32, make: () => resnet18({ stem: "cifar" }) },
  resnet50: { name: "ResNet-50", size: 224, make: () => resnet50() },
} as const;

/** Name of one. */
export type NetworkName = keyof typeof NETWORKS;

/** Settings of {@linkcode trainingStep}. */
export interface StepOptions {
  /** Views in a batch, two of each sample. */
  readonly images: number;
  /** Pixels along a side; the network's own by default. */
  readonly size?: number;
  /** Make the views anew from images on the device; false by default: the same views in every step. */
  readonly augmented?: boolean;
  /** Whether steps are in mixed precision, as `--precision mixed`; false by default. */
  readonly mixed?: boolean;
  /** Precision in which products may sum a few terms in mixed precision, f16 or f32; f32 by default. */
  readonly sums?: "f32" | "f16";
}

/** A training step: views, forward, decoupled uniformity, backward, SGD. */
export interface TrainingStep {
  /** Runs it and returns the loss, which the caller's scope owns. */
  run(): Tensor;
  /** Numbers in all parameters. */
  readonly parameters: number;
  /** Frees everything. */
  dispose(): void;
}

/** Builds a network, its optimizer and its input. */
export function trainingStep(device: Device, network: NetworkName, options: StepOptions): TrainingStep {
  const { images, size = NETWORKS[network].size, augmented = false, mixed = false, sums } = options;
  const model = contrastive(NETWORKS[network].make());
  const optimizer = new SGD(model.parameters(), { lr: 0.003 });
  const scaler = mixed ? new GradScaler({ device }) : undefined;
  const input = augmented
    ? resident(device, images / 2, size)
    : keep(uniform([images / 2, 2, size, size, 3], { key: key(0), low: -1 }));
  const indices = keep(tensor(Uint32Array.from({ length: images / 2 }, (_, i) => i)));
  const recipe = naturalRecipe({ size, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] });
  let epoch = 0;
  return {
    run() {
      const views = augmented ? augment(input as Tensor<"u8">, { indices, recipe, epoch: epoch++ }) : input as Tensor;
      const loss = decoupledUniformity(autocast(() => model.forward(views), { enabled: mixed, sums, device }));
      backward(scaler?.scale(loss) ?? loss);
      optimizer.step(scaler);
      return loss;
    },
    parameters: model.parameters().reduce((sum, { size }) => sum + size, 0),
    dispose: () => [model, optimizer, scaler, input, indices].forEach((each) => each?.dispose()),
  };
}

/** Images of bytes on the device. */
function resident(device: Device, count: number, size: number): Tensor<"u8"> {
  const numbers = uniformNumbers(size * size * 3, key(0));
  const bytes = new Uint8Array(count * numbers.length).map((_, i) => 256 * numbers[i % numbers.length]!);
  return keep(tensor(bytes, { shape: [count, size, size, 3], device }));
}

/** Runs `body` in a scope of its own. */
export function inScope<T>(body: () => T): T {
  using _ = scope();
  return body();
}
