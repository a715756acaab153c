import type { Bytes } from "./dtype.ts";
import { concatBytes } from "./source.ts";

/**
 * Unpacks a raw deflate stream of known size. No more than `size` bytes are ever kept.
 *
 * @throws {SyntaxError} If the stream is damaged, or gives more or fewer than `size` bytes.
 */
export async function inflate(packed: Bytes, size: number, what: string): Promise<Bytes> {
  const result = new Uint8Array(size);
  let offset = 0;
  let tooMany = false;
  try {
    for await (const chunk of pipe(packed, new DecompressionStream("deflate-raw"))) {
      tooMany = offset + chunk.length > size;
      if (tooMany) break;
      result.set(chunk, offset);
      offset += chunk.length;
    }
  } catch (cause) {
    throw new SyntaxError(`Cannot read ${what} as its deflate stream is damaged after ${offset} bytes`, { cause });
  }
  if (!tooMany && offset === size) return result;
  throw new SyntaxError(
    `Cannot read ${what} as it must unpack to ${size} bytes: got ${tooMany ? "more" : offset}`,
  );
}

/** Packs bytes into a raw deflate stream. */
export async function deflate(bytes: Bytes): Promise<Bytes> {
  const chunks: Bytes[] = [];
  for await (const chunk of pipe(bytes, new CompressionStream("deflate-raw"))) chunks.push(chunk);
  return concatBytes(chunks);
}

const PIECE = 65536;

/** Feeds bytes to a stream in pieces, so that a reader who stops early also stops the work. */
function pipe(bytes: Bytes, through: CompressionStream | DecompressionStream): ReadableStream<Bytes> {
  let offset = 0;
  const source = new ReadableStream<Bytes>({
    pull(controller) {
      if (offset < bytes.length) controller.enqueue(bytes.subarray(offset, offset += PIECE));
      else controller.close();
    },
  });
  return source.pipeThrough<Bytes>(through as ReadableWritablePair<Bytes, Bytes>);
}
