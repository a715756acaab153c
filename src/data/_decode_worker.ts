// Runs in a Worker: decodes one image after another. Started by _worker_pool.ts.
import { decodeImage } from "./_decode_image.ts";
import type { DecodeSpec } from "./dataset.ts";
import type { RgbImage } from "./resize.ts";

/** What a worker is asked for. */
export interface DecodeRequest {
  id: number;
  path: string;
  spec: DecodeSpec;
}

/** What it answers: the image, or why the file is unreadable, or why no file can be read at all. */
export type DecodeReply =
  | { id: number; image: RgbImage }
  | { id: number; unreadable: string }
  | { fatal: string };

interface WorkerScope {
  onmessage: ((event: MessageEvent<DecodeRequest>) => void) | null;
  postMessage(message: DecodeReply, transfer?: Transferable[]): void;
}

const scope = globalThis as unknown as WorkerScope;
const library = loadSharp();
let last: Promise<void> = Promise.resolve();

scope.onmessage = (event) => {
  last = last.then(() => answer(event.data));
};

async function loadSharp() {
  const { default: sharp } = await import("sharp");
  sharp.concurrency(1); // the Workers are the parallelism
  sharp.cache(false);
  return sharp;
}
library.catch(() => {}); // reported by the first answer

async function answer({ id, path, spec }: DecodeRequest): Promise<void> {
  let sharp;
  try {
    sharp = await library;
  } catch (error) {
    scope.postMessage({ fatal: messageOf(error) });
    return;
  }
  try {
    const image = await decodeImage(sharp, await Deno.readFile(path), spec);
    scope.postMessage({ id, image }, [image.data.buffer]);
  } catch (error) {
    scope.postMessage({ id, unreadable: messageOf(error) });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
