/**
 * Uses of a buffer, by the standard's numbers. Runtimes without a global `GPUBufferUsage`, Node among them, know the
 * numbers as well.
 */
export const USAGE = {
  MAP_READ: 0x0001,
  COPY_SRC: 0x0004,
  COPY_DST: 0x0008,
  UNIFORM: 0x0040,
  STORAGE: 0x0080,
  QUERY_RESOLVE: 0x0200,
} as const;

/** Uses of a texture, by the standard's numbers. */
export const TEXTURE_USAGE = { COPY_DST: 0x02, STORAGE_BINDING: 0x08 } as const;

/** Mode of mapping a buffer: to read it. */
export const MAP_READ = 1;

/** Format of textures that stand for arrays: a vector of four f32. */
export const TEXTURE_FORMAT = "rgba32float";
