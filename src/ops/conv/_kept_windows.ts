import type { Device } from "../../device/mod.ts";
import { keep, type Tensor, tensor } from "../../tensor/mod.ts";
import { type ResizeWindows, resizeWindows } from "./resize_windows.ts";

/** Most windows that a device keeps; those that were asked for last. */
const MOST = 64;

/** Windows on a device. */
interface OnDevice extends Omit<ResizeWindows, "words"> {
  readonly words: Tensor;
}

/** Windows of resizes on a device, kept from call to call: a step that is recorded may not upload them. */
class KeptWindows {
  #device: Device;
  #held = new Map<string, OnDevice>();

  constructor(device: Device) {
    this.#device = device;
  }

  get(...resize: Parameters<typeof resizeWindows>): OnDevice {
    const name = JSON.stringify(resize);
    const held = this.#held.get(name);
    if (held) {
      this.#held.delete(name);
      this.#held.set(name, held);
      return held;
    }
    const { words, ...sizes } = resizeWindows(...resize);
    const made = { ...sizes, words: tensor(words, { device: this.#device }) };
    if (this.#device.recordings.rehearses) return made;
    keep(made.words);
    this.#held.set(name, made);
    if (this.#held.size > MOST) this.#drop([...this.#held.keys()][0]!);
    return made;
  }

  /** Frees windows; a recording that binds them notices that they are gone. */
  #drop(name: string): void {
    this.#held.get(name)!.words.dispose();
    this.#held.delete(name);
  }
}

/** The windows of a resize on a device, kept for later calls. */
export function windowsOn(device: Device, ...resize: Parameters<typeof resizeWindows>): OnDevice {
  return device.part(KeptWindows).get(...resize);
}
