import { createHash } from "node:crypto";
import type { ImageDataset } from "../../data/mod.ts";

/**
 * Facts about what a run learns from that no setting tells, for its checkpoints: another list, split or prior changes what
 * is learnt. The hashes stay when the folder is moved.
 */
export function dataFacts(
  { length, paths, prior }: Pick<ImageDataset, "length" | "paths" | "prior">,
): Record<string, unknown> {
  return {
    images: length,
    ...paths ? { names: hashOf([paths.join("\n")]) } : {},
    ...prior ? { prior: hashOf([`${prior.dim}\n`, prior.data]) } : {},
  };
}

function hashOf(parts: readonly (string | Float32Array)[]): string {
  const hash = createHash("sha256");
  for (const part of parts) {
    hash.update(typeof part === "string" ? part : new Uint8Array(part.buffer, part.byteOffset, part.byteLength));
  }
  return hash.digest("hex").slice(0, 16);
}
