import { numbers } from "./cases.ts";

/** Operations that a library needs for the training step of a ResNet-18, on its own kind of array. */
export interface Layers<T> {
  /** The array for one more use; some libraries count uses. */
  again(x: T): T;
  /** Convolves; `w` is `[kh, kw, in, out]` or what the library made of it. */
  conv(x: T, w: T, stride: number, padding: number): T;
  /** Batch normalisation by the batch's own statistics, eps 1e-5. */
  norm(x: T, scale: T, shift: T): T;
  relu(x: T): T;
  add(x: T, y: T): T;
  /** Mean over the pixels: `[n, c]`. */
  pool(x: T): T;
  /** Computes `x w + b`, `w` `[in, out]`. */
  linear(x: T, w: T, b: T): T;
}

/** Weights by the names of torchvision, as `Contrastive` has them: `encoder.*`, `head.*`. */
export type Weights<T> = Readonly<Record<string, T>>;

/** Size of the step. */
export const STEP = { images: 16, size: 32, lr: 0.003, gflop: 68 } as const;

/** The images of the step, `[16, 32, 32, 3]`, as 8 samples with two views. */
export function stepImages(): Float32Array<ArrayBuffer> {
  return numbers(STEP.images * STEP.size ** 2 * 3, 5);
}

/** ResNet-18 with the CIFAR stem (3 × 3, padding 2) and the projection head: images to `[n, 256]`. */
export function embed<T>(layers: Layers<T>, p: Weights<T>, images: T): T {
  const { again, conv, norm, relu, add, pool, linear } = layers;
  const normed = (x: T, name: string) => norm(x, p[`encoder.${name}.weight`]!, p[`encoder.${name}.bias`]!);
  const conved = (x: T, name: string, stride: number, padding: number) =>
    conv(x, p[`encoder.${name}.weight`]!, stride, padding);
  let x = relu(normed(conved(images, "conv1", 1, 2), "bn1"));
  for (let stage = 1; stage <= 4; stage++) {
    for (let block = 0; block < 2; block++) {
      const name = `layer${stage}.${block}`;
      const shrinks = stage > 1 && block === 0;
      const shortcut = shrinks
        ? normed(conved(again(x), `${name}.downsample.0`, 2, 0), `${name}.downsample.1`)
        : again(x);
      const y = relu(normed(conved(x, `${name}.conv1`, shrinks ? 2 : 1, 1), `${name}.bn1`));
      x = relu(add(normed(conved(y, `${name}.conv2`, 1, 1), `${name}.bn2`), shortcut));
    }
  }
  const dense = (x: T, name: string) => linear(x, p[`${name}.weight`]!, p[`${name}.bias`]!);
  return dense(relu(dense(relu(dense(pool(x), "encoder.fc")), "head.1")), "head.3");
}

/** A library that trains: every call is one step on the same images, and resolves to its loss when the device is done. */
export interface Trainer {
  readonly name: string;
  step(): Promise<number>;
}

/** Weights as they go from library to library. */
export type Arrays = Readonly<Record<string, { readonly shape: readonly number[]; readonly data: Float32Array }>>;
