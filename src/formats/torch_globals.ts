import type { NdDType } from "./dtype.ts";
import { tableGlobals } from "./pickle_globals.ts";
import {
  damaged,
  describeValue,
  PickleGlobal,
  type PickleGlobals,
  type PickleHandler,
  type PickleValue,
} from "./pickle_values.ts";
import { TorchStorage, type TorchTensors } from "./torch_tensors.ts";
import { unreadDType, unreadGlobals, UnreadStorage, unreadStorage } from "./torch_unread.ts";

/** The storage classes of checkpoints. */
export const STORAGE_CLASSES: ReadonlyMap<string, NdDType> = new Map([
  ["BoolStorage", "bool"],
  ["ByteStorage", "u8"],
  ["CharStorage", "i8"],
  ["ShortStorage", "i16"],
  ["HalfStorage", "f16"],
  ["BFloat16Storage", "bf16"],
  ["IntStorage", "i32"],
  ["FloatStorage", "f32"],
  ["LongStorage", "i64"],
  ["DoubleStorage", "f64"],
  ["UntypedStorage", "u8"],
]);

const DTYPES: ReadonlyMap<string, NdDType> = new Map([
  ["bool", "bool"],
  ["uint8", "u8"],
  ["int8", "i8"],
  ["uint16", "u16"],
  ["int16", "i16"],
  ["float16", "f16"],
  ["bfloat16", "bf16"],
  ["uint32", "u32"],
  ["int32", "i32"],
  ["float32", "f32"],
  ["uint64", "u64"],
  ["int64", "i64"],
  ["float64", "f64"],
]);

/**
 * Returns the globals that a PyTorch pickle may mention: how tensors are rebuilt, storage classes, dtypes, sizes and
 * devices.
 */
export function torchGlobals(tensors: TorchTensors): PickleGlobals {
  const rebuild: PickleHandler = { call: (args) => tensors.declare(args) };
  const functions = tableGlobals({
    "torch._utils._rebuild_tensor": rebuild,
    "torch._utils._rebuild_tensor_v2": rebuild,
    // Its seventh argument is the dtype; the storage is plain bytes.
    "torch._utils._rebuild_tensor_v3": { call: (args) => tensors.declare(args, toDType(args[6])) },
    "torch._utils._rebuild_parameter": { call: ([tensor]) => tensor ?? null },
    "torch._utils._rebuild_parameter_with_state": { call: ([tensor]) => tensor ?? null },
    "torch._tensor._rebuild_from_type_v2": { call: rebuildFromType },
    "torch.Size": { call: ([sizes]) => sizes ?? [] },
    "torch.device": { call: toDevice },
    "torch.Tensor": {},
    "torch.nn.parameter.Parameter": {},
  });
  return (module, name) =>
    functions(module, name) ?? (isTypeName(module, name) ? {} : undefined) ?? unreadGlobals(module, name);
}

/** Reads `torch.device("cuda", 0)` as `cuda:0`. */
function toDevice([type, index]: readonly PickleValue[]): PickleValue {
  const known = typeof type === "string" && /^[\w:]{1,32}$/.test(type);
  if (known && (index === undefined || index === null)) return type;
  if (known && Number.isSafeInteger(index)) return `${type}:${index}`;
  throw damaged(
    `a torch.device must be a short name and a number, not ${describeValue(type)} and ${describeValue(index)}`,
  );
}

function isTypeName(module: string, name: string): boolean {
  const storage = module === "torch" || module === "torch.cuda" || module === "torch.storage";
  return (storage && STORAGE_CLASSES.has(name)) || (module === "torch" && DTYPES.has(name));
}

function toDType(value: PickleValue | undefined): NdDType | UnreadStorage {
  const name = value instanceof PickleGlobal && value.module === "torch" ? value.name : "";
  const dtype = DTYPES.get(name);
  if (dtype) return dtype;
  const unread = unreadDType(name);
  if (unread) return new UnreadStorage(unread);
  throw damaged(`a tensor must have a torch.dtype, not ${describeValue(value)}`);
}

/** A subclass of Tensor: its function and arguments give the plain tensor; the class and its state are left out. */
function rebuildFromType([rebuild, _type, args]: readonly PickleValue[]): PickleValue {
  const again = rebuild instanceof PickleGlobal && rebuild.handler.call === rebuildFromType;
  if (rebuild instanceof PickleGlobal && rebuild.handler.call && !again && Array.isArray(args)) {
    return rebuild.handler.call(args, new Map(), rebuild);
  }
  throw damaged(`a tensor must be rebuilt by an allowed function, not by ${describeValue(rebuild)}`);
}

/** Resolves `("storage", class, key, location, length[, window])`. A storage that is not read is told by its class alone. */
export function loadStorage(id: PickleValue): TorchStorage | UnreadStorage {
  const [tag, type, key, , length, window] = Array.isArray(id) ? id : [];
  const name = type instanceof PickleGlobal ? type.name : "";
  const dtype = STORAGE_CLASSES.get(name);
  const unread = unreadStorage(name);
  if (tag === "storage" && unread) return new UnreadStorage(unread);
  if (tag === "storage" && type instanceof PickleGlobal && !dtype) {
    throw new SyntaxError(
      `Cannot read a PyTorch file as its storages must be of a known class: got ${describeValue(type)}`,
    );
  }
  if (tag !== "storage" || !dtype || typeof key !== "string" || !Number.isSafeInteger(length) || Number(length) < 0) {
    throw damaged(`a persistent id must name a storage, not ${describeValue(id)}`);
  }
  if (!Array.isArray(window)) return new TorchStorage(key, dtype, Number(length));
  const [, start, size] = window;
  if (!Number.isSafeInteger(start) || !Number.isSafeInteger(size) || Number(start) < 0 || Number(size) < 0) {
    throw damaged("a window of a storage must have an offset and a size");
  }
  return new TorchStorage(key, dtype, Number(size), Number(start));
}
