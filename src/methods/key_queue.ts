import type { Device } from "../device/mod.ts";
import { noGrad } from "../autograd/mod.ts";
import { l2Normalize, reshape } from "../ops/mod.ts";
import { copyInto, keep, key, normal, type Tensor, tidy } from "../tensor/mod.ts";

/** Unit-length keys of the last batches on the device: the oldest are written over. */
export class KeyQueue {
  /** The keys, `[members, features]`; random ones at first. */
  readonly keys: Tensor;
  #next = 0;

  /** Makes room for `members` keys. */
  constructor(device: Device, members: number, features: number, seed: number) {
    const random = () => l2Normalize(normal([members, features], { key: key(seed, 2000), device }));
    this.keys = keep(noGrad(() => tidy(random)));
  }

  /** Row that is written next: a batch that does not fit to the end begins at the start again. */
  get next(): number {
    return this.#next;
  }

  /** Restores the position of a run that is resumed. */
  goTo(next: number): void {
    this.#next = next;
  }

  /** Puts keys `[batch, views, features]` in, of any length; at most as many as there is room for. */
  push(keys: Tensor): void {
    const [members, features] = this.keys.shape as [number, number];
    const rows = keys.size / features;
    const start = () => this.#next + rows > members ? 0 : this.#next;
    noGrad(() => copyInto(this.keys, l2Normalize(reshape(keys, [rows, features])), () => start() * features));
    keys.device.recordings.repeat(() => this.#next = start() + rows);
  }

  /** Frees the keys. */
  dispose(): void {
    this.keys.dispose();
  }
}
