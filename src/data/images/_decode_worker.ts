// Runs in a Worker: decodes (and, for demo data, encodes) one image after another. Started by _worker_pool.ts.
import { loadSharp } from "../../report/internal.ts";
import { decodeImage, readImageFile } from "./_decode_image.ts";
import type { ImageReply, ImageRequest } from "./_image_task.ts";

interface WorkerScope {
  onmessage: ((event: MessageEvent<ImageRequest>) => void) | null;
  postMessage(message: ImageReply, transfer?: Transferable[]): void;
}

const scope = globalThis as unknown as WorkerScope;
const library = loadOnce();
let last: Promise<void> = Promise.resolve();

scope.onmessage = (event) => {
  last = last.then(() => answer(event.data));
};

async function loadOnce() {
  const sharp = await loadSharp();
  sharp.concurrency(1); // the Workers are the parallelism
  sharp.cache(false);
  return sharp;
}
library.catch(() => {}); // reported by the first answer

async function answer({ id, task }: ImageRequest): Promise<void> {
  let sharp;
  try {
    sharp = await library;
  } catch (error) {
    scope.postMessage({ fatal: messageOf(error) });
    return;
  }
  const start = performance.now();
  const milliseconds = () => performance.now() - start;
  try {
    if (task.kind === "decode") {
      const image = await decodeImage(sharp, await readImageFile(task.path), task.spec);
      scope.postMessage({ id, result: { image }, milliseconds: milliseconds() }, [image.data.buffer]);
    } else {
      const { data, height, width } = task.image;
      const raw = sharp(data, { raw: { height, width, channels: 3 } });
      const bytes = await (task.grayscale ? raw.grayscale() : raw).jpeg({ quality: 90 }).toBuffer();
      scope.postMessage({ id, result: { bytes: new Uint8Array(bytes) }, milliseconds: milliseconds() });
    }
  } catch (error) {
    scope.postMessage({ id, result: { unreadable: messageOf(error) }, milliseconds: milliseconds() });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
