import {
  type NdArray,
  type PickleDict,
  type PickleValue,
  readTorch,
  toF32,
  type TorchOptions,
} from "../../src/formats/mod.ts";
import { fixture } from "./_helpers.ts";

/** Names of other packages whose objects the committed files hold. */
export const STUBS = ["omegaconf.", "pytorch_lightning.", "typing."];

/** Reads a committed file as a dict. */
export async function load(name: string, options: TorchOptions = {}): Promise<PickleDict> {
  return await readTorch(await fixture(name), options) as PickleDict;
}

/** The elements of an array. */
export function floats(value: PickleValue | undefined): number[] {
  return [...toF32(value as NdArray)];
}
