import type { NdArray } from "./ndarray.ts";
import type { Safetensors } from "./safetensors.ts";
import { sha256 } from "./sha256.ts";

/**
 * Adds `sha256` to the metadata of a safetensors file: the digest of names, types, shapes, elements and metadata, whatever
 * their order in the file.
 */
export async function sealed(
  tensors: ReadonlyMap<string, NdArray>,
  metadata: Readonly<Record<string, string>>,
): Promise<Record<string, string>> {
  return { ...metadata, sha256: await digest(tensors, metadata) };
}

/**
 * Refuses a file that is not what was sealed.
 *
 * @throws {SyntaxError} If there is no checksum or it does not match.
 */
export async function checkSeal({ tensors, metadata }: Safetensors): Promise<void> {
  const { sha256: found, ...rest } = metadata;
  if (await digest(tensors, rest) === found) return;
  throw new SyntaxError("its checksum does not match: the file is damaged");
}

async function digest(
  tensors: ReadonlyMap<string, NdArray>,
  metadata: Readonly<Record<string, string>>,
): Promise<string> {
  const parts: (string | ArrayBufferView)[] = [];
  for (const name of Object.keys(metadata).sort()) parts.push(JSON.stringify([name, metadata[name]]));
  for (const name of [...tensors.keys()].sort()) {
    const { dtype, shape, data } = tensors.get(name)!;
    parts.push(JSON.stringify([name, dtype, shape]), data as ArrayBufferView);
  }
  return await sha256(parts);
}
