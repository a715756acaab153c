import type { DeviceErrorDetails } from "./errors.ts";
import type { Failures } from "./failures.ts";
import type { BufferMaker } from "./pool.ts";
import type { Encoder } from "./encoder.ts";
import { USAGE } from "./usage.ts";

/** Parts of a device that {@linkcode bufferMaker} needs. */
export interface BufferMakerParts {
  /** Makes the buffers. */
  readonly gpu: GPUDevice;
  /** Takes memory that ran out. */
  readonly failures: Failures;
  /** Details of what is running now. */
  readonly details: () => DeviceErrorDetails;
  /** Encoder whose commands may still use a buffer. */
  readonly encoder: () => Encoder;
  /** Gives back what is free; returns its bytes. */
  readonly trim: () => number;
}

/**
 * Makes buffers that every op can use. Where memory runs out, what is free is given back before that is reported, so that
 * there is room when the work is tried again.
 */
export function bufferMaker({ gpu, failures, details, encoder, trim }: BufferMakerParts): BufferMaker {
  const usage = USAGE.STORAGE | USAGE.COPY_SRC | USAGE.COPY_DST;
  return {
    create(size, lose) {
      const whatIsLost = () => {
        lose();
        const bytes = trim();
        const given = bytes > 0 ? ` (${bytes} bytes that were free are given back by now: try again)` : "";
        return `Cannot allocate ${size} bytes as the device is out of memory${given}`;
      };
      return failures.watch("out-of-memory", whatIsLost, details(), () => gpu.createBuffer({ size, usage }));
    },
    settle: (block) => encoder().uses(block) && encoder().flush(),
  };
}
