// Apart from the worker itself: whoever imports its types would fetch its npm package.
import type { DecodeSpec } from "../dataset.ts";
import type { RgbImage } from "./rgb_image.ts";

/** Task of a Worker: read a file, or make a JPEG file's bytes. */
export type ImageTask =
  | { kind: "decode"; path: string; spec: DecodeSpec }
  | { kind: "encode"; image: RgbImage; grayscale: boolean };

/** Result of a task: an image, a file's bytes, or why the file is unreadable. */
export type ImageResult = { image: RgbImage } | { bytes: Uint8Array<ArrayBuffer> } | { unreadable: string };

/** Message to a Worker. */
export interface ImageRequest {
  id: number;
  task: ImageTask;
}

/** Answer of a Worker, and the time it took; `fatal` tells that no image can be read or made at all. */
export type ImageReply = { id: number; result: ImageResult; milliseconds: number } | { fatal: string };
