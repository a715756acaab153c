/**
 * Files of other programs, read and written without running code: safetensors, npy and npz, PyTorch's `.pth` and `.ckpt`.
 *
 * @module
 */
export type { Bytes, NdArrayData, NdDType } from "./dtype.ts";
export { FileSource, readFrom, writeWhole } from "./file.ts";
export { isNdArray, isStringArray, ndarray, toF32, toF64 } from "./ndarray.ts";
export type { NamedArrays, NdArray, NdArrayOf, StringArray } from "./ndarray.ts";
export { npzChunks, readNpz, writeNpz } from "./npz.ts";
export type { NpzOptions, NpzWriteOptions } from "./npz.ts";
export { OutputFolder } from "./output_folder.ts";
export { PickleGlobal, PickleObject, PickleOpaque } from "./pickle_values.ts";
export type { PickleDict, PickleHandler, PickleValue } from "./pickle_values.ts";
export { readSafetensors } from "./safetensors.ts";
export type { Safetensors } from "./safetensors.ts";
export { safetensorsChunks, writeSafetensors } from "./safetensors_write.ts";
export { blobSource } from "./source.ts";
export type { ByteSource, Readable } from "./source.ts";
export { stateDict } from "./state_dict.ts";
export type { StateDictOptions } from "./state_dict.ts";
export { readTorch } from "./torch.ts";
export type { TorchOptions } from "./torch.ts";
export { writeTorch } from "./torch_write.ts";
export type { TorchValue } from "./torch_write.ts";
