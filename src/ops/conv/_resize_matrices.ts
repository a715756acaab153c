import type { Device } from "../../device/mod.ts";
import { keep, type Tensor, tensor } from "../../tensor/mod.ts";
import { resizeMatrix } from "./resize_matrix.ts";

/** Most matrices that a device keeps; those that were asked for last. */
const MOST = 64;

/** A resize along an axis: from one size to another by a rule. */
export type Resize = Parameters<typeof resizeMatrix>;

/** Matrices of resizes on a device, kept from call to call: a step that is recorded may not upload them. */
class ResizeMatrices {
  #device: Device;
  #held = new Map<string, Tensor>();

  constructor(device: Device) {
    this.#device = device;
  }

  /** The matrix `[size, oldSize]` of a resize. */
  get(resize: Resize): Tensor {
    const name = JSON.stringify(resize);
    const held = this.#held.get(name);
    if (held) {
      this.#held.delete(name);
      this.#held.set(name, held);
      return held;
    }
    const [old, size] = resize;
    const made = tensor(resizeMatrix(...resize), { shape: [size, old], device: this.#device });
    if (this.#device.recordings.rehearses) return made;
    this.#held.set(name, keep(made));
    if (this.#held.size > MOST) this.#drop([...this.#held.keys()][0]!);
    return made;
  }

  /** Frees a matrix; a recording that binds it notices that it is gone. */
  #drop(name: string): void {
    this.#held.get(name)!.dispose();
    this.#held.delete(name);
  }
}

/** The matrix `[size, oldSize]` of a resize on a device. */
export function resizeMatrixOn(device: Device, resize: Resize): Tensor {
  return device.part(ResizeMatrices).get(resize);
}
