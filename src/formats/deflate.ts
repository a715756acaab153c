import type { Bytes } from "./dtype.ts";
import { concatBytes, newBytes } from "./source.ts";

/** Wrapping of deflate's bytes: not at all, as in a zip, or as zlib does, as in a PNG. */
export type DeflateFormat = "deflate-raw" | "deflate";

/**
 * Unpacks a deflate stream of known size. No more than `size` bytes are ever kept.
 *
 * @throws {SyntaxError} If the stream is damaged, or gives more or fewer than `size` bytes.
 */
export async function inflate(
  packed: Iterable<Bytes>,
  { size, what, format = "deflate-raw" }: { size: number; what: string; format?: DeflateFormat },
): Promise<Bytes> {
  const result = newBytes(size, what);
  let offset = 0;
  let tooMany = false;
  try {
    for await (const chunk of pipe(packed, new DecompressionStream(format))) {
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
  for await (const chunk of pipe([bytes], new CompressionStream("deflate-raw"))) chunks.push(chunk);
  return concatBytes(chunks);
}

const PIECE = 65536;

/** Feeds bytes to a stream in pieces, so that a reader who stops early also stops the work. */
function pipe(parts: Iterable<Bytes>, through: CompressionStream | DecompressionStream): ReadableStream<Bytes> {
  const rest = pieces(parts);
  const source = new ReadableStream<Bytes>({
    pull(controller) {
      const { value, done } = rest.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
  });
  return source.pipeThrough<Bytes>(through as ReadableWritablePair<Bytes, Bytes>);
}

function* pieces(parts: Iterable<Bytes>): Generator<Bytes> {
  for (const bytes of parts) for (let at = 0; at < bytes.length; at += PIECE) yield bytes.subarray(at, at + PIECE);
}
