// What a product does to images as it reads them: nothing, or a normalisation and ReLU.
import { lib_read_normalized, lib_read_plain } from "../../shaders/gen.ts";
import type { Tensor } from "../../tensor/mod.ts";

/** WGSL to join with a product that reads images as they are, or normalises them. */
export function readingCode(norm: Tensor | undefined): typeof lib_read_plain | typeof lib_read_normalized {
  return norm ? lib_read_normalized : lib_read_plain;
}

/** Note on reading in the name of a program. */
export function readingNote(norm: Tensor | undefined): string {
  return norm ? " normalized" : "";
}
