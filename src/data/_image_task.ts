// Apart from the worker itself: whoever imports its types would fetch its npm package.
import type { DecodeSpec } from "./dataset.ts";
import type { RgbImage } from "./resize.ts";

/** What a worker can do: read a file, or make a JPEG file's bytes. */
export type ImageTask =
  | { kind: "decode"; path: string; spec: DecodeSpec }
  | { kind: "encode"; image: RgbImage; grayscale: boolean };

/** What comes of a task: an image, a file's bytes, or why the file is unreadable. */
export type ImageResult = { image: RgbImage } | { bytes: Uint8Array<ArrayBuffer> } | { unreadable: string };

/** What a worker is asked for. */
export interface ImageRequest {
  id: number;
  task: ImageTask;
}

/** What it answers, and how long it took; `fatal` tells that no image can be read or made at all. */
export type ImageReply = { id: number; result: ImageResult; milliseconds: number } | { fatal: string };
