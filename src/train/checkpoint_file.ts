import { createHash } from "node:crypto";
import { quoted, readAll, weightsFormat } from "../formats/internal.ts";
import { readFrom, readSafetensors, type Safetensors, safetensorsChunks, writeWhole } from "../formats/mod.ts";
import type { Checkpoint, TrainingPosition } from "./checkpoint_types.ts";
import { parseNotes } from "./checkpoint_notes.ts";
import { torchCheckpoint } from "./checkpoint_torch.ts";
import type { StateDict } from "./model_state.ts";

/** Options of {@linkcode readCheckpoint}. */
export interface ReadCheckpointOptions {
  /**
   * Whether a safetensors file of another program is taken too: weights without position, and without a checksum.
   * Default: false. Our own files are held to their checksum either way.
   */
  readonly foreign?: boolean;
}

const FORMAT = "uniformity-checkpoint-1";
const OPTIMIZER = "optimizer.";
const BESIDE = "beside.";

/**
 * Writes a checkpoint as safetensors, whole or not at all. The tensors have PyTorch's names and layout
 * (`encoder.conv1.weight` `[out, in, kh, kw]`, `head.1.weight` `[out, in]`); those of the optimizer's states begin with
 * `optimizer.velocity.` (there only with momentum) or `optimizer.expAvg.` and `optimizer.expAvgSq.`, those that
 * training keeps beside the weights with `beside.`. Position, settings, random state and a SHA-256 of everything are in
 * the metadata.
 *
 * @throws {Error} If it cannot be written; the message names the file.
 */
export async function writeCheckpoint(path: string, checkpoint: Checkpoint): Promise<void> {
  const { weights, network, position, optimizer, config } = checkpoint;
  const tensors: StateDict = new Map(weights);
  const states = Object.entries(optimizer?.states ?? {});
  for (const [state, arrays] of states) {
    for (const [name, array] of arrays) tensors.set(`${OPTIMIZER}${state}.${name}`, array);
  }
  for (const [name, array] of checkpoint.beside ?? []) tensors.set(BESIDE + name, array);
  const metadata: Record<string, string> = {
    format: FORMAT,
    config: JSON.stringify(config),
    ...network === null ? {} : { network },
    ...position ? { position: JSON.stringify(position), random: JSON.stringify(randomState(config, position)) } : {},
    ...optimizer ? { optimizer: JSON.stringify({ ...optimizer, states: states.map(([state]) => state) }) } : {},
  };
  metadata.sha256 = digest(tensors, metadata);
  try {
    await writeWhole(path, safetensorsChunks(tensors, metadata));
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    throw new Error(`Cannot save "${path}": ${cause.message}; free some space or choose another --save_dir`, { cause });
  }
}

/** Philox is counter-based: seed, epoch and step are the whole state. */
function randomState(config: Readonly<Record<string, unknown>>, { epoch, step }: TrainingPosition) {
  return { generator: "philox4x32-10", seed: config.seed ?? 0, epoch, step };
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
 * `module.` is taken off), torchvision's `.pth` or, with `foreign`, any safetensors file of weights. Which of them it
 * is tells its structure, whatever it is called. Nothing in it is executed.
 *
 * @param path The file.
 * @param options Whether safetensors files of other programs are taken.
 * @throws {SyntaxError} If the file is damaged or half-written, or of another program and `foreign` is not set.
 */
export async function readCheckpoint(path: string, options: ReadCheckpointOptions = {}): Promise<Checkpoint> {
  const { foreign = false } = options;
  return await readFrom(path, async (source) => {
    if (await weightsFormat(source, path) !== "safetensors") return await torchCheckpoint(source);
    const file = readSafetensors(await readAll(source));
    return isForeign(file, foreign) ? bare(file.tensors) : ownCheckpoint(file);
  });
}

/**
 * Whether a file is another program's. A damaged `format` of one of ours must not pass for that: no other has a
 * checksum and settings under these names.
 */
function isForeign({ metadata }: Safetensors, allowed: boolean): boolean {
  const { format, sha256, config } = metadata;
  if (format === FORMAT) return false;
  if (allowed && (sha256 === undefined || config === undefined)) return true;
  throw new SyntaxError(
    `Cannot read a checkpoint as its format must be "${FORMAT}": got ${format === undefined ? "none" : quoted(format)}`,
  );
}

function bare(weights: StateDict): Checkpoint {
  return { weights, network: null, position: null, optimizer: null, config: {} };
}

function ownCheckpoint({ tensors, metadata }: Safetensors): Checkpoint {
  const { sha256, ...rest } = metadata;
  if (digest(tensors, rest) !== sha256) throw new SyntaxError("its checksum does not match: the file is damaged");
  const { optimizer, ...notes } = parseNotes(metadata);
  const weights: StateDict = new Map(tensors);
  const take = (prefix: string): StateDict => {
    const taken = [...weights].filter(([name]) => name.startsWith(prefix));
    for (const [name] of taken) weights.delete(name);
    return new Map(taken.map(([name, array]) => [name.slice(prefix.length), array]));
  };
  const states = (optimizer?.states ?? []).map((state) => [state, take(`${OPTIMIZER}${state}.`)] as const);
  const beside = take(BESIDE);
  return {
    weights,
    ...notes,
    optimizer: optimizer &&
      { ...optimizer, states: Object.fromEntries(states.filter(([, arrays]) => arrays.size > 0)) },
    ...beside.size > 0 ? { beside } : {},
  };
}

/** SHA-256 of names, types, shapes, elements and metadata, whatever their order in the file. */
function digest(tensors: StateDict, metadata: Readonly<Record<string, string>>): string {
  const hash = createHash("sha256");
  for (const name of Object.keys(metadata).sort()) hash.update(JSON.stringify([name, metadata[name]]));
  for (const name of [...tensors.keys()].sort()) {
    const { dtype, shape, data } = tensors.get(name)!;
    hash.update(JSON.stringify([name, dtype, shape]));
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest("hex");
}
