import { type Module, Table } from "../nn/mod.ts";
import type { Tensor } from "../tensor/mod.ts";
import { hwioToOihw, oihwToHwio, transposeLinear } from "../formats/internal.ts";
import { type NdArray, ndarray, toF32 } from "../formats/mod.ts";
import { checkOptions } from "../tensor/internal.ts";

/** Tensors by name, in PyTorch's names and layout (conv `[out, in, kh, kw]`, linear `[out, in]`). */
export type StateDict = Map<string, NdArray>;

/** Reads a module's parameters, buffers and counters back, as PyTorch would save them. */
export async function readState(module: Module): Promise<StateDict> {
  const entries = await Promise.all(
    [...module.stateDict()].map(async ([name, tensor]) => {
      const data = await tensor.data() as Float32Array<ArrayBuffer>;
      return [name, savedValue(tensor, data)] as const;
    }),
  );
  const state: StateDict = new Map(entries);
  for (const [name, counter] of module.namedCounters()) {
    state.set(name, ndarray([], "i64", BigInt64Array.of(BigInt(counter.value))));
  }
  return state;
}

/**
 * Copies a state dict of PyTorch's names and layout into a module.
 *
 * @param module The module.
 * @param state Arrays by name.
 * @param options `oldTables`: tables of an `Embedding` are `[features, rows]`, as older checkpoints have them.
 * @throws {TypeError} If names or shapes differ; the message lists them, and nothing is copied.
 */
export function loadState(module: Module, state: StateDict, options: { oldTables?: boolean } = {}): void {
  checkOptions("loadState()", options, ["oldTables"]);
  const parameters = new Map(module.namedParameters());
  const counters = new Map(module.namedCounters());
  const tensors = new Map<string, { shape: readonly number[]; data: Float32Array<ArrayBuffer> }>();
  for (const [name, array] of state) {
    if (counters.has(name)) continue;
    const own = ownValue(parameters.get(name), array, options.oldTables);
    tensors.set(name, { shape: own.shape, data: toF32(own) });
  }
  module.loadStateDict(tensors, { layout: "uniformity" });
  for (const [name, counter] of counters) counter.value = Number(state.get(name)?.data[0] ?? 0);
}

/** The values of a parameter or buffer as they are saved: in PyTorch's layout, in which a table is as it is here. */
export function savedValue(tensor: Tensor, data: Float32Array<ArrayBuffer>): NdArray {
  const array = ndarray([...tensor.shape], "f32", data);
  return tensor instanceof Table ? array : toTorchLayout(array);
}

/** Saved values of a parameter or buffer, in this library's layout. */
export function ownValue(tensor: Tensor | undefined, array: NdArray, oldTables = false): NdArray {
  return tensor instanceof Table && !oldTables ? array : fromTorchLayout(array);
}

/** Converts an array from this library's layout (conv HWIO, linear `[in, out]`) to PyTorch's. */
export function toTorchLayout(array: NdArray): NdArray {
  if (array.shape.length === 4) return hwioToOihw(array);
  return array.shape.length === 2 ? transposeLinear(array) : array;
}

/** Converts an array from PyTorch's layout to this library's. */
export function fromTorchLayout(array: NdArray): NdArray {
  if (array.shape.length === 4) return oihwToHwio(array);
  return array.shape.length === 2 ? transposeLinear(array) : array;
}
