// Textures that stand for arrays where a shader reads them so.
import type { Bindings, Bound } from "./dispatch.ts";
import type { Pipeline } from "./pipelines.ts";
import { TEXTURE_FORMAT, TEXTURE_USAGE } from "./usage.ts";

/** Vectors of a row: what WGSL that reads them so divides by. */
const WIDTH = 4096;

/** Bytes of a vector. */
const VECTOR = 16;

/** A copy of what is bound into a texture. */
export interface TextureCopy {
  readonly bound: NonNullable<Bound>;
  readonly texture: GPUTexture;
}

/**
 * Textures of powers of two, one of each size for each binding, which are kept with the device: a dispatch that reads
 * through one has what it binds copied there right before.
 */
export class Textures {
  #make: (descriptor: GPUTextureDescriptor) => GPUTexture;
  #known = new Map<string, GPUTexture>();

  /** Takes what makes a texture. */
  constructor(make: (descriptor: GPUTextureDescriptor) => GPUTexture) {
    this.#make = make;
  }

  /** The texture that so many bytes at a binding go to. */
  of(binding: number, bytes: number): GPUTexture {
    const rows = 2 ** Math.ceil(Math.log2(Math.max(1, bytes / VECTOR / WIDTH)));
    const key = `${binding} ${rows}`;
    let texture = this.#known.get(key);
    if (!texture) {
      const usage = TEXTURE_USAGE.COPY_DST | TEXTURE_USAGE.STORAGE_BINDING;
      texture = this.#make({ label: "array", size: [WIDTH, rows], format: TEXTURE_FORMAT, usage });
      this.#known.set(key, texture);
    }
    return texture;
  }

  /** The copies that a dispatch needs. */
  copiesOf({ textures }: Pipeline, bindings: Bindings): TextureCopy[] {
    return textures.map((binding) => {
      const bound = bindings[binding]!;
      return { bound, texture: this.of(binding, bytesOf(bound)) };
    });
  }

  /** Destroys them. */
  destroy(): void {
    for (const texture of this.#known.values()) texture.destroy();
    this.#known.clear();
  }
}

/** Encodes copies, outside of a pass: whole rows, and what is left. */
export function encodeCopies(encoder: GPUCommandEncoder, copies: readonly TextureCopy[]): void {
  for (const { bound, texture } of copies) {
    const { buffer } = ("storage" in bound ? bound.storage : bound).block;
    const offset = "storage" in bound ? bound.offset : 0;
    const vectors = bytesOf(bound) / VECTOR;
    const [rows, rest] = [Math.floor(vectors / WIDTH), vectors % WIDTH];
    const row = WIDTH * VECTOR;
    if (rows > 0) encoder.copyBufferToTexture({ buffer, offset, bytesPerRow: row }, { texture }, [WIDTH, rows]);
    if (rest > 0) {
      const to = { texture, origin: [0, rows] };
      encoder.copyBufferToTexture({ buffer, offset: offset + rows * row, bytesPerRow: row }, to, [rest, 1]);
    }
  }
}

function bytesOf(bound: NonNullable<Bound>): number {
  return "storage" in bound ? bound.size : bound.bytes;
}
