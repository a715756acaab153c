import { type Bytes, readSafetensors, safetensorsChunks } from "../../src/formats/mod.ts";
import { openZip, sealed, writeZip } from "../../src/formats/internal.ts";
import { crc32 } from "../../src/formats/crc32.ts";
import { concatBytes } from "../../src/formats/source.ts";
import { type Draw, mutate } from "./_mutate.ts";

// Checksums catch most changes at the door: these put them right again, so that what lies behind is reached.

/** The header sums of a tar. */
export function repairTar(bytes: Bytes): Bytes {
  const copy = bytes.slice();
  for (let at = 0; at + 512 <= copy.length; at += 512) {
    const header = copy.subarray(at, at + 512);
    if (header[257] !== 0x75) continue; // the u of ustar
    header.fill(32, 148, 156);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.set(new TextEncoder().encode(`${sum.toString(8).padStart(6, "0")}\0 `), 148);
  }
  return copy;
}

/** The chunk sums of a PNG. */
export function repairPng(bytes: Bytes): Bytes {
  const copy = bytes.slice();
  const view = new DataView(copy.buffer);
  for (let at = 8; at + 12 <= copy.length;) {
    const length = view.getUint32(at);
    if (at + 12 + length > copy.length) break;
    view.setUint32(at + 8 + length, crc32(copy.slice(at + 4, at + 8 + length)));
    at += 12 + length;
  }
  return copy;
}

/** A safetensors file whose header alone is changed, with its right length. */
export function mutateHeader(originals: readonly Bytes[], draw: Draw): Bytes {
  const bytes = originals[draw(originals.length)]!;
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const header = mutate([bytes.slice(8, 8 + length)], draw);
  const size = new Uint8Array(8);
  new DataView(size.buffer).setUint32(0, header.length, true);
  return concatBytes([size, header, bytes.slice(8 + length)]);
}

/** A safetensors file with a changed header and, where that can be read, its right checksum. */
export async function mutateSealed(originals: readonly Bytes[], draw: Draw): Promise<Bytes> {
  const bytes = mutateHeader(originals, draw);
  try {
    const { tensors, metadata: { sha256: _, ...metadata } } = readSafetensors(bytes);
    return concatBytes([...safetensorsChunks(tensors, await sealed(tensors, metadata))]);
  } catch {
    return bytes;
  }
}

/** A zip of which one member is changed, with its right checksum. */
export async function mutateMember(originals: readonly Bytes[], draw: Draw): Promise<Bytes> {
  const zip = await openZip(originals[draw(originals.length)]!);
  const names = [...zip.entries.keys()];
  const which = draw(2) ? names.find((name) => name.endsWith("data.pkl")) ?? names[0] : names[draw(names.length)];
  const members = [];
  for (const name of names) {
    const bytes = await zip.read(name);
    members.push({ name, bytes: name === which && bytes.length > 0 ? mutate([bytes], draw) : bytes });
  }
  return await writeZip(members);
}

/** Deflates or gzips what was changed. */
export async function packed(bytes: Bytes, format: CompressionFormat): Promise<Bytes> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream(format));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
