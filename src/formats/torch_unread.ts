import { type PickleHandler, PickleOpaque, type PickleValue } from "./pickle_values.ts";
import { quoted } from "./quoted.ts";

/** A tensor that is no dense array of plain numbers: it stands where it was, without its values. */
export class UnreadTensor extends PickleOpaque {
  /** Kind of tensor, for example `complex` or `quantised`. */
  readonly kind: string;

  /** Names the kind. */
  constructor(kind: string) {
    super();
    this.kind = kind;
  }

  /** Returns `a KIND tensor, which is not read here`. */
  override toString(): string {
    return `a ${this.kind} tensor, which is not read here`;
  }
}

/** A storage of such tensors. */
export class UnreadStorage extends UnreadTensor {}

const KINDS: readonly (readonly [kind: string, storages: RegExp, dtypes: RegExp])[] = [
  ["complex", /^Complex(Half|Float|Double)Storage$/, /^(complex(32|64|128)|cfloat|cdouble|chalf)$/],
  ["quantised", /^QU?Int(8|32|4x2|2x4)Storage$/, /^q(u?int(8|32|4x2|2x4))$/],
  ["8-bit float", /^Float8_\w{1,16}Storage$/, /^float8_\w{1,16}$/],
  ["sub-byte", /^(U?Int[1-7]|Bits\w{1,8})Storage$/, /^(u?int[1-7]|bits\w{1,8}|float4_\w{1,16})$/],
];

const REBUILD: Readonly<Record<string, string>> = {
  _rebuild_qtensor: "quantised",
  _rebuild_sparse_tensor: "sparse",
  _rebuild_sparse_csr_tensor: "sparse",
  _rebuild_nested_tensor: "nested",
  _rebuild_meta_tensor_no_storage: "meta",
  _rebuild_wrapper_subclass: "wrapped",
  _rebuild_xla_tensor: "XLA",
  _rebuild_device_tensor_from_numpy: "device",
  _rebuild_device_tensor_from_cpu_tensor: "device",
};

const SCHEMES = /^per_(tensor|channel)_(affine|symmetric|affine_float_qparams)$/;

/** Returns the kind that a storage class holds and that is not read, or undefined. */
export function unreadStorage(name: string): string | undefined {
  return KINDS.find(([, storages]) => storages.test(name))?.[0];
}

/** Returns the kind of a `torch.dtype` that is not read, or undefined. */
export function unreadDType(name: string): string | undefined {
  return KINDS.find(([, , dtypes]) => dtypes.test(name))?.[0];
}

/** Returns the handler of a global that pickles mention for such tensors. */
export function unreadGlobals(module: string, name: string): PickleHandler | undefined {
  const kind = module === "torch._utils" && Object.hasOwn(REBUILD, name) ? REBUILD[name] : undefined;
  if (kind) return { call: () => new UnreadTensor(kind) };
  if (module === "torch.serialization" && name === "_get_layout") return { call: layout };
  const type = module === "torch" && (unreadDType(name) ?? (SCHEMES.test(name) ? name : undefined));
  return type || module.startsWith("torch") && unreadStorage(name) ? {} : undefined;
}

function layout([name]: readonly PickleValue[]): PickleValue {
  return quoted(name);
}
