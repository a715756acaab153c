import type { ByteReader } from "./byte_reader.ts";
import { type Bytes, itemSize } from "./dtype.ts";
import { unpickleNext } from "./pickle.ts";
import { describeValue } from "./pickle_values.ts";
import { quoted } from "./quoted.ts";
import type { TorchTensors } from "./torch_tensors.ts";

const MAGIC = 0x1950a86a20f9469cfc6cn;
const PROTOCOL = 1001;

/** Reads the three pickles in front of the object: a magic number, a version, and facts of the machine that saved it. */
export function readPreamble(reader: ByteReader): void {
  const magic = unpickleNext(reader);
  if (magic !== MAGIC) {
    throw new SyntaxError(
      `Cannot read a PyTorch file as its magic number must be ${MAGIC}: got ${describeValue(magic)} (a plain pickle?)`,
    );
  }
  const protocol = unpickleNext(reader);
  if (protocol !== PROTOCOL) {
    throw new SyntaxError(
      `Cannot read a PyTorch file as its protocol must be ${PROTOCOL}: got ${describeValue(protocol)}`,
    );
  }
  const system = unpickleNext(reader);
  if (!(system instanceof Map) || system.get("protocol_version") !== PROTOCOL) {
    throw new SyntaxError(
      `Cannot read a PyTorch file as its third part must describe the system: got ${describeValue(system)}`,
    );
  }
}

/** Reads the storages behind the object: a list of their keys, then a length and the elements of each, little-endian. */
export function readLegacyStorages(reader: ByteReader, tensors: TorchTensors): Map<string, Bytes> {
  const { dtypes, unread } = tensors;
  if (unread) { // their storages are among the others, of a size that is not known here
    throw new SyntaxError(
      `Cannot read a PyTorch file of the format before 1.6 as its tensors must be plain numbers: got ${unread} ones`,
    );
  }
  const keys = unpickleNext(reader);
  if (!Array.isArray(keys)) {
    throw new SyntaxError(`Cannot read a PyTorch file as its storages must be listed: got ${describeValue(keys)}`);
  }
  const storages = new Map<string, Bytes>();
  for (const key of keys) {
    const dtype = typeof key === "string" ? dtypes.get(key) : undefined;
    if (!dtype) {
      throw new SyntaxError(
        `Cannot read a PyTorch file as the object must mention each storage: got ${describeValue(key)}`,
      );
    }
    storages.set(key as string, reader.take(reader.u64() * itemSize(dtype)));
  }
  const missing = [...dtypes.keys()].find((key) => !storages.has(key));
  if (missing !== undefined) {
    throw new SyntaxError(
      `Cannot read a PyTorch file as storage ${quoted(missing)} must be in it: got ${storages.size} others`,
    );
  }
  return storages;
}
