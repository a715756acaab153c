import { checkSeal, concatBytes, quoted, readAll, sealed, toSource, weightsFormat } from "../formats/internal.ts";
import {
  type Bytes,
  type ByteSource,
  type Readable,
  readSafetensors,
  type Safetensors,
  safetensorsChunks,
} from "../formats/mod.ts";
import type { Checkpoint, TrainingPosition } from "./types.ts";
import { parseNotes } from "./notes.ts";
import { torchCheckpoint } from "./torch.ts";
import type { StateDict } from "../weights/mod.ts";
import { checkOptions } from "../tensor/internal.ts";

/** Options of {@linkcode readCheckpoint}. */
export interface ReadCheckpointOptions {
  /**
   * Whether a safetensors file of another program is taken too: weights without position, and without a checksum. Default:
   * false. Our own files are held to their checksum either way.
   */
  readonly foreign?: boolean;
}

const FORMAT = "uniformity-checkpoint-1";
/** Axes of tables; files of before have none of it, and other axes. */
const TABLES = "rows, features";
const OPTIMIZER = "optimizer.";
const BESIDE = "beside.";

/**
 * A checkpoint as the bytes of a file, for where there are no files: a page keeps them in a `Blob` or IndexedDB.
 *
 * @param checkpoint What {@linkcode captureCheckpoint} gave.
 * @returns What {@linkcode writeCheckpoint} writes.
 */
export async function encodeCheckpoint(checkpoint: Checkpoint): Promise<Bytes> {
  return concatBytes(await checkpointChunks(checkpoint));
}

/**
 * Reads a checkpoint out of bytes or a source of them, as {@linkcode readCheckpoint} does out of a file.
 *
 * @param from The bytes, or for a `Blob` what `blobSource()` gives.
 * @param options Whether safetensors files of other programs are taken.
 * @throws {SyntaxError} If it is damaged or half-written, or of another program and `foreign` is not set.
 */
export async function decodeCheckpoint(from: Readable, options: ReadCheckpointOptions = {}): Promise<Checkpoint> {
  checkOptions("decodeCheckpoint()", options, ["foreign"]);
  return await checkpointOf(toSource(from), "the checkpoint", options);
}

/** The bytes of a checkpoint, piece by piece. */
export async function checkpointChunks(checkpoint: Checkpoint): Promise<Iterable<Bytes>> {
  const { weights, network, position, optimizer, config } = checkpoint;
  const tensors: StateDict = new Map(weights);
  const taken = [...weights.keys()].find((name) => name.startsWith(OPTIMIZER) || name.startsWith(BESIDE));
  if (taken !== undefined) {
    throw new TypeError(
      `Cannot write a checkpoint as no weight may be called ${OPTIMIZER}* or ${BESIDE}*: got ${quoted(taken)}`,
    );
  }
  const states = Object.entries(optimizer?.states ?? {});
  for (const [state, arrays] of states) {
    for (const [name, array] of arrays) tensors.set(`${OPTIMIZER}${state}.${name}`, array);
  }
  for (const [name, array] of checkpoint.beside ?? []) tensors.set(BESIDE + name, array);
  const metadata: Record<string, string> = {
    format: "pt", // tensors as PyTorch has them: some programs take no other
    checkpoint: FORMAT,
    tables: TABLES,
    config: JSON.stringify(config),
    ...network === null ? {} : { network },
    ...position ? { position: JSON.stringify(position), random: JSON.stringify(randomState(config, position)) } : {},
    ...optimizer ? { optimizer: JSON.stringify({ ...optimizer, states: states.map(([state]) => state) }) } : {},
  };
  return safetensorsChunks(tensors, await sealed(tensors, metadata));
}

/** State of the random numbers: Philox is counter-based, so that seed, epoch and step are all of it. */
function randomState(config: Readonly<Record<string, unknown>>, { epoch, step }: TrainingPosition) {
  return { generator: "philox4x32-10", seed: config.seed ?? 0, epoch, step };
}

/** The checkpoint that a source holds, whichever program wrote it. */
export async function checkpointOf(
  source: ByteSource,
  name: string,
  options: ReadCheckpointOptions,
): Promise<Checkpoint> {
  const { foreign = false } = options;
  if (await weightsFormat(source, name) !== "safetensors") return await torchCheckpoint(source);
  const file = readSafetensors(await readAll(source));
  return isForeign(file, foreign) ? bare(file.tensors) : await ownCheckpoint(file);
}

/**
 * Whether a file is another program's. A damaged `format` of one of ours must not pass for that: no other has a checksum
 * and settings under these names.
 */
function isForeign({ metadata }: Safetensors, allowed: boolean): boolean {
  const { sha256, config } = metadata;
  const format = metadata.checkpoint ?? metadata.format; // in files of before, the latter
  if (format === FORMAT) return false;
  if (allowed && (sha256 === undefined || config === undefined)) return true;
  throw new SyntaxError(
    `Cannot read a checkpoint as its format must be "${FORMAT}": got ${format === undefined ? "none" : quoted(format)}`,
  );
}

function bare(weights: StateDict): Checkpoint {
  return { weights, network: null, position: null, optimizer: null, config: {} };
}

async function ownCheckpoint(file: Safetensors): Promise<Checkpoint> {
  const { tensors, metadata } = file;
  await checkSeal(file);
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
    ...metadata.tables === TABLES ? {} : { oldTables: true },
  };
}
