import { readFrom, writeWhole } from "../formats/mod.ts";
import type { Checkpoint } from "./types.ts";
import { checkpointChunks, checkpointOf, type ReadCheckpointOptions } from "./bytes.ts";
import { checkOptions } from "../tensor/internal.ts";

/**
 * Writes a checkpoint as safetensors, whole or not at all. The tensors have PyTorch's names and layout
 * (`encoder.conv1.weight` `[out, in, kh, kw]`, `head.1.weight` `[out, in]`); those of the optimizer's states begin with
 * `optimizer.velocity.` (there only with momentum) or `optimizer.expAvg.` and `optimizer.expAvgSq.`, those that training
 * keeps beside the weights with `beside.`. Position, settings, random state and a SHA-256 of everything are in the
 * metadata.
 *
 * @throws {Error} If it cannot be written; the message names the file.
 */
export async function writeCheckpoint(path: string, checkpoint: Checkpoint): Promise<void> {
  const chunks = await checkpointChunks(checkpoint);
  try {
    await writeWhole(path, chunks);
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    throw new Error(`Cannot save "${path}": ${cause.message}; free some space or choose another --save_dir`, { cause });
  }
}

/**
 * Reads back a checkpoint that was just written.
 *
 * @throws {Error} If it cannot be read or its checksum does not match; the file is removed then.
 */
export async function checkWritten(path: string): Promise<void> {
  try {
    await readCheckpoint(path);
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    await Deno.remove(path);
    throw new Error(
      `Cannot save "${path}" as what was written reads back otherwise: ${cause.message}; the checkpoint before it is kept`,
      { cause },
    );
  }
}

/**
 * Reads a checkpoint: one that {@linkcode writeCheckpoint} wrote, the original's `.pth.tar` (its DataParallel prefix
 * `module.` is taken off), torchvision's `.pth` or, with `foreign`, any safetensors file of weights. Which of them it is
 * tells its structure, whatever it is called. Nothing in it is executed.
 *
 * @param path The file.
 * @param options Whether safetensors files of other programs are taken.
 * @throws {SyntaxError} If the file is damaged or half-written, or of another program and `foreign` is not set.
 */
export async function readCheckpoint(path: string, options: ReadCheckpointOptions = {}): Promise<Checkpoint> {
  checkOptions("readCheckpoint()", options, ["foreign"]);
  return await readFrom(path, (source) => checkpointOf(source, path, options));
}
